package published

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/models/convert"
)

// Unreachable is the error of downloads that no source can serve.
type Unreachable struct {
	Missing []configs.Published // the networks that are neither there nor given by hand
	Err     error
}

func (e *Unreachable) Error() string { return e.Err.Error() }
func (e *Unreachable) Unwrap() error { return e.Err }

// without leaves out the networks that are given by hand.
func without(missing []configs.Published, byHand map[string]original) []configs.Published {
	return slices.DeleteFunc(missing, func(n configs.Published) bool { _, given := byHand[n.Network]; return given })
}

// matchByHand finds the network of each file or folder given by hand, and verifies it.
func matchByHand(networks []configs.Published, from []string) (map[string]original, error) {
	byHand := map[string]original{}
	for _, path := range from {
		kind, err := convert.Recognize(path)
		if err != nil {
			return nil, fmt.Errorf("from %q: %w", path, err)
		}
		family, _, _ := strings.Cut(string(kind), "/")
		network := map[string]string{"stylegan2": "generator", "clip": "clip"}[family]
		known := false
		for _, n := range networks {
			if n.Network != network {
				continue
			}
			known = true
			source, err := verifyByHand(n, path)
			if err != nil {
				return nil, fmt.Errorf("from %q: %w", path, err)
			}
			byHand[network] = original{path, source}
		}
		if !known {
			return nil, fault.Usage(fmt.Errorf("from %q is %s, which this domain does not fetch", path, kind),
				"give the generator's file or CLIP's folder")
		}
	}
	return byHand, nil
}

// verifyByHand returns the source that what stands at path is.
func verifyByHand(n configs.Published, path string) (configs.Source, error) {
	var differ []string
	folder := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		folder = filepath.Dir(path)
	}
	for _, source := range n.Sources {
		var err error
		for i, file := range source.Files {
			at := filepath.Join(folder, file.Name())
			if i == 0 && folder != path {
				at = path // under whatever name
			}
			if _, err = file.Check(at); err != nil {
				break
			}
		}
		if err == nil {
			return source, nil
		}
		differ = append(differ, fmt.Sprintf("it is not %s: %v", source.About, err))
	}
	return configs.Source{}, &OtherFiles{Path: path, Folder: n.Folder, Text: strings.Join(differ, "; ")}
}

// OtherFiles is the error of files given by hand that are none of the domain's.
type OtherFiles struct{ Path, Folder, Text string }

func (e *OtherFiles) Error() string { return e.Text }

// FilesToBring names the files of networks and the folders that they belong in.
func FilesToBring(networks []configs.Published) string {
	var all []string
	for _, n := range networks {
		var forms []string
		for _, source := range n.Sources {
			forms = append(forms, filesOf(source))
		}
		all = append(all, fmt.Sprintf("%s, into %s", strings.Join(forms, ", or "), downloads(n)))
	}
	return strings.Join(all, "; and ")
}

// filesOf names a source's files: a folder's by their names, others with what they must be.
func filesOf(s configs.Source) string {
	var names []string
	folder := s.Path("") == ""
	for _, f := range s.Files {
		if folder {
			names = append(names, f.Name())
			continue
		}
		size := ""
		if f.Size > 0 {
			size = fmt.Sprintf("%d bytes, ", f.Size)
		}
		names = append(names, fmt.Sprintf("%s (%s%s)", f.Address(), size, f.Known()))
	}
	list := names[len(names)-1]
	if len(names) > 1 {
		list = strings.Join(names[:len(names)-1], ", ") + " and " + list
	}
	if folder {
		list += " of " + strings.TrimSuffix(s.Files[0].Address(), "/"+names[0])
	}
	return list
}
