package raters

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"os"
	"path/filepath"

	"illustrator/checkpoints"
	"illustrator/data/pictures"
	"illustrator/internal/files"
)

// pictureFolder is in that of the pages.
const pictureFolder = "pictures"

// copies writes pictures for raters: without metadata, under names that say nothing.
type copies struct {
	ctx    context.Context
	folder string
	known  map[Picture]string // files, by where they are from
	bytes  int64
}

// add copies the pictures of items, and enters their files. It reports whether two pictures of one item are identical.
func (c *copies) add(items []Item) (identical bool, err error) {
	for _, item := range items {
		for i, p := range item.Pictures {
			if item.Pictures[i].File, err = c.copy(p); err != nil {
				return false, err
			}
		}
		if len(item.Pictures) == 2 && item.Pictures[0].File == item.Pictures[1].File {
			identical = true
		}
	}
	return identical, nil
}

func (c *copies) copy(p Picture) (string, error) {
	from := Picture{Source: p.Source, Mosaic: p.Mosaic}
	if name, known := c.known[from]; known {
		return name, nil
	}
	img, err := pictures.ReadImage(c.ctx, p.Source)
	if err != nil {
		return "", err
	}
	if p.Mosaic {
		img = mosaic(img)
	}
	file, err := pictures.EncodePNG(img, nil)
	if err != nil {
		return "", fmt.Errorf("copy %q: %w", p.Source, err)
	}
	name := checkpoints.SHA256(append(fmt.Appendln(nil, img.Rect), img.Pix...))[:16] + ".png"
	c.known[from] = name
	c.bytes += int64(len(file))
	path := filepath.Join(c.folder, name)
	if _, err := os.Stat(path); err == nil {
		return name, nil
	}
	return name, files.WriteFile(path, file, 0o666)
}

// mosaicSquares are the squares along the shorter side of a mosaic.
const mosaicSquares = 8

// mosaic gives each square of a picture the colour of its middle.
func mosaic(img *image.NRGBA) *image.NRGBA {
	b := img.Bounds()
	side := max(1, min(b.Dx(), b.Dy())/mosaicSquares)
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := 0; y < b.Dy(); y += side {
		for x := 0; x < b.Dx(); x += side {
			square := image.Rect(x, y, x+side, y+side).Intersect(out.Bounds())
			middle := img.At(b.Min.X+(square.Min.X+square.Max.X)/2, b.Min.Y+(square.Min.Y+square.Max.Y)/2)
			draw.Draw(out, square, image.NewUniform(middle), image.Point{}, draw.Src)
		}
	}
	return out
}
