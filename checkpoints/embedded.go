package checkpoints

import (
	"embed"
	"io/fs"
)

// embedded are the networks of the domain Lorelei; lorelei/README.md says how they were made.
//
//go:embed lorelei/generator lorelei/clip lorelei/classifier lorelei/mapper
var embedded embed.FS

// Embedded returns the locations of the weights within the program, as Open takes them.
func Embedded() []string {
	var locations []string
	// The walk is over files of the program: it cannot fail.
	_ = fs.WalkDir(embedded, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == WeightsFile {
			locations = append(locations, EmbeddedPrefix+path[:len(path)-len("/"+WeightsFile)])
		}
		return err
	})
	return locations
}
