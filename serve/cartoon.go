package serve

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/data/cartoon"
	"illustrator/internal/fault"

	"github.com/gomlx/compute"
)

// drawnSide is about how many pixels a side of a redrawn picture has: lines and dots need some room.
const drawnSide = 512

// Style is a network that redraws pictures, under the name that requests choose it by.
type Style struct {
	cartoon.Info
	*cartoon.Style
}

// OpenStyles opens the networks of the flag --cartoon-style, which run on a backend.
func OpenStyles(paths []string, backend func() (compute.Backend, error)) (styles []Style, err error) {
	names := map[string]bool{}
	for _, name := range cartoon.Names() {
		names[name] = true
	}
	for _, path := range paths {
		if ext := strings.ToLower(filepath.Ext(path)); ext != ".yaml" && ext != ".yml" {
			return nil, fault.Usage(fmt.Errorf("--cartoon-style %q is no .yaml file", path),
				"give the file that describes a network; the styles %s are there already", strings.Join(cartoon.Names(), ", "))
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if names[name] {
			return nil, fault.Usage(fmt.Errorf("--cartoon-style %q: there is a style %q already", path, name),
				"rename the file: its name is the style's")
		}
		style, err := cartoon.Open(path, backend)
		if err != nil {
			return nil, fmt.Errorf("--cartoon-style: %w", err)
		}
		names[name] = true
		styles = append(styles,
			Style{Info: cartoon.Info{Name: name, Description: "the network of " + filepath.Base(path)}, Style: style})
	}
	return styles, nil
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
func (s *studio) warmUpStyles(ctx context.Context) error {
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
