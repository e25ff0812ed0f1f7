package edit

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
)

// ReadSource reads a source as a user names it: a text, "seed:N" or a picture file, which is read at once.
func ReadSource(ctx context.Context, name string) (s draw.Source, err error) {
	if kind, number, ok := strings.Cut(name, ":"); ok && strings.EqualFold(kind, "seed") {
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return s, fault.Usage(fmt.Errorf("%q: %q is not a seed", name, number),
				"write seed: and a whole number of at least 0, such as seed:7")
		}
		return draw.Source{Seed: &seed}, nil
	}
	if pictures.Named(name) {
		s.Image, err = pictures.ReadImage(ctx, name)
		return s, fault.Suggest(err, "give a %s picture, a text, or seed:N", pictures.Formats)
	}
	text, err := texts.New(name)
	s.Text = &text
	return s, err
}
