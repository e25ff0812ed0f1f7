package serve

import (
	"context"
	"fmt"
	"image"
	"slices"

	"illustrator/data/cartoon"
)

// drawnSide is about how many pixels a side of a redrawn picture has: lines and dots need some room.
const drawnSide = 512

// Style is a network that redraws pictures, under the name that requests choose it by.
type Style struct {
	cartoon.Info
	*cartoon.Style
}

// cartoons are the styles that a request may name.
func (s *Server) cartoons() []cartoon.Info {
	styles := cartoon.Styles()
	for _, own := range s.Styles {
		styles = append(styles, own.Info)
	}
	return styles
}

// openCartoon returns the style called name, nil for "".
func (s *Server) openCartoon(name string) (*cartoon.Style, error) {
	if name == "" {
		return nil, nil
	}
	if i := slices.IndexFunc(s.Styles, func(own Style) bool { return own.Info.Name == name }); i >= 0 {
		return s.Styles[i].Style, nil
	}
	// Beside them only the classical ones: another name would be the path of a file.
	if _, err := cartoon.Classical(name); err != nil {
		return nil, problemOf(err).at("cartoon")
	}
	return cartoon.Open(name, nil)
}

// scale is the factor that pictures of the given width are redrawn at.
func scale(width int) int { return min(max(drawnSide/width, 1), cartoon.MaxScale) }

func redraw(ctx context.Context, style *cartoon.Style, img image.Image) (image.Image, error) {
	if style == nil {
		return img, nil
	}
	return style.Draw(ctx, img, scale(img.Bounds().Dx()))
}

// warmUpStyles compiles the networks of styles, so that no request waits for it and one that cannot be run is no
// surprise.
func (s *Server) warmUpStyles(ctx context.Context) error {
	size := s.Models[0].Generator.Size
	for _, own := range s.Styles {
		if _, err := redraw(ctx, own.Style, image.NewGray(image.Rect(0, 0, size, size))); err != nil {
			return fmt.Errorf("style %s: %w", own.Info.Name, err)
		}
	}
	return nil
}

// sha256Of identifies a style's network; "" where it has none.
func sha256Of(style *cartoon.Style) string {
	if style == nil {
		return ""
	}
	return style.SHA256
}
