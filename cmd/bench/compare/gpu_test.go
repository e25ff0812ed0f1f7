package compare

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"illustrator/internal/fault"
	"illustrator/train/bench"
)

// fakeSMI puts a program called nvidia-smi in front of all others.
func fakeSMI(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, nvidiaSMI), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestFindGPU(t *testing.T) {
	const answer = `echo "NVIDIA A100-SXM4-80GB, 580.95.05, 81920, 8.0"`
	for _, c := range []struct{ name, visible, script, want string }{
		{"the first", "unset", `[ "$1" = --id=0 ] && ` + answer, ""},
		{"one of several", "2,3", `[ "$1" = --id=2 ] && ` + answer, ""},
		{"none", "unset", "echo 'No devices were found'; exit 6", "No devices were found"},
		{"no driver", "unset", "echo NVIDIA-SMI has failed because it couldn\\'t communicate with the NVIDIA driver; exit 9",
			"couldn't communicate"},
		{"hidden", "", answer, "CUDA_VISIBLE_DEVICES is empty"},
		{"odd answer", "unset", "echo what", `answers "what"`},
		{"odd memory", "unset", "echo GPU, 580, much, 8.0", `"much" MiB`},
	} {
		t.Setenv("CUDA_VISIBLE_DEVICES", c.visible)
		if c.visible == "unset" {
			os.Unsetenv("CUDA_VISIBLE_DEVICES")
		}
		fakeSMI(t, c.script)
		gpu, err := FindGPU(t.Context())
		switch {
		case c.want == "":
			id, _, _ := strings.Cut(strings.ReplaceAll(c.visible, "unset", "0"), ",")
			if err != nil || *gpu != (GPU{ID: id, Name: "NVIDIA A100-SXM4-80GB", Driver: "580.95.05", MemoryBytes: 80 << 30,
				Capability: "8.0"}) {
				t.Errorf("%s: %+v, %v", c.name, gpu, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v", c.name, err)
		case !strings.HasPrefix(c.name, "odd") && fault.HintOf(err) == "":
			t.Errorf("%s: no hint", c.name)
		}
	}
	t.Setenv("CUDA_VISIBLE_DEVICES", "0")
	t.Setenv("PATH", t.TempDir())
	if _, err := FindGPU(t.Context()); err == nil || !strings.Contains(err.Error(), nvidiaSMI) ||
		!strings.Contains(fault.HintOf(err), "driver") {
		t.Errorf("no nvidia-smi: %v, hint %q", err, fault.HintOf(err))
	}
}

func TestParseSample(t *testing.T) {
	for line, want := range map[string]sample{
		"97, 1234":      {used: 1234 << 20, busy: 0.97},
		" 0, 3":         {used: 3 << 20},
		"[N/A], 20480 ": {used: 20480 << 20, busy: -1},
	} {
		if got, err := parseSample(line); got != want || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", line, got, err, want)
		}
	}
	for _, line := range []string{"", "97", "97, x", "120, 3", "-1, 3", "x, 3",
		"Unable to determine the device handle for GPU0: Unknown Error"} {
		if got, err := parseSample(line); err == nil {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

// A GPU whose memory grows from 100 to 900 MiB while the worker starts, and goes down to 500.
func TestRunWatchesTheGPU(t *testing.T) {
	grown := filepath.Join(t.TempDir(), "grown")
	fakeSMI(t, `echo "0, 100"
while sleep 0.02; do
	if [ -e `+grown+` ]; then echo "80, 900"; echo "60, 500"; echo "80, 500"; else echo "0, 100"; fi
done`)
	gpu := &GPU{ID: "1"}
	worker := shell(t, `[ "$CUDA_VISIBLE_DEVICES" = 1 ] || exit 1; touch `+grown+
		`; echo '{}'; while read line; do sleep 0.2; echo '{"seconds": 1, "allocated_bytes": 77}'; done`)
	results, err := Run(t.Context(), bench.Case{Name: "c"},
		Options{Worker: func(bench.Case, Precision) []string { return worker }, Rounds: 2, GPU: gpu})
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if r.GPUBytes != 800<<20 || r.AllocatedBytes != 77 || r.GPUBusy == nil || *r.GPUBusy != 0.8 {
		t.Errorf("memory %d, allocated %d, utilization %v", r.GPUBytes, r.AllocatedBytes, r.GPUBusy)
	}
	for name, script := range map[string]string{"no sample": "exit 0", "an error": "echo Unknown Error"} {
		fakeSMI(t, script)
		if _, err := Run(t.Context(), bench.Case{}, Options{Worker: func(bench.Case, Precision) []string { return worker },
			GPU: gpu}); err == nil || !strings.Contains(err.Error(), "watch the GPU") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWatch(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	w := &watch{samples: []sample{{at(1), 5, 0.1}, {at(2), 9, 0.2}, {at(3), 7, -1}, {at(4), 6, 0.4}, {at(5), 6, 0.9}}}
	if got := w.growth(&w.samples[0]); got != 4 {
		t.Errorf("growth is %d, want 4", got)
	}
	if got := w.growth(&w.samples[1]); got != 0 {
		t.Errorf("growth after the peak is %d, want 0", got)
	}
	if got := w.busy([]bench.Span{{From: at(2), To: at(3)}, {From: at(4), To: at(4)}}); got == nil ||
		!slices.Contains([]float64{0.3, 0.30000000000000004}, *got) {
		t.Errorf("utilization is %v, want 0.3", got)
	}
	if got := w.busy([]bench.Span{{From: at(3), To: at(3)}}); got != nil {
		t.Errorf("unknown utilization is %g", *got)
	}
	var none *watch
	if none.now() != nil || none.growth(nil) != 0 || none.busy(nil) != nil || none.stop() != nil {
		t.Error("without a GPU there is something to tell")
	}
}
