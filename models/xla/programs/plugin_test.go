//go:build (linux || darwin) && cgo

package programs_test

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
)

// TestDeclarations compiles the comparison of pjrt.h with go-xla's header.
func TestDeclarations(t *testing.T) {
	header, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/gomlx/go-xla/pjrt").Output()
	if err != nil {
		t.Fatal(err)
	}
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "gcc"
	}
	out, err := exec.Command(compiler, "-fsyntax-only", "-I.", "-I"+strings.TrimSpace(string(header)),
		"testdata/declarations.c").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// counted returns how many programs f had compiled and loaded.
func counted(f func()) (compiled, loaded int) {
	compiledBefore, loadedBefore := programs.Count()
	f()
	compiled, loaded = programs.Count()
	return compiled - compiledBefore, loaded - loadedBefore
}

// expect runs f and compares what it had compiled and loaded.
func expect(t *testing.T, what string, compiled, loaded int, f func()) {
	t.Helper()
	spent := programs.Spent()
	defer func() {
		if waited := programs.Spent() - spent; (waited > 0) != (compiled > 0) {
			t.Errorf("%s: %v were spent on %d compilations", what, waited, compiled)
		}
	}()
	if gotCompiled, gotLoaded := counted(f); gotCompiled != compiled || gotLoaded != loaded {
		t.Errorf("%s: %d programs compiled and %d loaded; want %d and %d", what, gotCompiled, gotLoaded, compiled, loaded)
	}
}

// results runs a program and its gradient: convolutions, products, sums over many values.
func results(t *testing.T, backend compute.Backend) []float32 {
	t.Helper()
	x := make([]float32, 4*3*16*16)
	for i := range x {
		x[i] = float32(i%37)/37 - 0.5
	}
	kernel := make([]float32, 8*3*3*3)
	for i := range kernel {
		kernel[i] = float32(i%11)/11 - 0.4
	}
	outputs, err := ExecOnceN(backend, func(x, kernel *Node) []*Node {
		y := Tanh(nn.Conv2d(x, kernel, 1, [2]int{1, 1}))
		flat := Reshape(y, 4, -1)
		loss := ReduceAllSum(Exp(MulScalar(MatMul(flat, Transpose(flat, 0, 1)), 1e-3)))
		gradients := Gradient(loss, x, kernel)
		return []*Node{Reshape(loss, 1), Reshape(gradients[0], -1), Reshape(gradients[1], -1)}
	}, tensors.FromFlatDataAndDimensions(x, 4, 3, 16, 16), tensors.FromFlatDataAndDimensions(kernel, 8, 3, 3, 3))
	if err != nil {
		t.Fatal(err)
	}
	var values []float32
	for _, output := range outputs {
		values = append(values, tensors.MustCopyFlatData[float32](output)...)
	}
	return values
}

// TestKeptProgramsComputeTheSame has the same program compiled without a cache, compiled into one and read from it: the
// same bits. If reading fails, it compiles.
func TestKeptProgramsComputeTheSame(t *testing.T) {
	backend := nntest.Backend(t)
	t.Cleanup(func() { programs.Use(nil) })
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cache := &programs.Cache{Folder: filepath.Join(t.TempDir(), "programs"), Log: logger}
	var want []float32
	programs.Use(nil) // the one that tests share may hold the program already
	expect(t, "without a cache", 1, 0, func() { want = results(t, backend) })
	same := func() {
		if got := results(t, backend); !slices.Equal(got, want) {
			t.Error("the values differ from those without a cache")
		}
	}
	programs.Use(cache)
	expect(t, "an empty cache", 1, 0, same)
	expect(t, "a full cache", 0, 1, same)

	files, _ := filepath.Glob(filepath.Join(cache.Folder, "*"))
	if len(files) != 1 {
		t.Fatalf("%q are kept; want one program", files)
	}
	program, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	program[len(program)/2] ^= 1
	if err := os.WriteFile(files[0], program, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, "a damaged program", 1, 0, same)
	if !strings.Contains(log.String(), "is damaged, or another key's") {
		t.Errorf("nothing is said of the damage:\n%s", &log)
	}
	expect(t, "a program kept after the damage", 0, 1, same)

	t.Setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true") // too late for XLA, which has read it
	expect(t, "flags that changed after the plugin was loaded", 0, 1, same)

	// A cache that can't be written: its folder is a file.
	programs.Use(&programs.Cache{Folder: files[0], Log: logger})
	log.Reset()
	expect(t, "no folder", 1, 0, same)
	if !strings.Contains(log.String(), "not kept") {
		t.Errorf("nothing is said of the folder:\n%s", &log)
	}
}

