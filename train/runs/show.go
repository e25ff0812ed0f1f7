package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"illustrator/configs"
	"illustrator/internal/yamlfile"
	"illustrator/train"
)

// details are the facts about a run beside its run.json.
type details struct {
	// settings lists the settings that differ from the paper's, in words.
	settings []string
	// step and validation are the last lines of metrics.jsonl that have losses; nil where there is none.
	step, validation *train.Line
	files            []file
}

// file is an entry of a run's folder.
type file struct {
	name   string
	folder bool
	files  int // in a folder
	bytes  int64
}

// details reads the details of a run.
func (r Run) details() (d details, err error) {
	settings, err := unlikePaper(r.Config())
	if err != nil {
		return d, err
	}
	for _, s := range settings {
		resolve(s, []Run{r})
	}
	d.settings = inWords(settings)
	lines, err := readMetrics(r.Folder)
	if err != nil {
		return d, err
	}
	for i := range lines {
		if lines[i].Losses != nil {
			d.step = &lines[i]
		}
		if lines[i].Validation != nil {
			d.validation = &lines[i]
		}
	}
	entries, err := os.ReadDir(string(r.Folder))
	for _, e := range entries {
		files, bytes := sizeOf(filepath.Join(string(r.Folder), e.Name()))
		d.files = append(d.files, file{e.Name(), e.IsDir(), files, bytes})
	}
	return d, err
}

// unlikePaper returns the settings of a run's file that differ from the paper's, which are the second values.
func unlikePaper(file string) ([]configs.Setting, error) {
	text, err := yamlfile.Read(file)
	if err != nil {
		return nil, notARun(err)
	}
	paper, err := configs.Paper().YAML()
	if err != nil {
		return nil, err
	}
	settings, err := configs.Settings(text, paper)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return slices.DeleteFunc(settings, func(s configs.Setting) bool { return !s.Differ() }), nil
}

// inWords lists settings that unlikePaper returned.
func inWords(settings []configs.Setting) []string {
	if len(settings) == 0 {
		return []string{"the paper's"}
	}
	var lines []string
	for _, s := range settings {
		switch {
		case s.Values[0] == "":
			lines = append(lines, fmt.Sprintf("no %s (paper: %s)", s.Key, s.Values[1]))
		case s.Values[1] == "":
			lines = append(lines, fmt.Sprintf("%s %s", s.Key, s.Values[0]))
		default:
			lines = append(lines, fmt.Sprintf("%s %s (paper: %s)", s.Key, s.Values[0], s.Values[1]))
		}
	}
	return lines
}

// sizeOf counts the files at and below path, and their bytes, leaving out files that cannot be read.
func sizeOf(path string) (files int, bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				files, bytes = files+1, bytes+info.Size()
			}
		}
		return nil
	})
	return files, bytes
}
