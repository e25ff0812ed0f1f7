package xla

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

func TestParse(t *testing.T) {
	t.Setenv(BackendEnv, "")
	for name, want := range map[string]target{
		"":                       {name: "cpu", options: []string{}},
		"xla":                    {name: "cpu", options: []string{}},
		"cpu":                    {name: "cpu", options: []string{}},
		"xla:cpu":                {name: "cpu", options: []string{}},
		"xla:cpu,":               {name: "cpu", options: []string{}},
		"cpu,noshared_buffers":   {name: "cpu", options: []string{"noshared_buffers"}},
		"xla:cuda,tf32":          {name: "cuda", options: []string{"tf32"}},
		"xla:tpu":                {name: "tpu", options: []string{}},
		"/opt/libpjrt_cpu.so":    {path: "/opt/libpjrt_cpu.so", options: []string{}},
		"xla:/opt/mine.so,tf32":  {path: "/opt/mine.so", options: []string{"tf32"}},
		"/opt/x/../cuda/mine.so": {path: "/opt/cuda/mine.so", options: []string{}},
	} {
		got, err := parse(name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v; want %+v", name, got, err, want)
		}
	}
	for _, name := range []string{"go", "xla:", "gpu", "cpuu", ",tf32", "xla:cpu,tf32", "/opt/libpjrt_cpu.so,tf32"} {
		if got, err := parse(name); !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%q: %+v, %v; want a usage error with a hint", name, got, err)
		}
	}
	t.Setenv(BackendEnv, "go")
	if _, err := parse(""); err == nil || !strings.Contains(err.Error(), "$GOMLX_BACKEND") {
		t.Errorf("error %v does not name the variable", err)
	}
}

func TestOpenMissingAndBroken(t *testing.T) {
	dir := emptyMachine(t)
	for _, name := range []string{"cpu", "cuda"} {
		if _, err := Open(name); fault.CodeOf(err) != NotInstalled || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s missing: error %v, code %q", name, err, fault.CodeOf(err))
		}
	}
	broken := filepath.Join(dir, fileName("cpu"))
	if err := os.WriteFile(broken, []byte("no library"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("cpu"); err == nil || !strings.Contains(err.Error(), broken) || fault.HintOf(err) == "" {
		t.Errorf("broken: error %v", err)
	}
	if _, err := Open("/opt/a,b/libpjrt_cpu.so"); err == nil {
		t.Error("no error for a path with a comma")
	}
}

func TestFind(t *testing.T) {
	first, second := emptyMachine(t), t.TempDir()
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", first+string(filepath.ListSeparator)+second)
	create := func(path ...string) string {
		file := filepath.Join(path...)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if path, ok := Find("cpu"); ok {
		t.Errorf("found %q in empty folders", path)
	}
	want := create(second, fileName("cpu"))
	if err := os.Symlink(filepath.Join(first, "gone"), filepath.Join(first, fileName("cpu"))); err != nil {
		t.Fatal(err)
	}
	if got, _ := Find("cpu"); got != want {
		t.Errorf("got %q, want %q: a dangling link hides the next folder", got, want)
	}
	create(first, "pjrt_c_api_cpu_v0.83.1_plugin.so")
	want = create(first, "pjrt_c_api_cpu_v0.98.0_plugin.so")
	if got, _ := Find("cpu"); got != want {
		t.Errorf("got %q, want the newer version %q", got, want)
	}
	want = create(second, "nvidia", fileName("cuda"))
	if got, _ := Find("cuda"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSearchPathDefault(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux: the folders differ")
	}
	t.Setenv("HOME", "/home/someone")
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", "")
	want := []string{"/home/someone/.local/lib/go-xla", "/usr/local/lib/go-xla"}
	if got := searchPath(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSetCUDADataDir(t *testing.T) {
	dir := t.TempDir()
	cuda := filepath.Join(dir, "nvidia", "cu13")
	if err := os.MkdirAll(cuda, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ plugin, flags, want string }{
		{filepath.Join(dir, "nvidia", "p.so"), "", "--xla_gpu_cuda_data_dir=" + cuda},
		{filepath.Join(dir, "p.so"), "--xla_dump_to=/x", "--xla_dump_to=/x --xla_gpu_cuda_data_dir=" + cuda},
		{filepath.Join(dir, "p.so"), "--xla_gpu_cuda_data_dir=/mine", "--xla_gpu_cuda_data_dir=/mine"},
		{"/none/p.so", "", ""},
	} {
		t.Setenv("XLA_FLAGS", c.flags)
		setCUDADataDir(c.plugin)
		if got := os.Getenv("XLA_FLAGS"); got != c.want {
			t.Errorf("%s with %q: got %q, want %q", c.plugin, c.flags, got, c.want)
		}
	}
}

// Float32 is float32 unless TF32 is asked for, and what a user has set is left.
func TestPrepareCUDA(t *testing.T) {
	const forbidden = "--xla_gpu_enable_triton_gemm=false"
	for _, c := range []struct {
		options         []string
		override, flags string // before
		wantOverride    string
		wantFlags       string
		gomlx           []string
	}{
		{nil, "", "", "0", forbidden, []string{"tf32=false", "preallocate"}},
		{[]string{"notf32"}, "", "--xla_dump_to=/x", "0", "--xla_dump_to=/x " + forbidden, []string{"notf32", "preallocate"}},
		{[]string{"tf32", "preallocate=false"}, "", "", "", "", []string{"tf32", "preallocate=false"}},
		{[]string{"memory_fraction=0.9"}, "1", "--xla_gpu_enable_triton_gemm=true", "1", "--xla_gpu_enable_triton_gemm=true",
			[]string{"memory_fraction=0.9", "tf32=false", "preallocate"}},
	} {
		t.Setenv("NVIDIA_TF32_OVERRIDE", c.override)
		if c.override == "" {
			os.Unsetenv("NVIDIA_TF32_OVERRIDE")
		}
		t.Setenv("XLA_FLAGS", c.flags)
		gomlx := prepareCUDA("/none/p.so", c.options)
		override, flags := os.Getenv("NVIDIA_TF32_OVERRIDE"), os.Getenv("XLA_FLAGS")
		if override != c.wantOverride || flags != c.wantFlags || !slices.Equal(gomlx, c.gomlx) {
			t.Errorf("%q: TF32 override %q, flags %q, GoMLX %q; want %+v", c.options, override, flags, gomlx, c)
		}
	}
}

func TestTargetKind(t *testing.T) {
	t.Setenv(BackendEnv, "")
	for name, want := range map[string]struct {
		cpu    bool
		string string
	}{
		"":                 {true, "xla:cpu"},
		"xla:cuda,tf32":    {false, "xla:cuda"},
		"/opt/cuda.so":     {false, "/opt/cuda.so"},
		"/opt/pjrt_cpu.so": {true, "/opt/pjrt_cpu.so"},
	} {
		target, err := parse(name)
		if err != nil || target.isCPU() != want.cpu || target.String() != want.string {
			t.Errorf("%q: CPU %v, %q, %v; want %+v", name, target.isCPU(), target, err, want)
		}
	}
}
