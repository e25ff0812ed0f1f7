package cuda

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReleases(t *testing.T) {
	for _, r := range Releases() {
		wheels := r.Wheels()
		if len(wheels) < 10 || !strings.HasPrefix(wheels[0].File, "jax_cuda") {
			t.Errorf("CUDA %d: %d wheels, the first %q", r.Version, len(wheels), wheels[0].File)
		}
		list := r.List("install")
		for _, w := range wheels {
			if w.Bytes <= 0 || !strings.HasSuffix(w.File, ".whl") || !strings.Contains(list, w.Requirement) {
				t.Errorf("CUDA %d: wheel %+v", r.Version, w)
			}
			_, version, _ := strings.Cut(strings.Fields(w.Requirement)[0], "==")
			if !strings.Contains(w.File, "-"+version+"-") {
				t.Errorf("CUDA %d: %q is not the file of %q", r.Version, w.File, w.Requirement)
			}
		}
	}
	if _, err := ReleaseOf(11); err == nil {
		t.Error("there is a plugin for CUDA 11")
	}
}

func TestChoose(t *testing.T) {
	cases := map[string]struct {
		driver     string
		capability float64
		want       int // 0: too old
		known      bool
	}{
		"new":            {"580.65.06", 9, 13, true},
		"newer":          {"610.43", 10, 13, true},
		"of CUDA 12":     {"550.54.15", 9, 12, true},
		"oldest":         {"525.60.13", 8, 12, true},
		"too old":        {"470.103.01", 8, 0, true},
		"old GPU":        {"580.65.06", 7.0, 12, true},
		"unknown driver": {"", 0, 13, false},
	}
	for name, c := range cases {
		var driver Driver
		if c.driver != "" {
			var err error
			if driver, err = parseDriver(c.driver); err != nil || driver.String() != c.driver {
				t.Fatalf("%s: driver %v, %v", name, driver, err)
			}
		}
		r, known, err := Choose(driver, []GPU{{Capability: c.capability}})
		if r.Version != c.want || known != c.known || (err != nil) != (c.want == 0) {
			t.Errorf("%s: CUDA %d, known %v, %v", name, r.Version, known, err)
		}
	}
	if _, err := parseDriver("[N/A]"); err == nil {
		t.Error("[N/A] is a driver's version")
	}
}

