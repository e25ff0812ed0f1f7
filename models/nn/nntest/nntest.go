// Package nntest helps the tests of networks: a backend, goldens, and gradients by finite differences.
package nntest

import (
	"bytes"
	"cmp"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
)

// CompileFast makes XLA compile in half the time, for this process and those it starts: LLVM then does not optimise
// the code, which costs a test more than the speed is worth. Their programs are kept in one folder, so that tests with
// the same program compile it once, in whatever process: the key covers all that its machine code depends on. What
// XLA_FLAGS and ILLUSTRATOR_PROGRAMS say already is left.
func CompileFast() {
	if _, set := os.LookupEnv(xlaFlags); !set {
		os.Setenv(xlaFlags, "--xla_backend_optimization_level=0")
	}
	if _, set := os.LookupEnv(programs.FolderEnv); !set {
		if dir, err := os.UserCacheDir(); err == nil {
			os.Setenv(programs.FolderEnv, filepath.Join(dir, "illustrator", "programs-of-tests"))
		}
	}
}

const xlaFlags = "XLA_FLAGS"

// Optimised runs a test in a process of its own with XLA's usual optimisations, where computing takes longer than
// compiling.
func Optimised(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if flags, set := os.LookupEnv(xlaFlags); set && flags == "" {
		test(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), xlaFlags+"=")
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("skipped in its process:\n%s", out)
	case !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" ")):
		t.Fatalf("the test did not run in its process:\n%s", out)
	}
}

// backendEnv names the environment variable with the backend that tests of parity run on, such as "xla:cuda". The
// others' tolerances are those of the CPU.
const backendEnv = "ILLUSTRATOR_TEST_BACKEND"

// BackendName is the name of what Backend returns.
func BackendName() string { return cmp.Or(os.Getenv(backendEnv), "xla:cpu") }

var open = sync.OnceValues(func() (compute.Backend, error) {
	CompileFast()
	programs.Use(programs.Chosen(slog.New(slog.DiscardHandler)))
	return xla.Open(BackendName())
})

// Backend returns the XLA CPU backend, or the one that BackendEnv names. Without a plugin the test is skipped with the
// command that installs one, but under CI it fails, and so it does for a backend that was named.
func Backend(t testing.TB) compute.Backend {
	t.Helper()
	backend, err := open()
	if err == nil {
		return backend
	}
	if os.Getenv("CI") != "" || os.Getenv(backendEnv) != "" {
		t.Fatalf("no XLA backend: %v", err)
	}
	t.Skipf("needs the XLA CPU plugin (`make setup` installs it): %v", err)
	return nil
}

// Programs returns how many programs this process has had compiled, or has read from the folder of kept ones instead.
func Programs() int {
	compiled, loaded := programs.Count()
	return compiled + loaded
}

// Golden reads a safetensors file of goldens.
func Golden(t testing.TB, path string) *checkpoints.Weights {
	t.Helper()
	w, err := checkpoints.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Embedded reads the weights of the network at location, such as "embedded:lorelei/generator", and its config.json into
// config unless that is nil.
func Embedded(t testing.TB, location string, config any) *checkpoints.Weights {
	t.Helper()
	folder, err := checkpoints.Open(location)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		if err := folder.Config(config); err != nil {
			t.Fatal(err)
		}
	}
	w, err := folder.Weights()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// MaxAbs returns the largest absolute difference of two float32 slices of equal length.
func MaxAbs(t testing.TB, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d values, want %d", len(got), len(want))
	}
	worst := 0.0
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			t.Fatalf("value %d: got %g, want %g", i, got[i], want[i])
		}
		worst = max(worst, d)
	}
	return worst
}

