package parity

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

func TestWriteAndRead(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "parity")
	s := Set{Name: "embedded", Backend: "xla:cuda,tf32",
		Figures: []Figure{{"generator", "image", TF32, 1e-3, 1e-2}, {"CLIP", "text_embeds", TF32, math.NaN(), 1e-2}}}
	t.Setenv(Env, "")
	if err := s.Write(); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(folder); err == nil || !strings.Contains(fault.HintOf(err), "make gpu-check") {
		t.Errorf("nothing written: %v", err)
	}
	t.Setenv(Env, folder)
	if err := s.Write(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(folder)
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Figures[0], s.Figures[0]) || got[0].Backend != s.Backend {
		t.Errorf("%+v, %v", got, err)
	}
	if len(got) == 1 && (!got[0].Figures[0].OK() || got[0].Figures[1].OK()) {
		t.Error("NaN is allowed, or an allowed error isn't")
	}
	for _, text := range []string{"", "{}", `{"backend": "xla:cpu"}`} {
		if err := os.WriteFile(filepath.Join(folder, "a.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(folder); err == nil || !strings.Contains(err.Error(), "a.json") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRelative(t *testing.T) {
	if got := Relative([]float32{3, 4, 1}, []float32{3, 4, 0}); math.Abs(got-0.2) > 1e-12 {
		t.Errorf("got %g, want 0.2", got)
	}
	if !math.IsNaN(Relative([]float32{1}, nil)) || !math.IsNaN(Relative([]float32{float32(math.NaN())}, []float32{1})) {
		t.Error("other lengths or NaN have an error that is a number")
	}
}

func TestTolerance(t *testing.T) {
	for backend, want := range map[string]float64{"cpu": float32OnCPU, "xla:cuda,preallocate=false": float32OnGPU,
		"xla:cuda,tf32,preallocate=false": tf32} {
		if got := Tolerance(backend, Usual(backend)); got != want || Tolerance(backend, BFloat16) != bfloat16 {
			t.Errorf("%s: %g, want %g", backend, got, want)
		}
	}
}