// A file that is intact but not a program of the plugin is compiled again.
func TestUnreadableProgramIsCompiled(t *testing.T) {
	backend := nntest.Backend(t)
	t.Cleanup(func() { programs.Use(nil) })
	cache := &programs.Cache{Folder: t.TempDir()}
	programs.Use(cache)
	want := results(t, backend)
	if err := programs.Overwrite(cache, []byte("no program")); err != nil {
		t.Fatal(err)
	}
	expect(t, "no program", 1, 0, func() {
		if got := results(t, backend); !slices.Equal(got, want) {
			t.Error("the values differ")
		}
	})
	expect(t, "compiled again", 0, 1, func() { results(t, backend) })
}

// Two programs of the same inputs and outputs, each under the other's key with a right seal, are compiled again.
func TestAnotherProgramUnderARightSealIsCompiled(t *testing.T) {
	backend := nntest.Backend(t)
	t.Cleanup(func() { programs.Use(nil) })
	var log bytes.Buffer
	cache := &programs.Cache{Folder: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	programs.Use(cache)
	both := func() {
		for want, f := range map[float32]func(x, y *Node) *Node{5: Add, 6: Mul} {
			out, err := ExecOnce(backend, f, []float32{2}, []float32{3})
			if err != nil {
				t.Fatal(err)
			}
			if got := tensors.MustCopyFlatData[float32](out)[0]; got != want {
				t.Errorf("got %g, want %g", got, want)
			}
		}
	}
	expect(t, "an empty cache", 2, 0, both)
	expect(t, "a full cache", 0, 2, both)
	programs.Exchange(t, cache)
	log.Reset()
	expect(t, "exchanged programs", 2, 0, both)
	if got := strings.Count(log.String(), "it is the program"); got != 2 {
		t.Errorf("%d programs are named:\n%s", got, &log)
	}
	expect(t, "compiled again", 0, 2, both)
}

// A program that another user could have changed is compiled, with one warning.
func TestDistrustedProgramsAreCompiled(t *testing.T) {
	backend := nntest.Backend(t)
	t.Cleanup(func() { programs.Use(nil) })
	programs.ForgetWarning()
	var log bytes.Buffer
	cache := &programs.Cache{Folder: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil))}
	programs.Use(cache)
	run := func() { results(t, backend) }
	expect(t, "an empty cache", 1, 0, run)
	if err := os.Chmod(cache.Folder, 0o777); err != nil {
		t.Fatal(err)
	}
	expect(t, "a folder of everyone's", 1, 0, run)
	expect(t, "a folder of everyone's, again", 1, 0, run)
	if strings.Count(log.String(), "level=WARN") != 1 || !strings.Contains(log.String(), "chmod go-w") {
		t.Errorf("the warning:\n%s", &log)
	}
	if err := os.Chmod(cache.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, "a folder of one's own", 0, 1, run)
}

// Programs that several devices share are kept too, apart from those of one device.
func TestProgramsOfSeveralDevicesAreKept(t *testing.T) {
	nntest.Backend(t) // skips without a plugin
	backend, err := xla.OpenDevices("cpu", 2)
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := distributed.NewDeviceMesh([]int{2}, []string{"batch"})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := distributed.BuildSpec(mesh).S("batch").Done()
	if err != nil {
		t.Fatal(err)
	}
	sum := func() {
		exec := MustNewExec(backend, func(x *Node) *Node { return ReduceAllSum(Mul(x, x)) }).
			AutoSharding(mesh).WithInputShardingSpecs(rows).WithOutputShardingSpecs(distributed.NewReplicatedShardingSpec(mesh))
		defer exec.Finalize()
		x, err := dtensor.ShardTensor(rows, tensors.FromValue([]float32{1, 2, 3, 4}))
		if err != nil {
			t.Fatal(err)
		}
		outputs, err := exec.Call(x)
		if err != nil {
			t.Fatal(err)
		}
		for _, output := range outputs {
			if got := tensors.ToScalar[float32](output); got != 30 {
				t.Errorf("the sum is %g, want 30", got)
			}
		}
	}
	t.Cleanup(func() { programs.Use(nil) })
	programs.Use(&programs.Cache{Folder: t.TempDir()})
	expect(t, "an empty cache", 1, 0, sum)
	expect(t, "a full cache", 0, 1, sum)
}
