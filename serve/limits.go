package serve

import (
	"errors"
	"fmt"
	"slices"

	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/serve/connections"
	"illustrator/serve/gallery"
)

// Limits bound what a request may ask for and what the server holds.
type Limits struct {
	Text         int   // characters of a description
	Story        int   // characters of a story
	Pictures     int   // that one request draws of a run
	BestOf       int   // candidates that a picture is chosen from
	Refine       int   // steps that a picture is refined by; 0 compiles no program for it
	Waiting      int   // pictures that wait for the device
	Shapes       []int // batch sizes that programs are compiled for, ascending
	UploadBytes  int64
	UploadPixels int
	Gallery      gallery.Limits
	Connections  connections.Limits
}

// DefaultLimits are those of `illustrator serve`.
func DefaultLimits() Limits {
	return Limits{
		Text: 500, Story: 20_000, Pictures: 32, BestOf: 16, Refine: 50, Waiting: 256, Shapes: []int{1, 2, 4, 8, 16},
		UploadBytes: 8 << 20, UploadPixels: 1 << 24,
		Gallery:     gallery.Limits{Pictures: 2000, Bytes: 256 << 20},
		Connections: connections.DefaultLimits(),
	}
}

// maxBatch is the pipeline's own largest batch.
const maxBatch = 32

// Check refuses numbers that no server of a number of runs can have, by the names of the flags. It sets Shapes to those
// of batches of at most batch pictures.
func (l *Limits) Check(batch, runs int) error {
	for _, f := range []struct {
		name        string
		value, most int64
	}{
		{"batch", int64(batch), maxBatch}, {"max-pictures", int64(l.Pictures), 1000}, {"queue", int64(l.Waiting), 100_000},
		{"gallery-pictures", int64(l.Gallery.Pictures), 100_000}, {"gallery-bytes", l.Gallery.Bytes, 1 << 50},
		{"max-text", int64(l.Text), 2000}, {"max-upload", l.UploadBytes, 1 << 30}, {"max-best-of", int64(l.BestOf), 1000},
		{"max-connections", int64(l.Connections.All), 1_000_000},
	} {
		if f.value < 1 || f.value > f.most {
			return fault.Field("--"+f.name, f.value, "from 1 to %d", f.most)
		}
	}
	if n := l.Connections.PerAddress; n < 0 {
		return fault.Field("--max-connections-per-address", n, "0 (no bound) or more")
	}
	if most := draw.DefaultLimits().Refine; l.Refine < 0 || l.Refine > most {
		return fault.Field("--max-refine", l.Refine, "from 0 (no refinements) to %d", most)
	}
	if l.Waiting < l.Pictures*max(1, runs) {
		return fault.Usage(fmt.Errorf("--queue %d holds less than --max-pictures %d of each run", l.Waiting, l.Pictures),
			"let the queue hold the largest request")
	}
	l.Shapes = append(slices.DeleteFunc(slices.Clone(l.Shapes), func(n int) bool { return n >= batch }), batch)
	return nil
}

// checkConnections returns an error for limits that no server can have.
func checkConnections(l connections.Limits) error {
	switch {
	case l.All < 1:
		return errors.New("no connection is allowed")
	case l.Rate < 1 || l.Slack <= 0 || l.Header <= 0 || l.Idle <= 0 || l.Unread <= 0:
		return fmt.Errorf("the limits of connections %+v leave clients no time", l)
	}
	return nil
}
