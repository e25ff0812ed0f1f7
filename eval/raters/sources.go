package raters

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"illustrator/eval"
	"illustrator/internal/fault"
)

// Source is a system and the folders of its pictures, each picture with its text in a record beside it or in its
// metadata.
type Source struct {
	Name    string
	Folders []string
}

// Sources are those of folders of pictures, by the shortest names that tell them apart.
func Sources(folders []string) []Source {
	names := map[string]int{}
	for _, f := range folders {
		names[filepath.Base(f)]++
	}
	var all []Source
	for _, f := range folders {
		name := filepath.Base(f)
		if names[name] > 1 {
			name = filepath.ToSlash(filepath.Clean(f))
		}
		all = append(all, Source{name, []string{f}})
	}
	return all
}

// collection holds the paths of pictures: byText[text][system] in the order of their seeds.
type collection struct {
	systems []string
	byText  map[string][][]string
	counts  []SystemCount
}

// SystemCount says what a system brings.
type SystemCount struct {
	Name     string `json:"name"`
	Pictures int    `json:"pictures"`
	Texts    int    `json:"texts"`
	Skipped  int    `json:"skipped,omitempty"` // pictures without a text, unreadable ones, and those of another size
}

func collect(sources []Source) (*collection, error) {
	if len(sources) < 2 {
		return nil, fault.Usage(fmt.Errorf("%d systems cannot be compared", len(sources)),
			"name two folders of pictures or more")
	}
	c := &collection{byText: map[string][][]string{}}
	for system, source := range sources {
		if slices.Contains(c.systems, source.Name) {
			return nil, fault.Usage(fmt.Errorf("the system %q is named more than once", source.Name), "name it once")
		}
		c.systems = append(c.systems, source.Name)
		count, err := c.add(system, len(sources), source)
		if err != nil {
			return nil, err
		}
		c.counts = append(c.counts, count)
	}
	return c, nil
}

func (c *collection) add(system, systems int, source Source) (SystemCount, error) {
	count := SystemCount{Name: source.Name}
	for _, folder := range source.Folders {
		of, pictures, _, err := eval.ReadFolder(folder, nil, nil)
		if err != nil {
			return count, err
		}
		slices.SortStableFunc(pictures, func(a, b eval.File) int { return cmp.Compare(a.Seed, b.Seed) })
		for _, p := range pictures {
			if p.Skip != "" {
				count.Skipped++
				continue
			}
			text := of[p.Text].Text
			if c.byText[text] == nil {
				c.byText[text] = make([][]string, systems)
			}
			if len(c.byText[text][system]) == 0 {
				count.Texts++
			}
			c.byText[text][system] = append(c.byText[text][system], filepath.ToSlash(p.Path))
			count.Pictures++
		}
	}
	return count, nil
}

// shared lists the texts, in order, that two systems or, where all must, all systems have.
func (c *collection) shared(all bool) (texts []string) {
	for _, text := range slices.Sorted(maps.Keys(c.byText)) {
		have := 0
		for _, pictures := range c.byText[text] {
			if len(pictures) > 0 {
				have++
			}
		}
		if have == len(c.systems) || have > 1 && !all {
			texts = append(texts, text)
		}
	}
	return texts
}
