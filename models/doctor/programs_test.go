//go:build linux || darwin

package doctor

import (
	"os"
	"strings"
	"testing"

	"illustrator/models/xla/programs"
)

// A folder of programs that others can write to is a warning with the command that repairs it.
func TestCheckPrograms(t *testing.T) {
	cache := &programs.Cache{Folder: t.TempDir()}
	if c := checkPrograms(cache); c.Status != OK {
		t.Errorf("%+v", c)
	}
	if err := os.Chmod(cache.Folder, 0o777); err != nil {
		t.Fatal(err)
	}
	c := checkPrograms(cache)
	if c.Status != Warning || !strings.Contains(c.Detail, "can be written by other users") ||
		!strings.Contains(c.Fix, "chmod go-w") || !strings.Contains(c.Fix, programs.FolderEnv) {
		t.Errorf("%+v", c)
	}
}
