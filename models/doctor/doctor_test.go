package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/machine"
)

func TestVerifyFolderFindsAFlippedBit(t *testing.T) {
	locations := checkpoints.Embedded()
	if len(locations) == 0 {
		t.Fatal("no embedded weights")
	}
	if _, err := verifyFolder(locations[0]); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join("..", "..", "checkpoints", strings.TrimPrefix(locations[0], checkpoints.EmbeddedPrefix))
	dir := filepath.Join(t.TempDir(), "network")
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	if _, err := verifyFolder(dir); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, checkpoints.ConfigFile)
	content, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(config, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := verifyFolder(dir); err == nil || !strings.Contains(err.Error(), checkpoints.ConfigFile) {
		t.Errorf("error %v", err)
	}
}

func TestMemoryCheck(t *testing.T) {
	if c := checkMemory(machine.Memory{}); c.Status != OK {
		t.Errorf("unknown memory: %+v", c)
	}
	if c := checkMemory(machine.Memory{Total: 16 << 30, Available: 3 << 30}); c.Status != Warning || c.Fix == "" || !strings.Contains(c.Detail, "3.0 GiB") {
		t.Errorf("little memory: %+v", c)
	}
}
