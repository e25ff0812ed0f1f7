// Package parity holds figures of how far networks are from PyTorch's on a device: tests write them, and the report of
// the device reads them.
package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Env names the environment variable with the folder that tests write their figures into. Without it they write none.
const Env = "ILLUSTRATOR_PARITY"

// Figure is the difference of one output of a network from PyTorch's: the root mean square of the differences by that
// of PyTorch's values. Allowed is the most that it may be.
type Figure struct {
	Network   string  `json:"network"`
	Output    string  `json:"output"`
	Precision string  `json:"precision"` // Float32, TF32 or BFloat16
	Error     float64 `json:"error"`
	Allowed   float64 `json:"allowed"`
}

// OK reports whether the error is allowed; NaN isn't.
func (f Figure) OK() bool { return f.Error <= f.Allowed }

// Set holds the figures of one test on one backend.
type Set struct {
	Name    string   `json:"name"`    // of the test, in files' names
	Backend string   `json:"backend"` // such as "xla:cuda,tf32"
	Figures []Figure `json:"figures"`
}

// The precisions that products and convolutions are computed in.
const (
	Float32  = "float32"
	TF32     = "tf32"
	BFloat16 = "bfloat16"
)

// Usual returns the precision in which a backend computes float32.
func Usual(backend string) string {
	if strings.Contains(backend, ","+TF32) {
		return TF32
	}
	return Float32
}

// The relative errors that networks of tens of layers may have. Float32 keeps 24 bits, of which sums of thousands of
// products over all layers cost a few; on a GPU convolutions by Fourier's or Winograd's transform cost another digit,
// and a tenth of TF32's error still tells that TF32 was not used. TF32 keeps 11 bits and bfloat16 8, so an error of
// 1/4096 and 1/512 at each layer.
const (
	float32OnCPU = 2e-5
	float32OnGPU = 1e-4
	tf32         = 1e-2
	bfloat16     = 5e-2
)

// Tolerance is the relative error that an output of a network may have in a precision on a backend.
func Tolerance(backend, precision string) float64 {
	switch {
	case precision == BFloat16:
		return bfloat16
	case precision == TF32:
		return tf32
	case strings.Contains(backend, "cpu"):
		return float32OnCPU
	}
	return float32OnGPU
}

// Relative is the root mean square of the differences of got from want by that of want. It is not a number if their
// lengths differ.
func Relative(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.NaN()
	}
	var difference, size float64
	for i := range got {
		d := float64(got[i]) - float64(want[i])
		difference += d * d
		size += float64(want[i]) * float64(want[i])
	}
	return math.Sqrt(difference / size)
}

// Write writes the set into the folder that Env names, if it is set.
func (s Set) Write() error {
	folder := os.Getenv(Env)
	if folder == "" {
		return nil
	}
	s.Figures = slices.Clone(s.Figures)
	for i, f := range s.Figures {
		if math.IsNaN(f.Error) || math.IsInf(f.Error, 0) {
			s.Figures[i].Error = math.MaxFloat64 // JSON has neither
		}
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	name := strings.NewReplacer(":", "-", ",", "-", "/", "-").Replace(s.Name + "-" + s.Backend)
	return files.WriteFile(filepath.Join(folder, name+".json"), data, 0o666)
}

// Read reads all sets of a folder, by the order of their files' names.
func Read(folder string) ([]Set, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err == nil && len(paths) == 0 {
		err = fault.Hint(fmt.Errorf("figures of parity in %q: %w", folder, fs.ErrNotExist),
			"run `make gpu-check`, whose tests write them")
	}
	var sets []Set
	for _, path := range paths {
		var s Set
		data, e := os.ReadFile(path)
		if e == nil {
			e = json.Unmarshal(data, &s)
		}
		if e == nil && (s.Backend == "" || len(s.Figures) == 0) {
			e = errors.New("it names no backend, or has no figures")
		}
		if e != nil {
			return nil, fault.Hint(fmt.Errorf("figures of parity %q: %w", path, e),
				"run `make gpu-check` again, whose tests write them")
		}
		sets = append(sets, s)
	}
	return sets, err
}
