package checkpoints

import (
	"embed"
	"io/fs"
)

// embedded are the networks of three domains, and the CLIP that they share; the README.md of a folder says how they
// were made. Lorelei's own CLIP is its judge.
//
//go:embed chapel/generator chapel/classifier chapel/mapper
//go:embed lorelei/generator lorelei/classifier lorelei/mapper lorelei/clip
//go:embed whiskers/generator whiskers/classifier whiskers/mapper
//go:embed shared/clip
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
