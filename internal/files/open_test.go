//go:build !windows

package files

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// A FIFO that nobody writes to, a device and a folder are errors at once.
func TestOpenDoesNotWait(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := exec.Command("mkfifo", fifo).Run(); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{fifo, "/dev/zero", t.TempDir()} {
		if _, _, err := Open(path); !errors.Is(err, ErrNotRegular) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(path, 5); !bytes.Equal(got, []byte("12345")) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ReadFile(path, 4); got != nil || err == nil || !strings.Contains(err.Error(), "it has 5 bytes") ||
		!fault.IsUsage(err) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadFile(path+"none", 4); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
