package draw

import (
	"context"
	"image"
	"os"
	"path/filepath"

	"illustrator/data/cartoon"
	"illustrator/data/pictures"
	"illustrator/internal/version"
)

// Redraw redraws pictures in a style. Its zero value leaves pictures as they are.
type Redraw struct {
	Style *cartoon.Style
	Scale int // enlarges by this number
	// KeepPlain has File write pictures as they were too, into the folder plain.
	KeepPlain bool
}

// image redraws a picture.
func (r Redraw) image(ctx context.Context, img image.Image) (image.Image, error) {
	if r.Style == nil {
		return img, nil
	}
	return r.Style.Draw(ctx, img, r.Scale)
}

// Images redraws pictures in place.
func (r Redraw) Images(ctx context.Context, images []image.Image) (err error) {
	for i := range images {
		if images[i], err = r.image(ctx, images[i]); err != nil {
			return err
		}
	}
	return nil
}

// File redraws the picture called name of a folder.
func (r Redraw) File(ctx context.Context, folder, name string, img image.Image) (image.Image, error) {
	if r.Style != nil && r.KeepPlain {
		plain := filepath.Join(folder, "plain")
		if err := os.MkdirAll(plain, 0o777); err != nil {
			return nil, err
		}
		meta := []pictures.Meta{{Key: "Software", Value: version.Program()}}
		if err := pictures.WritePNG(filepath.Join(plain, name+".png"), img, meta); err != nil {
			return nil, err
		}
	}
	return r.image(ctx, img)
}

// Record names the style; it is empty where there is none.
func (r Redraw) Record() Cartoon {
	if r.Style == nil {
		return Cartoon{}
	}
	return Cartoon{Style: r.Style.Name, SHA256: r.Style.SHA256}
}
