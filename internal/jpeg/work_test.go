package jpeg

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// counted counts how often a decoder looks whether it is to end: once for each row of blocks that it passes over.
type counted struct {
	context.Context
	looks int
}

func (c *counted) Err() error {
	c.looks++
	return c.Context.Err()
}

// Whatever a file holds, decoding passes over its rows of blocks once a scan, and of scans there are 500 at most.
func FuzzWork(f *testing.F) {
	paths, err := filepath.Glob("../../data/pictures/decode/testdata/*.jpg")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(file) < 8<<10 {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		header, err := ReadHeader(file)
		if err != nil || header.Width*header.Height > 1<<16 {
			return
		}
		rows := 0
		for _, p := range header.Planes {
			rows += p.blocksY + p.v
		}
		ctx := &counted{Context: t.Context()}
		p, err := Decode(ctx, file)
		if (err == nil) == (p == nil) {
			t.Errorf("a picture %v with error %v", p != nil, err)
		}
		if limit := (maxScans + 1) * rows; ctx.looks > limit {
			t.Errorf("%d rows of blocks in all scans; at most %d", ctx.looks, limit)
		}
		for _, plane := range header.Planes {
			if plane.Width < 1 || plane.Height < 1 {
				t.Errorf("a channel of %d × %d", plane.Width, plane.Height)
			}
		}
	})
}
