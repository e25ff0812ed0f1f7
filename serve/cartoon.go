package serve

import (
	"context"
	"image"
	"slices"

	"illustrator/data/cartoon"
)

// drawnSide is about how many pixels a side of a redrawn picture has: lines and dots need some room.
const drawnSide = 512

// cartoons are the styles that a request may name.
func cartoons() []cartoon.Info { return cartoon.Styles() }

// openCartoon returns the style called name, nil for "".
func openCartoon(name string) (*cartoon.Style, error) {
	if name == "" {
		return nil, nil
	}
	// Only the classical ones: another name would be the path of a file.
	if !slices.ContainsFunc(cartoons(), func(i cartoon.Info) bool { return i.Name == name }) {
		_, err := cartoon.Classical(name)
		return nil, problemOf(err).at("cartoon")
	}
	return cartoon.Open(name, nil)
}

func redraw(ctx context.Context, style *cartoon.Style, img image.Image) (image.Image, error) {
	return style.Draw(ctx, img, min(max(drawnSide/img.Bounds().Dx(), 1), cartoon.MaxScale))
}
