package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/train"
)

// Names of a packed run's files. Its mapper and prompts lie where a run's do.
const (
	packFile   = "pack.json"
	domainFile = "domain.yaml"
	cardFile   = "README.md"
)

// pack is pack.json: the files that a reader needs, with their SHA-256.
type pack struct {
	Format int        `json:"format"`
	Files  []packPart `json:"files"`
}

type packPart struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const packFormat = 1

// Pack writes what others need to draw with a run into a new folder, as a hub takes it: the best mapper, prompts,
// domain and a model card. networks copies the domain's own networks too, where it names folders of this machine.
func Pack(folder train.Folder, out string, networks bool) (err error) {
	if err := checkFinished(string(folder)); err != nil {
		return err
	}
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return fault.Usage(fmt.Errorf("pack into %q: it is there already", out), "name a new folder")
	}
	run, err := Read(folder)
	if err != nil {
		return err
	}
	part := filepath.Clean(out) + ".part"
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o777)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(part)) }()
	p := packer{run: run, out: part, networks: networks}
	if err := p.write(); err != nil {
		return err
	}
	return os.Rename(part, out)
}

// packer writes a packed run.
type packer struct {
	run      Run
	out      string
	networks bool
	domain   configs.Domain
	config   configs.Run
}

func (p *packer) write() error {
	source, err := DomainOf(string(p.run.Folder))
	if err != nil {
		return err
	}
	domain, err := configs.OpenDomain(source)
	if err != nil {
		return err
	}
	if p.config, err = configs.OpenRun(p.run.Config(), nil); err != nil {
		return err
	}
	p.domain = *domain
	if err := p.copyNetworks(domain); err != nil {
		return err
	}
	if err := p.copyTexts(domain); err != nil {
		return err
	}
	p.domain.Mapper, p.domain.Prompts, p.config.Domain, p.config.Init = "", "", domainFile, ""
	for _, part := range []string{p.run.BestMapper(), p.run.Prompts()} {
		if err := copyInto(p.out, filepath.Base(part), part); err != nil {
			return err
		}
	}
	for name, value := range map[string]any{domainFile: p.domain, filepath.Base(p.run.Config()): p.config} {
		text, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		if err := files.WriteFile(filepath.Join(p.out, name), text, 0o666); err != nil {
			return err
		}
	}
	if err := p.writeList(); err != nil {
		return err
	}
	card, err := p.card()
	if err != nil {
		return err
	}
	return files.WriteFile(filepath.Join(p.out, cardFile), []byte(card), 0o666)
}

// copyNetworks copies networks that lie in folders of this machine, or refuses them. The others are within the program,
// or fetched.
func (p *packer) copyNetworks(d *configs.Domain) error {
	at := d.Locations()
	for _, n := range []struct {
		name, path string
		to         *string
	}{
		{"generator", at.Generator, &p.domain.Generator}, {"clip", at.CLIP, &p.domain.CLIP},
		{"classifier", at.Classifier, &p.domain.Classifier},
	} {
		if n.path == "" || strings.Contains(*n.to, ":") {
			continue
		}
		if !p.networks {
			return &Error{Code: LocalNetwork,
				Text: fmt.Sprintf("the %s of domain %s is a folder of this machine, %s", n.name, d.Name, n.path)}
		}
		if err := copyInto(p.out, n.name, n.path); err != nil {
			return err
		}
		*n.to = n.name
	}
	return nil
}

// copyTexts copies the test descriptions, unless they are within the program.
func (p *packer) copyTexts(d *configs.Domain) error {
	if d.Descriptions == "" || strings.Contains(d.Descriptions, ":") {
		return nil
	}
	name, raw, err := d.ReadDescriptions()
	if err != nil {
		return err
	}
	p.domain.Descriptions = "descriptions" + filepath.Ext(name)
	return files.WriteFile(filepath.Join(p.out, p.domain.Descriptions), raw, 0o666)
}

// copyInto copies a file, or the files of a folder, to a name in a folder.
func copyInto(folder, name, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(filepath.Join(folder, name), os.DirFS(from))
	}
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return files.WriteFile(filepath.Join(folder, name), raw, 0o666)
}

// writeList writes pack.json.
func (p *packer) writeList() error {
	list := pack{Format: packFormat}
	err := fs.WalkDir(os.DirFS(p.out), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		sum, err := checkpoints.SHA256OfFile(filepath.Join(p.out, path))
		list.Files = append(list.Files, packPart{Path: path, Size: sum.Size, SHA256: sum.SHA256})
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(list.Files, func(a, b packPart) int { return strings.Compare(a.Path, b.Path) })
	return jsonfile.Write(filepath.Join(p.out, packFile), list)
}

// figure is a metric as eval.json has it.
type figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Interval *struct {
		Low  float64 `json:"low"`
		High float64 `json:"high"`
	} `json:"interval"`
	N      int    `json:"n"`
	Better string `json:"better"`
	Caveat string `json:"caveat"`
}

// figures reads the run's evaluation; none where it has not been evaluated.
func (p *packer) figures() ([]figure, error) {
	path := filepath.Join(p.run.Evaluation(), "eval.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var result struct {
		Metrics []figure `json:"metrics"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &result)
	}
	if err != nil {
		return nil, &Error{Code: NoFigures, Text: fmt.Sprintf("read %s: %v", path, err), Folder: string(p.run.Folder),
			Err: err}
	}
	return result.Metrics, nil
}
