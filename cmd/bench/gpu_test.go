package main

import (
	"strings"
	"testing"

	"illustrator/cmd/bench/compare"
	"illustrator/internal/fault"
	"illustrator/internal/parity"
	"illustrator/train/bench"
)

// goodSets are figures of one output, on the CPU and on a GPU, all allowed.
func goodSets() []parity.Set {
	figure := func(precision string, e float64) parity.Figure {
		return parity.Figure{Network: "generator", Output: "image", Precision: precision, Error: e, Allowed: 2 * e}
	}
	return []parity.Set{
		{Name: "embedded", Backend: "xla:cpu", Figures: []parity.Figure{figure(parity.Float32, 1e-6),
			figure(parity.BFloat16, 1e-2)}},
		{Name: "embedded", Backend: "xla:cuda,preallocate=false",
			Figures: []parity.Figure{figure(parity.Float32, 3e-6), figure(parity.BFloat16, 2e-2)}},
		{Name: "embedded", Backend: "xla:cuda,tf32,preallocate=false", Figures: []parity.Figure{figure(parity.TF32, 2e-3)}},
	}
}

func TestOffParity(t *testing.T) {
	if err := offParity(goodSets(), true); err != nil {
		t.Errorf("all is allowed: %v", err)
	}
	if err := offParity(goodSets()[:1], false); err != nil {
		t.Errorf("all is allowed on the CPU: %v", err)
	}
	off := goodSets()
	off[2].Figures[0].Error = 1
	if err := offParity(off, true); err == nil || !strings.Contains(err.Error(),
		"generator, image on xla:cuda,tf32,preallocate=false in tf32: 1, allowed 0.004") {
		t.Errorf("a figure is off: %v", err)
	}
	// The CPU's float32 is not a figure of the GPU.
	if err := offParity(goodSets()[:1], true); err == nil ||
		!strings.Contains(err.Error(), "in float32 and bfloat16 and tf32") || fault.HintOf(err) == "" {
		t.Errorf("the GPU was not compared: %v", err)
	}
	if err := offParity(goodSets()[:2], true); err == nil || !strings.Contains(err.Error(), "in tf32") {
		t.Errorf("TF32 was not compared: %v", err)
	}
}

func TestGPUDocument(t *testing.T) {
	busy := 0.93
	measured := benchReport{
		Cores: 8, Load: "0.10", PyTorch: "2.15.0+cu130",
		GPU: &compare.GPU{ID: "0", Name: "NVIDIA H100", Driver: "580.95.05", MemoryBytes: 80 << 30, Capability: "9.0"},
		Results: []compare.Result{
			{Result: bench.Result{Case: "a", About: "work a", Engine: bench.Engine, Precision: "float32", Batch: 8,
				StepSeconds: 0.5, SamplesPerSecond: 16}, GPUBytes: 3 << 30, GPUBusy: &busy},
			{Result: bench.Result{Case: "a", About: "work a", Engine: "PyTorch eager-float32", Precision: "float32", Batch: 8,
				StepSeconds: 1, SamplesPerSecond: 8}, GPUBytes: 4 << 30, AllocatedBytes: 5 << 29, Speedup: 2},
		},
	}
	sets := goodSets()
	sets[1].Figures[0].Error = 1
	text, err := gpuDocument(measured, sets).Markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Measured on NVIDIA H100", "compute capability 9.0, driver 580.95.05), PyTorch 2.15.0+cu130", "8 cores",
		"| network | output | CPU float32 | CPU bfloat16 | CUDA float32 | CUDA bfloat16 | CUDA tf32 |",
		"| generator | image | 1.0e-06 of 2e-06 | 1.0e-02 of 2e-02 | 1.0e+00 of 6e-06 (off) | " +
			"2.0e-02 of 4e-02 | 2.0e-03 of 4e-03 |",
		"| work a | illustrator | 8 | 0.5 | 16 | 0.0 | unknown | 3.00 | unknown | 93 % |  |",
		"|  | PyTorch eager-float32 | 8 | 1 | 8 | 0.0 | unknown | 4.00 | 2.50 | unknown | 2.00 × |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document lacks %q:\n%s", want, text)
		}
	}
}

func TestOnDevice(t *testing.T) {
	has := func(names []string, part string) bool { return strings.Contains(strings.Join(names, " "), part) }
	none := func(string) bool { return false }
	var gpu, cpu gpuOptions
	cpu.repeat, cpu.fullBatch = 1, 2
	gpu.onDevice(none, true)
	cpu.onDevice(none, false)
	if gpu.repeat != 50 || gpu.fullBatch != 8 || gpu.rounds != 3 || !has(gpu.precisions, "tf32") ||
		!has(gpu.modes, "compile-tf32") {
		t.Errorf("on a GPU: %+v", gpu)
	}
	if cpu.repeat != 1 || cpu.fullBatch != 2 || has(cpu.precisions, "tf32") || has(cpu.modes, "tf32") ||
		!has(cpu.modes, "eager-bfloat16") {
		t.Errorf("on the CPU: %+v", cpu)
	}
	given := gpuOptions{benchOptions: benchOptions{rounds: 7, repeat: 2, fullBatch: 3, modes: []string{"eager-tf32"},
		precisions: []string{"tf32"}}}
	given.onDevice(func(string) bool { return true }, true)
	if given.rounds != 7 || given.repeat != 2 || given.fullBatch != 3 || len(given.modes) != 1 ||
		len(given.precisions) != 1 {
		t.Errorf("what was given is changed: %+v", given)
	}
}