// answers are nvidia-smi's, with the files of testdata for its two questions.
func answers(t *testing.T, name string) func(args ...string) (string, error) {
	return func(args ...string) (string, error) {
		file := filepath.Join("testdata", name+".txt")
		if args[0] == "-L" {
			file = filepath.Join("testdata", name+"-list.txt")
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		text := string(content)
		if strings.Contains(text, "is not a valid field") && !strings.Contains(args[0], "compute_cap") {
			return "0, GPU-5f2c1ab0-8a2e-6b0c-0c6b-7c5d0f8b2e11, 418.87.00, 16130, 16120\n", nil
		}
		if !strings.HasPrefix(text, "0, ") && !strings.HasPrefix(text, "GPU ") {
			return text, errors.New("exit status 9")
		}
		return text, nil
	}
}

func TestDiagnose(t *testing.T) {
	const gib = 1 << 30
	cases := map[string]struct {
		output  string // of testdata
		visible string // CUDA_VISIBLE_DEVICES; "unset"
		need    int64
		want    Kind
		detail  string
	}{
		"ready": {"h100", "unset", 60 * gib, Ready,
			"driver 580.65.06; GPU 0 (NVIDIA H100 80GB HBM3), 79.6 GiB"},
		"memory too small": {"h100", "unset", 100 * gib, LittleMemory,
			"has 79.6 GiB; the configuration needs about 100.0 GiB"},
		"memory taken by others": {"busy", "unset", 20 * gib, LittleMemory, "has 3.1 GiB free of 23.6 GiB"},
		"driver too old": {"old-driver", "unset", 0, DriverOld,
			"driver 470.103.01 is too old: CUDA 12 needs 525 or newer"},
		"driver without fields": {"old-fields", "unset", 0, DriverOld, "driver 418.87.00 is too old"},
		"driver not loaded":     {"not-loaded", "unset", 0, DriverBroken, "couldn't communicate with the NVIDIA driver"},
		"driver updated":        {"mismatch", "unset", 0, DriverBroken, "another version than its kernel module"},
		"no GPU":                {"no-devices", "unset", 0, NoGPU, "finds no GPU"},
		"hidden by nothing":     {"h100", "", 0, HiddenGPUs, `CUDA_VISIBLE_DEVICES="" hides all GPUs`},
		"hidden by -1":          {"h100", "-1", 0, HiddenGPUs, `names "-1"`},
		"hidden by a number":    {"h100", "7", 0, HiddenGPUs, `names "7", which is not a device here`},
		"chosen by number":      {"h100", "1", 0, Ready, "GPU 1"},
		"chosen by UUID":        {"h100", "GPU-ac21", 0, Ready, "GPU 1"},
		"MIG":                   {"mig", "unset", 10 * gib, MIGInstance, "3g.40gb of GPU 0) with 40.0 GiB"},
		"MIG chosen": {"mig", "MIG-b7a1", 30 * gib, LittleMemory,
			"has 20.0 GiB; the configuration needs about 30.0 GiB"},
		"MIG empty": {"mig-empty", "unset", 0, MIGEmpty, "MIG is enabled on GPU 0, which has no instance"},
	}
	for name, c := range cases {
		m := probe(answers(t, c.output))
		if m.VisibleSet = c.visible != "unset"; m.VisibleSet {
			m.Visible = c.visible
		}
		findings := m.Diagnose(c.need)
		at := -1
		for i, f := range findings {
			if f.Kind == c.want && strings.Contains(f.Detail, c.detail) {
				at = i
			}
			if !f.usable() && f.Fix == "" {
				t.Errorf("%s: %q has no fix", name, f.Detail)
			}
		}
		if at < 0 {
			t.Errorf("%s: %+v; want %q with %q", name, findings, c.want, c.detail)
		}
	}
	if findings := (Machine{NoTool: true}).Diagnose(0); findings[0].Kind != NoDriver {
		t.Errorf("no nvidia-smi: %+v", findings)
	}
}

// writeWheel makes a wheel with these members, and its entry in a list.
func writeWheel(t *testing.T, dir, name string, members map[string]string) Wheel {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	archive := zip.NewWriter(f)
	for member, text := range members {
		w, err := archive.Create(member)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(content)
	return Wheel{File: name, SHA256: hex.EncodeToString(hash[:]), Bytes: int64(len(content))}
}

func TestUnpack(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	w := writeWheel(t, dir, "nvidia_some-1.0-py3-none-any.whl", map[string]string{
		"nvidia/cu13/lib/libsome.so.13": "library", "nvidia/cu13/bin/ptxas": "tool", "nvidia/cu13/include/some.h": "header",
		"nvidia/cu13/lib/libsome.a": "archive", "nvidia/__init__.py": "",
		"nvidia_some-1.0.dist-info/licenses/License.txt": "terms",
		"nvidia_some-1.0.dist-info/RECORD":               "", "jax_plugins/xla_cuda13/xla_cuda_plugin.so": "plugin",
	})
	if err := w.Check(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := w.Unpack(t.Context(), dir, to); err != nil {
		t.Fatal(err)
	}
	want := map[string]os.FileMode{
		"cu13/lib/libsome.so.13": 0o755, "cu13/bin/ptxas": 0o755, PluginFile: 0o755,
		"licences/nvidia_some.License.txt": 0o644,
	}
	err := filepath.WalkDir(to, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(to, path)
		info, err := entry.Info()
		if err != nil || info.Mode().Perm() != want[filepath.ToSlash(name)] {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		delete(want, filepath.ToSlash(name))
		return nil
	})
	if err != nil || len(want) != 0 {
		t.Errorf("%v; not unpacked: %v", err, want)
	}
}

func TestUnpackRefuses(t *testing.T) {
	dir := t.TempDir()
	leaving := writeWheel(t, dir, "leaving-1.0-py3-none-any.whl", map[string]string{"nvidia/../../outside.so": "x"})
	if err := leaving.Unpack(t.Context(), dir, t.TempDir()); err == nil || !strings.Contains(err.Error(), "would leave") {
		t.Errorf("a member outside the folder: %v", err)
	}
	w := leaving
	w.SHA256 = strings.Repeat("0", 64)
	if err := w.Check(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("another hash: %v", err)
	}
	w.Bytes++
	if err := w.Check(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "bytes instead of") {
		t.Errorf("another size: %v", err)
	}
	r := Release{Version: 13, wheels: wheels13}
	if missing := r.Missing(dir); len(missing) != len(r.Wheels()) {
		t.Errorf("%d wheels are missing of %d", len(missing), len(r.Wheels()))
	}
}
