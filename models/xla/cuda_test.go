package xla

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/models/xla/cuda"
)

// plugin130 is a plugin that only loads: it has no client, and names its API and CUDA 13.0.
const plugin130 = `
#include <stddef.h>
#include <stdint.h>
typedef struct {
	size_t size; void *extension; const char *name; size_t name_size; int type; int64_t value; size_t value_size;
} named;
typedef struct { size_t size; void *extension; const named *attributes; size_t count; } attributes;
static const named all[] = {
	{ sizeof(named), 0, "xla_version", 11, 1, 2, 1 },
	{ sizeof(named), 0, "cuda_version", 12, 1, 13000, 1 },
};
static void *initialize(void *args) { return 0; }
static void *describe(attributes *args) { args->attributes = all; args->count = 2; return 0; }
static struct {
	size_t size; void *extension;
	struct { size_t size; void *extension; int major, minor; } version;
	void *error[3], *initialize, *describe, *others[150];
} table = { sizeof(table), 0, { sizeof(table.version), 0, 0, 115 }, { 0 }, initialize, describe };
void *GetPjrtApi(void) { return &table; }
`

func TestLoadCreatesNoClient(t *testing.T) {
	if cuda.HasGPU() {
		t.Skip("here is a GPU: a CUDA plugin is verified by running a graph")
	}
	library := buildLibrary(t, plugin130)
	path := filepath.Join(t.TempDir(), cuda.PluginFile)
	if err := os.Rename(library, path); err != nil {
		t.Fatal(err)
	}
	info, err := VerifyInChild(t.Context(), path, verifySelf)
	if err != nil || info.API != "0.115" || info.CUDA != "13.0" || info.Platform != "cuda" || info.Ran {
		t.Errorf("%+v, %v", info, err)
	}
	emptyMachine(t)
	if remember(path, info); len(readStamps()) != 0 {
		t.Error("a plugin that ran no graph counts as verified")
	}
}

// TestCUDAPluginLoads is about the real plugin, which is 2 GB with NVIDIA's libraries: too much for continuous
// integration.
func TestCUDAPluginLoads(t *testing.T) {
	path, ok := Find("cuda")
	if !ok {
		t.Skip("needs the CUDA plugin (`illustrator setup --cuda` installs it, 2 GB)")
	}
	info, err := VerifyInChild(t.Context(), path, verifySelf)
	if err != nil {
		t.Fatal(err)
	}
	if info.Platform != "cuda" || !strings.HasPrefix(info.API, "0.") || info.CUDA == "" || info.Ran != cuda.HasGPU() {
		t.Errorf("info %+v", info)
	}
}

func TestBindingAPI(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/gomlx/go-xla/pjrt").Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "pjrt_c_api.h"))
	if err != nil {
		t.Fatal(err)
	}
	var version []string
	for _, name := range []string{"PJRT_API_MAJOR", "PJRT_API_MINOR"} {
		match := regexp.MustCompile(`#define ` + name + ` (\d+)`).FindSubmatch(header)
		if match == nil {
			t.Fatalf("go-xla's header has no %s", name)
		}
		version = append(version, string(match[1]))
	}
	if got := strings.Join(version, "."); got != BindingAPI {
		t.Errorf("go-xla's header is of PJRT's API %s; BindingAPI is %s", got, BindingAPI)
	}
}

func TestSetupNamesMissingWheels(t *testing.T) {
	if !wheelFits() {
		t.Skip("the CUDA plugin is for linux/amd64")
	}
	dir := emptyMachine(t)
	release := cuda.Releases()[1]
	opts := Options{CUDA: true, CUDAVersion: release.Version, From: t.TempDir(), Command: verifySelf}
	_, err := Setup(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), release.Wheels()[3].File) ||
		fault.CodeOf(err) != LackingWheels {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
	for _, w := range release.Wheels() {
		if err := os.WriteFile(filepath.Join(opts.From, w.File), []byte("no wheel"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = Setup(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "8 bytes instead of") {
		t.Errorf("wheels of another size: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
}
