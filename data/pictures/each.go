package pictures

import (
	"context"
	"fmt"
	"log/slog"

	"illustrator/internal/fault"
)

// Skipped is a picture file that was left out.
type Skipped struct {
	Source string `json:"source"`
	Error  string `json:"error"`
}

// Each reads picture files one by one, since many do not fit in memory: use gets what read makes of each. Files that
// read refuses are logged and returned, unless there is one file only, or no other; an error of use ends the reading.
// progress is called with the number of finished files.
func Each[T any](ctx context.Context, paths []string, read func(ctx context.Context, path string) (T, error),
	use func(path string, picture T) error, progress func(done int)) (skipped []Skipped, err error) {
	skipped = []Skipped{}
	for i, path := range paths {
		picture, refused := read(ctx, path)
		switch {
		case ctx.Err() != nil:
			return skipped, context.Cause(ctx)
		case refused == nil:
			if err := use(path, picture); err != nil {
				return skipped, err
			}
		default:
			if skipped = append(skipped, Skipped{path, refused.Error()}); len(skipped) == len(paths) {
				return skipped, noneOf(paths, refused)
			}
			slog.Warn("left out: " + refused.Error())
		}
		progress(i + 1)
	}
	return skipped, nil
}

// Partial returns the error of work that read pictures and left others out; nil if it left none out.
func Partial(read int, skipped []Skipped) error {
	if len(skipped) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d pictures: %w", read, read+len(skipped), fault.ErrPartial)
}

// noneOf is the error of pictures of which none can be read; last is that of the last one.
func noneOf(paths []string, last error) error {
	if len(paths) == 1 {
		return last
	}
	return fmt.Errorf("none of %d pictures can be read; the last: %w", len(paths), last)
}
