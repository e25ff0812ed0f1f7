package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/models/pipeline"
)

// Domain is a StyleGAN2 domain: its networks, prompts and test descriptions. Adding one takes a YAML file and no code.
type Domain struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	// Generator, CLIP, Classifier and Mapper are folders made by `illustrator convert` or `illustrator train`, relative
	// to the domain's file, or "embedded:…", or "weights:…" in the folder of fetched weights. Classifier and Mapper are
	// optional.
	Generator  string `yaml:"generator"`
	CLIP       string `yaml:"clip"`
	Classifier string `yaml:"classifier"`
	Mapper     string `yaml:"mapper"`
	// Judge is the folder of a second CLIP, which no mapper is trained with: studies measure similarity by it too.
	// Optional.
	Judge string `yaml:"judge,omitempty"`
	// TextPrompt is the most general description of the domain's pictures, such as "A church." (the prompt of eq. 2).
	TextPrompt string `yaml:"text_prompt"`
	// Prompts is the file of both prompts' embeddings that `illustrator prompt` writes, NAME.prompts.safetensors if it is
	// left out, or an image prompt of the official release.
	Prompts string `yaml:"prompts"`
	// Alpha is the strength by which a text's embedding is moved away from the prompt's (α of eq. 3): 1.75 in the release
	// for OpenAI's CLIP.
	Alpha float64 `yaml:"alpha"`
	// Descriptions is a file of texts to judge by, of a form that `illustrator generate --texts` reads. Optional.
	Descriptions string `yaml:"descriptions"`
	// Size, ZDim and EmbedDim say what the networks must have: picture size in pixels, widths of Z and of the embeddings.
	Size     int `yaml:"size"`
	ZDim     int `yaml:"z_dim"`
	EmbedDim int `yaml:"embed_dim"`
	// Sources are the places that `illustrator fetch` downloads the networks from: of several forms the first that can be
	// had.
	Sources Sources `yaml:"sources"`

	ref string // what OpenDomain was given
	dir string // of the domain's file, "" when it is embedded
}

// OpenDomain reads the domain at ref: the name of an embedded one or the path of a YAML file.
func OpenDomain(ref string) (*Domain, error) {
	f, err := open("domains", ref)
	if err != nil {
		return nil, err
	}
	d := &Domain{ref: ref, dir: f.dir, Alpha: missing}
	if err := decode(f, d); err != nil {
		return nil, err
	}
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return d, nil
}

// missing stands for a number that a file must give, and does not.
var missing = math.Inf(-1)

func noNetwork(field, network string) error {
	err := fault.Field(field, fault.Words("missing"), "the folder of a converted %s", network)
	return fault.WithCode(err, NoNetwork, field, network)
}

func (d *Domain) validate() error {
	switch {
	case d.Name == "":
		return fault.Field("name", fault.Words("missing"), "the domain's name")
	case d.Generator == "":
		return noNetwork("generator", "StyleGAN2")
	case d.CLIP == "":
		return noNetwork("clip", "CLIP")
	case strings.TrimSpace(d.TextPrompt) == "":
		return fault.Field("text_prompt", fault.Words("missing"),
			`a general description of the domain's pictures, such as "A church."`)
	case d.Alpha == missing:
		return fault.Field("alpha", fault.Words("missing"), "a number from 0 to %d (the release uses 1.75)",
			pipeline.MaxAlpha)
	}
	if err := checkAlpha("alpha", d.Alpha); err != nil {
		return err
	}
	return d.validateSources()
}

// checkAlpha returns an error unless alpha is a usable α of eq. 3. field names it in the message.
func checkAlpha(field string, alpha float64) error {
	if alpha >= 0 && alpha <= pipeline.MaxAlpha {
		return nil
	}
	return fault.Field(field, alpha, "from 0 to %d (the release uses 1.75)", pipeline.MaxAlpha)
}

// Locations returns where the domain's networks are, with paths as seen from the working directory.
func (d *Domain) Locations() pipeline.Locations {
	return pipeline.Locations{Generator: d.resolve(d.Generator), CLIP: d.resolve(d.CLIP),
		Classifier: d.resolve(d.Classifier)}
}

// MapperLocation returns where the domain's own mapper is, "" if it has none.
func (d *Domain) MapperLocation() string { return d.resolve(d.Mapper) }

// JudgeLocation returns where the CLIP is that judges studies, "" if the domain names none.
func (d *Domain) JudgeLocation() string { return d.resolve(d.Judge) }

