package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// A folder that can be made is not made by looking, and nothing stays in one that is there.
func TestCheckOutputLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "a", "b")} {
		if err := CheckOutputFolder(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := CheckOutputFile(filepath.Join(dir, "x.npy"), ".npy"); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	// A file system that takes no files, whoever asks.
	if _, err := os.Stat("/proc/self"); err == nil {
		for _, err := range []error{CheckOutputFolder("/proc/out"), CheckOutputFile("/proc/out.npy")} {
			if err == nil || !strings.Contains(err.Error(), `--out "/proc/out`) ||
				!strings.Contains(err.Error(), `"/proc" cannot be written to`) {
				t.Errorf("/proc: %v", err)
			}
		}
	}
}

// An --out that cannot be is one mistake with one exit code, whatever is in the way.
func TestOutputMistakesAreUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a file": CheckOutputFolder(file), "below a file": CheckOutputFolder(filepath.Join(file, "x")),
		"a file below a file": CheckOutputFile(filepath.Join(file, "x.npy")), "a folder": CheckOutputFile(t.TempDir()),
		"no folder": CheckOutputFile(filepath.Join(t.TempDir(), "none", "x.npy")),
	} {
		if !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
