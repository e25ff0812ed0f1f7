package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/machine"
	"illustrator/models/xla"
	"illustrator/models/xla/cuda"
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
	if c := checkMemory(machine.Memory{}, 0); c.Status != OK {
		t.Errorf("unknown memory: %+v", c)
	}
	if c := checkMemory(machine.Memory{Total: 16 << 30, Available: 3 << 30}, 0); c.Status != Warning || c.Fix == "" ||
		!strings.Contains(c.Detail, "3.0 GiB") {
		t.Errorf("little memory: %+v", c)
	}
}

func TestMemoryOfAConfiguration(t *testing.T) {
	m := machine.Memory{Total: 16 << 30, Available: 8 << 30}
	if c := checkMemory(m, 9<<30); c.Status != Wrong || c.Fix == "" || !strings.Contains(c.Detail, "needs about 9.0 GiB") {
		t.Errorf("too little: %+v", c)
	}
	if c := checkMemory(m, 3<<30); c.Status != OK {
		t.Errorf("enough: %+v", c)
	}
}

func TestAPICheck(t *testing.T) {
	for api, want := range map[string]string{
		xla.BindingAPI: OK, "0.115": OK, "0.54": Warning, "1.0": Wrong, "": Wrong,
	} {
		if c := checkAPI(api); c.Status != want || want != OK && c.Lack == "" {
			t.Errorf("API %q: %+v, want %s", api, c, want)
		}
	}
}

func TestGPUCheck(t *testing.T) {
	const gib = 1 << 30
	h100 := cuda.GPU{Name: "NVIDIA H100 80GB HBM3", UUID: "GPU-1", Total: 80 * gib, Free: 80 * gib, Capability: 9}
	divided := h100
	divided.MIG, divided.Instances = true, []cuda.Instance{{Profile: "3g.40gb", UUID: "MIG-1", Bytes: 40 * gib}}
	for name, c := range map[string]struct {
		machine cuda.Machine
		need    int64
		status  string
		detail  string
	}{
		"ready": {cuda.Machine{Driver: cuda.Driver{580, 65, 6}, GPUs: []cuda.GPU{h100}}, 10 * gib, OK, "H100"},
		"MIG": {cuda.Machine{Driver: cuda.Driver{580, 65, 6}, GPUs: []cuda.GPU{divided}},
			10 * gib, Warning, "3g.40gb"},
		"too little memory": {cuda.Machine{Driver: cuda.Driver{580, 65, 6}, GPUs: []cuda.GPU{h100}}, 100 * gib, Wrong,
			"too little memory: "},
		"driver too old": {cuda.Machine{Driver: cuda.Driver{470, 82, 1}, GPUs: []cuda.GPU{h100}}, 0,
			Wrong, "driver too old: "},
		"hidden": {cuda.Machine{Driver: cuda.Driver{580, 65, 6}, GPUs: []cuda.GPU{h100}, Visible: "3", VisibleSet: true}, 0,
			Wrong, "GPUs hidden: "},
		"no driver": {cuda.Machine{NoTool: true}, 0, Wrong, "no driver: "},
	} {
		checks := checkGPU(c.machine, c.need)
		if checks[0].Status != c.status || !strings.Contains(checks[0].Detail, c.detail) ||
			c.status == Wrong && checks[0].Fix == "" {
			t.Errorf("%s: %+v", name, checks)
		}
	}
}
