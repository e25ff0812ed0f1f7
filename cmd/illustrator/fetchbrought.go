package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/models/convert"
)

// missing are the networks that are neither there nor brought by hand.
func missing(networks []configs.Published, brought map[string]original) []configs.Published {
	var all []configs.Published
	for _, n := range networks {
		if _, ok := brought[n.Network]; !ok && !n.There() {
			all = append(all, n)
		}
	}
	return all
}

// hintToBring says which files to bring by hand and where to put them, after what the server's answer suggests.
func hintToBring(networks []configs.Published, ref, first string) string {
	var b strings.Builder
	if first != "" {
		fmt.Fprintf(&b, "%s; ", first)
	}
	b.WriteString("without a network, bring by hand")
	command := fmt.Sprintf("illustrator fetch %s --accept-license", ref)
	for i, n := range networks {
		if i > 0 {
			b.WriteString("; and")
		}
		for k, source := range n.Sources {
			if k > 0 {
				b.WriteString(", or")
			}
			fmt.Fprintf(&b, " %s", filesOf(source))
		}
		fmt.Fprintf(&b, ", into %s", downloads(n))
		command += " --from " + map[bool]string{true: "FOLDER", false: "FILE"}[n.Sources[0].Path("") == ""]
	}
	fmt.Fprintf(&b, ", and run the same command again; from other places `%s` takes them", command)
	return b.String()
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

// matchBrought finds the network that each file or folder brought by hand is, and verifies it.
func matchBrought(networks []configs.Published, from []string) (map[string]original, error) {
	brought := map[string]original{}
	for _, path := range from {
		kind, err := convert.Recognize(path)
		if err != nil {
			return nil, fmt.Errorf("--from %q: %w", path, err)
		}
		family, _, _ := strings.Cut(string(kind), "/")
		network := map[string]string{"stylegan2": "generator", "clip": "clip"}[family]
		found := false
		for _, n := range networks {
			if n.Network != network {
				continue
			}
			found = true
			source, err := verifyBrought(n, path)
			if err != nil {
				return nil, fmt.Errorf("--from %q: %w", path, err)
			}
			brought[network] = original{path, source}
		}
		if !found {
			return nil, fault.Usage(fmt.Errorf("--from %q is %s, which this domain does not fetch", path, kind), "give the generator's file or CLIP's folder")
		}
	}
	return brought, nil
}

// verifyBrought returns the source that what stands at path is.
func verifyBrought(n configs.Published, path string) (configs.Source, error) {
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
	return configs.Source{}, fault.Hint(errors.New(strings.Join(differ, "; ")),
		"bring one of the files that the domain names; other weights become a domain of their own with `illustrator convert` and a YAML file, or, unverified, this one's: `illustrator convert %s --out %s`", path, n.Folder)
}