// Run executes fn once on Backend and returns its outputs as flat float32 slices.
func Run(t testing.TB, store *model.Store, fn func(scope *model.Scope, inputs []*graph.Node) []*graph.Node,
	inputs ...any) [][]float32 {
	t.Helper()
	exec, err := model.NewExec(Backend(t), store, fn)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	outputs, err := exec.Call(inputs...)
	if err != nil {
		t.Fatal(err)
	}
	flat := make([][]float32, len(outputs))
	for i, o := range outputs {
		flat[i] = tensors.MustCopyFlatData[float32](o)
	}
	return flat
}

// CheckWeightGradients compares the gradient of all trainable variables of store, which are float64, as CheckGradient
// does. An input whose gradient matters is a variable too.
func CheckWeightGradients(t testing.TB, store *model.Store, fn func(scope *model.Scope, g *graph.Graph) *graph.Node,
	step, relative float64) {
	t.Helper()
	var weights []*model.Variable
	var values []float64
	for v := range store.IterVariables() {
		if v.Trainable {
			weights = append(weights, v)
			values = append(values, tensors.MustCopyFlatData[float64](v.MustValue())...)
		}
	}
	CheckGradient(t, store, func(scope *model.Scope, x *graph.Node) *graph.Node {
		from := 0
		for _, v := range weights {
			size := v.Shape().Size()
			v.SetNodeValue(graph.Reshape(graph.Slice(x, graph.AxisRange(from, from+size)), v.Shape().Dimensions...))
			from += size
		}
		return fn(scope, x.Graph())
	}, tensors.FromFlatDataAndDimensions(values, len(values)), step, relative)
}

// CheckGradient compares the gradient of scalar(fn(x)) with central finite differences along random directions, in
// float64. fn must accept a float64 node shaped like x; its output is reduced to a scalar by fixed weights other than
// 0. A gradient of 0 is an error: an output that ignores x would pass.
// relative is the largest accepted |analytic - numeric| / max(|analytic|, |numeric|).
func CheckGradient(t testing.TB, store *model.Store, fn func(scope *model.Scope, x *graph.Node) *graph.Node,
	x *tensors.Tensor, step, relative float64) {
	t.Helper()
	scalar := func(scope *model.Scope, x *graph.Node) *graph.Node {
		y := fn(scope, x)
		weights := graph.Sin(graph.AddScalar(graph.ConvertDType(graph.IotaFull(x.Graph(), y.Shape()), y.DType()), 1))
		return graph.ReduceAllSum(graph.Mul(y, weights))
	}
	exec := model.MustNewExec(Backend(t), store, func(scope *model.Scope, x *graph.Node) []*graph.Node {
		y := scalar(scope, x)
		return []*graph.Node{y, graph.Gradient(y, x)[0]}
	})
	defer exec.Finalize()
	at := func(values []float64) (float64, []float64) {
		out, err := exec.Call(tensors.FromFlatDataAndDimensions(values, x.Shape().Dimensions...))
		if err != nil {
			t.Fatal(err)
		}
		return tensors.ToScalar[float64](out[0]), tensors.MustCopyFlatData[float64](out[1])
	}
	base := tensors.MustCopyFlatData[float64](x)
	_, gradient := at(base)
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 4 {
		direction, plus, minus := make([]float64, len(base)), make([]float64, len(base)), make([]float64, len(base))
		analytic := 0.0
		for i := range base {
			direction[i] = rng.NormFloat64()
			plus[i], minus[i] = base[i]+step*direction[i], base[i]-step*direction[i]
			analytic += gradient[i] * direction[i]
		}
		high, _ := at(plus)
		low, _ := at(minus)
		numeric := (high - low) / (2 * step)
		scale := max(math.Abs(analytic), math.Abs(numeric))
		if scale == 0 {
			t.Errorf("direction %d: the gradient and finite differences are 0, which proves nothing", trial)
		} else if !(math.Abs(analytic-numeric) <= relative*scale) {
			t.Errorf("direction %d: gradient gives %g, finite differences %g (relative %g, allowed %g)",
				trial, analytic, numeric, math.Abs(analytic-numeric)/scale, relative)
		}
	}
}
