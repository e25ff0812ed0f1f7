package eval

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// caption holds the record beside a picture.
type caption struct {
	Text       string              `json:"text"`
	Kind       string              `json:"kind"`
	Attributes map[string][]string `json:"attributes"`
	Seed       uint64              `json:"seed"`
	Domain     string              `json:"domain"`
	Networks   map[string]string   `json:"networks_sha256"`
}

// ReadFolder finds the pictures in a folder and their texts. given are the texts: paired by the files that they name
// or, where they name none, one a picture in the natural order of the files' names. Without any, the text and the seed
// are those in the JSON beside a picture or in a PNG's metadata, as `illustrator generate` writes them. A text without
// labels has those of the same text in known. pairing says how given texts were paired.
//
// Pictures whose header cannot be read, that have no text, or that have another size than most, are marked to be
// skipped. The grid among the pictures of `illustrator generate` is none of them.
func ReadFolder(folder string, given, known []texts.Text) (of []texts.Text, files []File, pairing string, err error) {
	paths, err := pictures.Paths(folder)
	if err != nil {
		return nil, nil, "", fault.Suggest(err, "give the folder of a run, or a folder of %s pictures", pictures.Formats)
	}
	if _, err := os.Stat(filepath.Join(folder, "summary.json")); err == nil {
		paths = slices.DeleteFunc(paths, func(p string) bool { return filepath.Base(p) == "grid.png" })
	}
	p, err := pair(folder, paths, given)
	if err != nil {
		return nil, nil, "", err
	}
	labels := map[string]texts.Text{}
	for _, t := range known {
		labels[t.Text] = t
	}
	c := collection{copies: map[string][]int{}, taken: map[place]bool{}}
	for i, path := range paths {
		about, err := readCaption(path)
		file := File{Path: path, Seed: about.Seed, Domain: about.Domain, Generator: about.Networks["generator"]}
		if len(given) > 0 {
			if file.Seed = 0; p.text[i] < 0 {
				c.files = append(c.files, File{Path: path, Skip: "no text names it"})
			} else {
				c.add(file, given[p.text[i]], false)
			}
			continue
		}
		if err != nil {
			c.files = append(c.files, File{Path: path, Skip: err.Error()})
			continue
		}
		text := texts.Text{Text: about.Text, Kind: about.Kind, Attributes: about.Attributes}
		if label, ok := labels[text.Text]; ok && len(text.Attributes) == 0 {
			text = label
		}
		c.add(file, text, true)
	}
	if len(c.texts) == 0 && len(c.files) > 0 {
		err := fault.Usage(fmt.Errorf("no picture in %s has a text: %s: %s", folder,
			filepath.Base(c.files[0].Path), c.files[0].Skip),
			"give one text per picture in the natural order of the files' names, or with a column `file` of names")
		return nil, nil, "", fault.WithCode(err, NoCaptions)
	}
	markSizes(c.files)
	// so that those of one text meet
	slices.SortStableFunc(c.files, func(a, b File) int { return cmp.Compare(a.Text, b.Text) })
	return c.texts, c.files, p.note, nil
}

// collection gathers texts and files; pictures of one text share it.
type collection struct {
	texts  []texts.Text
	files  []File
	copies map[string][]int // places of a text: further ones where a seed has several pictures
	taken  map[place]bool
}

type place struct {
	text int
	seed uint64
}

// add adds a picture; without a seed of its own its number among those of its text stands for one.
func (c *collection) add(file File, text texts.Text, seeded bool) {
	for _, file.Text = range c.copies[text.Text] {
		for !seeded && c.taken[place{file.Text, file.Seed}] {
			file.Seed++
		}
		if !c.taken[place{file.Text, file.Seed}] {
			c.keep(file)
			return
		}
	}
	file.Text = len(c.texts)
	c.texts, c.copies[text.Text] = append(c.texts, text), append(c.copies[text.Text], file.Text)
	c.keep(file)
}

func (c *collection) keep(file File) {
	c.taken[place{file.Text, file.Seed}] = true
	c.files = append(c.files, file)
}

// readCaption reads what is known of a picture: from the JSON beside it, or else from a PNG's metadata. It has a text.
func readCaption(path string) (c caption, err error) {
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + ".json"
	raw, err := files.ReadFile(beside, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return readMeta(path)
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("%s: %w", beside, err)
	}
	text, err := texts.New(c.Text)
	if err != nil {
		return c, fmt.Errorf("%s: %w", beside, err)
	}
	c.Text = text.Text
	return c, nil
}

// readMeta reads a PNG's metadata.
func readMeta(path string) (c caption, err error) {
	var meta []pictures.Meta
	if strings.EqualFold(filepath.Ext(path), ".png") {
		if meta, err = pictures.ReadPNGMeta(path); err != nil {
			return c, err
		}
	}
	for _, m := range meta {
		switch m.Key {
		case "Description":
			text, err := texts.New(m.Value)
			if err != nil {
				return c, err
			}
			c.Text = text.Text
		case "Seed":
			if c.Seed, err = strconv.ParseUint(m.Value, 10, 64); err != nil {
				return c, fmt.Errorf("its seed is %q", m.Value)
			}
		case "Domain":
			c.Domain = m.Value
		case "generator-SHA256":
			c.Networks = map[string]string{"generator": m.Value}
		}
	}
	if c.Text == "" {
		return c, errors.New("it has no text: neither a JSON beside it nor a Description in its metadata")
	}
	return c, nil
}

// markSizes marks the pictures that have another size than most, and those whose header cannot be read.
func markSizes(files []File) {
	sizes, count := make([]image.Point, len(files)), map[image.Point]int{}
	var most image.Point
	for i := range files {
		if files[i].Skip != "" {
			continue
		}
		size, err := pictures.Size(files[i].Path)
		if err != nil {
			files[i].Skip = err.Error()
			continue
		}
		sizes[i] = size
		if count[size]++; count[size] > count[most] {
			most = size
		}
	}
	for i := range files {
		if files[i].Skip == "" && sizes[i] != most {
			files[i].Skip = fmt.Sprintf("it has %d×%d pixels, most have %d×%d", sizes[i].X, sizes[i].Y, most.X, most.Y)
		}
	}
}
