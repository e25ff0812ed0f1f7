package pictures

import (
	"context"

	"illustrator/internal/fault"
)

// Find lists the picture files of sources, as Paths does, and reads them up to the first that can be read, so that a
// caller that leaves others out notices before it starts a device whether there is one.
func Find(ctx context.Context, sources ...string) ([]string, error) {
	paths, err := Paths(sources...)
	if err == nil {
		err = anyReadable(ctx, paths)
	}
	return paths, fault.Suggest(err, "give %s pictures, or a folder of them", Formats)
}

func anyReadable(ctx context.Context, paths []string) (err error) {
	for _, path := range paths {
		if _, err = ReadImage(ctx, path); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return noneOf(paths, err)
}
