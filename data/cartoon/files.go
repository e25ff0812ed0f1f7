package cartoon

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"illustrator/data/pictures"
)

// Redrawn lists the picture files that RedrawFiles redrew.
type Redrawn struct {
	Style    string             `json:"style"`
	SHA256   string             `json:"sha256,omitempty"` // of a network
	Pictures []RedrawnFile      `json:"pictures"`
	Skipped  []pictures.Skipped `json:"skipped"`
}

// RedrawnFile is a picture file and the file of its drawing.
type RedrawnFile struct {
	Source string `json:"source"`
	File   string `json:"file"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// Files says how RedrawFiles redraws picture files.
type Files struct {
	Folder string // to write
	Scale  int
	// Meta is added to a drawing's metadata after that of its picture.
	Meta func(source string) []pictures.Meta
	// Progress is called with the number of finished files.
	Progress func(done int)
}

// RedrawFiles redraws picture files one by one, and skips those that cannot be read, as pictures.Each does.
func (s *Style) RedrawFiles(ctx context.Context, paths []string, f Files) (_ Redrawn, err error) {
	result := Redrawn{Style: s.Name, SHA256: s.SHA256, Pictures: []RedrawnFile{}}
	names := map[string]int{}
	redraw := func(ctx context.Context, path string) (*image.NRGBA, error) { return s.redrawFile(ctx, path, f.Scale) }
	result.Skipped, err = pictures.Each(ctx, paths, redraw, func(path string, drawing *image.NRGBA) error {
		file := filepath.Join(f.Folder, drawingName(names, path, s.Name)+".png")
		result.Pictures = append(result.Pictures, RedrawnFile{path, file, drawing.Rect.Dx(), drawing.Rect.Dy()})
		return f.write(file, path, drawing)
	}, f.Progress)
	return result, err
}

func (s *Style) redrawFile(ctx context.Context, path string, scale int) (*image.NRGBA, error) {
	img, err := pictures.ReadImage(ctx, path)
	if err != nil {
		return nil, err
	}
	return s.Draw(ctx, img, scale)
}

// write writes the drawing of the picture at source.
func (f Files) write(file, source string, drawing image.Image) error {
	if err := os.MkdirAll(f.Folder, 0o777); err != nil {
		return err
	}
	var meta []pictures.Meta
	if strings.EqualFold(filepath.Ext(source), ".png") {
		meta, _ = pictures.ReadPNGMeta(source) // a picture without readable texts is redrawn all the same
	}
	return pictures.WritePNG(file, drawing, append(meta, f.Meta(source)...))
}

// drawingName names a drawing after its picture and style. Pictures of one name, of several folders or kinds, get a
// number.
func drawingName(names map[string]int, path, style string) string {
	base := func(p string) string { return strings.TrimSuffix(filepath.Base(p), filepath.Ext(p)) }
	name := base(path) + "-" + base(style)
	names[name]++
	if n := names[name]; n > 1 {
		return fmt.Sprintf("%s-%d", name, n)
	}
	return name
}
