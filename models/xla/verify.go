package xla

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"illustrator/models/xla/cuda"
)

// BindingAPI is the version of PJRT's C API that go-xla is written for, that of its header.
const BindingAPI = "0.104"

// verifyTimeout bounds a verification; it takes about a second where all is well.
const verifyTimeout = 2 * time.Minute

// waitDelay is the time that a child process's own children get to close its output after it was killed.
const waitDelay = 2 * time.Second

// Info holds what a plugin that works says of itself.
type Info struct {
	Platform string   `json:"platform"`          // such as "cpu"
	Version  string   `json:"version,omitempty"` // the platform's own words
	API      string   `json:"api"`               // PJRT's C API, such as "0.83"
	CUDA     string   `json:"cuda,omitempty"`    // the CUDA release of a CUDA plugin, such as "13.0"
	Devices  []string `json:"devices"`
	// Ran says that a graph was run. A CUDA plugin on a machine without a GPU is only loaded and asked for its
	// attributes.
	Ran bool `json:"ran"`
}

// Verify loads the plugin at path into this process and runs a small graph and its gradient, whose values it knows. A
// CUDA plugin on a machine without a GPU is loaded only. A broken library may end the process: call it in a child (see
// Options.Command).
func Verify(path string) (Info, error) {
	if (target{path: path}).isCUDA(path) && !cuda.HasGPU() {
		return Load(path)
	}
	backend, err := Open(path)
	if err != nil {
		return Info{}, err
	}
	defer backend.Finalize()
	if err := verifyGraph(backend); err != nil {
		return Info{}, fmt.Errorf("verify XLA plugin %q: %w", path, err)
	}
	return describe(path)
}

// verifyGraph compares y = Σ sin(x·w) and dy/dw = xᵀ·cos(x·w) with the values computed here.
func verifyGraph(backend compute.Backend) error {
	x := [][]float32{{0.5, -1, 2}, {1.5, 0.25, -0.75}}   // [2, 3]
	w := [][]float32{{0.2, -0.4}, {0.6, 0.8}, {-1, 1.2}} // [3, 2]
	outputs, err := ExecOnceN(backend, func(x, w *Node) []*Node {
		y := ReduceAllSum(Sin(MatMul(x, w)))
		return []*Node{y, Gradient(y, w)[0]}
	}, x, w)
	if err != nil {
		return err
	}
	gotY, gotGrad := outputs[0].Value().(float32), outputs[1].Value().([][]float32)
	wantY, wantGrad := 0.0, make([][2]float64, len(w))
	for _, row := range x {
		for j := range 2 {
			dot := 0.0
			for k, v := range row {
				dot += float64(v) * float64(w[k][j])
			}
			wantY += math.Sin(dot)
			for k, v := range row {
				wantGrad[k][j] += float64(v) * math.Cos(dot)
			}
		}
	}
	const tolerance = 1e-5 // float32: sums of six terms near 1
	if !(math.Abs(float64(gotY)-wantY) <= tolerance) {
		return fmt.Errorf("a small graph gave %g instead of %g", gotY, wantY)
	}
	for k := range wantGrad {
		for j, want := range wantGrad[k] {
			if got := gotGrad[k][j]; !(math.Abs(float64(got)-want) <= tolerance) {
				return fmt.Errorf("a small gradient gave %g instead of %g at [%d, %d]", got, want, k, j)
			}
		}
	}
	return nil
}

// VerifyInChild runs Verify on path in the process that command makes, which must print Info as JSON.
func VerifyInChild(ctx context.Context, path string,
	command func(ctx context.Context, plugin string) *exec.Cmd) (Info, error) {
	if err := inspect(path); err != nil {
		return Info{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	child := command(ctx, path)
	var stdout, stderr bytes.Buffer
	child.Stdout, child.Stderr = &stdout, &stderr
	child.WaitDelay = waitDelay
	err := child.Run()
	if ctxErr := ctx.Err(); ctxErr != nil {
		if errors.Is(ctxErr, context.DeadlineExceeded) {
			return Info{}, fmt.Errorf("it did not finish a small graph within %v", verifyTimeout)
		}
		return Info{}, ctxErr
	}
	if err != nil {
		return Info{}, childError(err, stderr.String())
	}
	var info Info
	if err := json.Unmarshal(stdout.Bytes(), &info); err != nil {
		return Info{}, fmt.Errorf("read the verifying process's answer: %w", err)
	}
	return info, nil
}

// childError says in one line how a verifying process ended: its own error, or the first words of its crash.
func childError(err error, stderr string) error {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "illustrator: error: "); ok {
			return errors.New(text)
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "fatal error:") || strings.HasPrefix(line, "SIG") || strings.HasPrefix(line, "panic:") {
			return fmt.Errorf("it crashed: %s", line)
		}
	}
	if first := lines[0]; first != "" {
		return fmt.Errorf("it did not run: %w: %.200s", err, first)
	}
	return fmt.Errorf("it did not run: %w", err)
}
