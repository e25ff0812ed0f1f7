//go:build unix

package train

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"illustrator/internal/files"
)

// A run's files that are pipes are errors: a reader would wait for ever.
func TestPipesInRuns(t *testing.T) {
	folder := Folder(t.TempDir())
	metrics := filepath.Join(string(folder), "metrics.jsonl")
	for _, path := range []string{folder.Info(), metrics} {
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := folder.ReadInfo(); !errors.Is(err, files.ErrNotRegular) {
		t.Errorf("run.json: %v", err)
	}
	if _, err := ReadMetrics(metrics); !errors.Is(err, files.ErrNotRegular) {
		t.Errorf("metrics.jsonl: %v", err)
	}
}