// CheckNetworks compares the networks with the sizes that the domain declares.
func (d *Domain) CheckNetworks(n *pipeline.Networks) error {
	for _, c := range []struct {
		field     string
		want, got int
	}{
		{"size", d.Size, n.Generator.Size},
		{"z_dim", d.ZDim, n.Generator.StyleDim},
		{"embed_dim", d.EmbedDim, n.CLIP.ProjectionDim},
	} {
		if c.want != 0 && c.want != c.got {
			return fault.Usage(fmt.Errorf("domain %s: %s is %d, but its networks have %d", d.Name, c.field, c.want, c.got),
				"correct %s, or the paths of generator and clip", c.field)
		}
	}
	if n.Classifier != nil && n.Classifier.ImageSize != n.Generator.Size {
		return fault.Usage(fmt.Errorf("domain %s: the classifier sees pictures of %d pixels, but the generator's have %d",
			d.Name, n.Classifier.ImageSize, n.Generator.Size),
			"name a classifier of the generator's size, or none")
	}
	return nil
}

// PromptsPath returns the file of the prompts' embeddings, beside the domain's file unless `prompts` says otherwise. It
// is "" where that is within the program, which cannot be written to.
func (d *Domain) PromptsPath() string {
	if d.embeds(d.promptsName()) {
		return ""
	}
	return d.resolve(d.promptsName())
}

func (d *Domain) promptsName() string {
	if d.Prompts == "" {
		return d.Name + ".prompts.safetensors"
	}
	return d.Prompts
}

// ReadPrompts returns the bytes of the prompts' file and its name for messages.
func (d *Domain) ReadPrompts() (name string, data []byte, err error) {
	data, err = d.readFile(d.promptsName())
	if err != nil {
		err = fault.WithCode(fault.Hint(fmt.Errorf("domain %s has no prompts yet: %w", d.Name, err),
			"compute them, or use those of a run"), NoPrompts, d.Ref())
	}
	return d.promptsName(), data, err
}

// ReadDescriptions returns the bytes of the domain's test descriptions and the file's name.
func (d *Domain) ReadDescriptions() (name string, data []byte, err error) {
	if d.Descriptions == "" {
		err := fault.Usage(fmt.Errorf("domain %s has no descriptions", d.Name), "give texts")
		return "", nil, fault.WithCode(err, NoDescriptions)
	}
	data, err = d.readFile(d.Descriptions)
	return d.Descriptions, data, err
}

// EmbeddedDescriptions returns the texts that an embedded domain is judged by, and the file that holds them.
func EmbeddedDescriptions(name string) ([]texts.Text, []byte, error) {
	file := path.Join("domains", name, "descriptions.json")
	data, err := embedded.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("descriptions of domain %s: %w", name, err)
	}
	descriptions, err := texts.Parse(file, data)
	return descriptions, data, err
}

// embeddedPrefix begins the names of files and networks within the program.
const embeddedPrefix = "embedded:"

// embeds reports whether a file that the domain names is within the program.
func (d *Domain) embeds(name string) bool {
	return strings.HasPrefix(name, embeddedPrefix) || d.dir == "" && !strings.HasPrefix(name, weightsPrefix)
}

// MaxPromptFile is the most bytes of a file of prompts or descriptions.
const MaxPromptFile = 64 << 20

// readFile reads a file that the domain names, embedded or beside it.
func (d *Domain) readFile(name string) ([]byte, error) {
	if d.embeds(name) {
		return embedded.ReadFile(path.Join("domains", strings.TrimPrefix(name, embeddedPrefix)))
	}
	return files.ReadFile(d.resolve(name), MaxPromptFile)
}

func (d *Domain) resolve(p string) string {
	if name, ok := strings.CutPrefix(p, weightsPrefix); ok {
		return filepath.Join(WeightsFolder(), name)
	}
	if d.dir == "" || !isRelative(p) {
		return p
	}
	return filepath.Join(d.dir, p)
}

// checkPaths returns an error that names the first network or file beside the domain's file that does not exist: paths
// are relative to that file, so that a copy in another folder loses them.
func (d *Domain) checkPaths() error {
	for _, c := range []struct{ field, path string }{
		{"generator", d.Generator}, {"clip", d.CLIP}, {"classifier", d.Classifier}, {"mapper", d.Mapper},
		{"descriptions", d.Descriptions},
	} {
		if c.path == "" || strings.Contains(c.path, ":") || d.dir == "" {
			continue
		}
		if _, err := os.Stat(d.resolve(c.path)); errors.Is(err, fs.ErrNotExist) {
			return fault.Usage(fmt.Errorf("%s: %s: %q does not exist", d.ref, c.field, d.resolve(c.path)),
				"a domain's paths are relative to the folder of its file, %s: put the file back, or give %s an absolute path",
				d.dir, c.field)
		}
	}
	return nil
}

// Ref returns the name or the file that the domain was opened by.
func (d *Domain) Ref() string { return d.ref }

// DefaultDomain is the domain of commands that are given none.
const DefaultDomain = "lorelei"
