package pictures

import (
	"context"

	"illustrator/internal/fault"
)

// Find lists the picture files of sources, as Paths does, and reads the first, so that a caller notices a wrong one
// before it starts a device.
func Find(ctx context.Context, sources ...string) ([]string, error) {
	paths, err := Paths(sources...)
	if err == nil {
		_, err = Read(ctx, paths[0])
	}
	return paths, fault.Suggest(err, "give %s pictures, or a folder of them", Formats)
}
