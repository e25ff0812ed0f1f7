package xla

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestFreedBlocksAreTakenAgain has a program in C allocate as XLA does, with this package's functions. By glibc's own,
// of version 2.36, its large block has 9 places.
func TestFreedBlocksAreTakenAgain(t *testing.T) {
	program := filepath.Join(t.TempDir(), "places")
	compiler := cmp.Or(os.Getenv("CC"), "gcc")
	build := exec.Command(compiler, "-O1", "-o", program, "testdata/places.c", "malloc_linux.c")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	places, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || places < 1 || places > 3 {
		t.Errorf("a block that is freed before the next of its size has %d places (%v), want at most 3", places, err)
	}
}
