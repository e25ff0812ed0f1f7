package studies

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"illustrator/eval/raters"
	"illustrator/internal/fault"
)

// Sources returns what raters may compare: each folder of pictures is a system, and each variant of a study's folder,
// with the pictures that its report shows.
func Sources(folders []string) (all []raters.Source, err error) {
	var plain []string
	for _, folder := range folders {
		cells, err := os.ReadDir(filepath.Join(folder, "cells"))
		if errors.Is(err, fs.ErrNotExist) {
			plain = append(plain, folder)
			continue
		}
		if err != nil {
			return nil, err
		}
		before := len(all)
		for _, c := range cells {
			if all, err = addCell(all, filepath.Join(folder, "cells", c.Name())); err != nil {
				return nil, err
			}
		}
		if len(all) == before {
			return nil, fault.Usage(fmt.Errorf("the study in %q has no pictures", folder),
				"its YAML file names the texts to draw under `show`")
		}
	}
	return append(all, raters.Sources(plain)...), nil
}

// addCell adds a cell's pictures to its variant.
func addCell(all []raters.Source, folder string) ([]raters.Source, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "cell.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	var info cellInfo
	if err == nil {
		err = json.Unmarshal(raw, &info)
	}
	pictures := filepath.Join(folder, "pictures")
	if err != nil || !info.Done {
		return all, err
	}
	if shown, err := os.ReadDir(pictures); err != nil || len(shown) == 0 {
		return all, err
	}
	at := slices.IndexFunc(all, func(s raters.Source) bool { return s.Name == info.Variant })
	if at < 0 {
		at, all = len(all), append(all, raters.Source{Name: info.Variant})
	}
	all[at].Folders = append(all[at].Folders, pictures)
	return all, nil
}
