package eval

import (
	"fmt"
	"path/filepath"
	"strings"

	"illustrator/data/texts"
	"illustrator/internal/fault"
)

// pairing says which of given texts each picture has.
type pairing struct {
	text []int // places; -1 where no text names the picture
	note string
}

// pair pairs pictures, in natural order, with texts: by the names of files that texts give, else in order.
func pair(folder string, paths []string, given []texts.Text) (p pairing, err error) {
	if len(given) == 0 {
		return p, nil
	}
	named := 0
	for _, t := range given {
		if t.File != "" {
			named++
		}
	}
	switch {
	case named == len(given):
		return pairByName(folder, paths, given)
	case named > 0:
		return p, fault.Usage(fmt.Errorf("%d of %d texts name no file", len(given)-named, len(given)),
			"give every text the name of its picture, or none")
	case len(given) != len(paths):
		return p, fault.Usage(fmt.Errorf("%d texts are given for the %d pictures in %s", len(given), len(paths), folder),
			"give one text a picture, in the natural order of the files' names (1, 2, 10), or name the files in a "+
				"column `file`")
	}
	for i := range paths {
		p.text = append(p.text, i)
	}
	last := len(paths) - 1
	p.note = fmt.Sprintf("%d pictures are paired with %d texts in the natural order of names: %s with %q, …, %s with %q",
		len(paths), len(given), filepath.Base(paths[0]), given[0].Text, filepath.Base(paths[last]), given[last].Text)
	return p, nil
}

// base returns the name of a file without its folder, of Windows too.
func base(path string) string {
	return filepath.Base(strings.ReplaceAll(path, "\\", "/"))
}

func withoutEnding(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// pairByName pairs by the names of files, with or without their endings. Of several texts of a picture the first
// counts.
func pairByName(folder string, paths []string, given []texts.Text) (p pairing, err error) {
	exact, loose, further := map[string]int{}, map[string]int{}, 0
	for i, t := range given {
		name := base(t.File)
		if _, known := exact[name]; known {
			further++
			continue
		}
		exact[name] = i
		if _, known := loose[withoutEnding(name)]; !known {
			loose[withoutEnding(name)] = i
		}
	}
	used, paired := map[int]bool{}, 0
	for _, path := range paths {
		at, ok := exact[base(path)]
		if !ok {
			at, ok = loose[withoutEnding(base(path))]
		}
		if !ok {
			p.text = append(p.text, -1)
			continue
		}
		used[at] = true
		paired++
		p.text = append(p.text, at)
	}
	if paired == 0 {
		return p, fault.Usage(fmt.Errorf("none of the %d texts names a picture in %s: the first names %q", len(given), folder,
			given[0].File),
			"name the files as they are called in the folder")
	}
	p.note = fmt.Sprintf("%d of %d pictures are paired with texts by name", paired, len(paths))
	if rest := len(given) - further - len(used); rest > 0 {
		p.note += fmt.Sprintf("; %d texts have no picture", rest)
	}
	if further > 0 {
		p.note += fmt.Sprintf("; %d further texts of the same pictures are not used", further)
	}
	return p, nil
}
