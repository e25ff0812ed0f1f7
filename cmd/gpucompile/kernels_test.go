package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"illustrator/models/xla/ahead"
)

// message appends fields to a serialized message: numbers, text, or other messages.
func message(parts ...any) []byte {
	var out []byte
	for i := 0; i < len(parts); i += 2 {
		number := protowire.Number(parts[i].(int))
		switch v := parts[i+1].(type) {
		case int:
			out = protowire.AppendVarint(protowire.AppendTag(out, number, protowire.VarintType), uint64(v))
		case string:
			out = protowire.AppendString(protowire.AppendTag(out, number, protowire.BytesType), v)
		case []byte:
			out = protowire.AppendBytes(protowire.AppendTag(out, number, protowire.BytesType), v)
		case []int:
			var packed []byte
			for _, n := range v {
				packed = protowire.AppendVarint(packed, uint64(n))
			}
			out = protowire.AppendBytes(protowire.AppendTag(out, number, protowire.BytesType), packed)
		}
	}
	return out
}

func array(element int, dims ...int) []byte { return message(2, element, 3, dims) }

func tuple(parts ...[]byte) []byte {
	out := message(2, 13)
	for _, p := range parts {
		out = append(out, message(4, p)...)
	}
	return out
}

// program is a module with a convolution of cuDNN's, a product of cuBLAS's, a fusion that transposes, one that holds a
// product, a constant of 2 MiB, and what should not be there.
func testProgram() []byte {
	const f32, f64, u8, s8 = elementF32, elementF64, 6, 2
	window := message(1, message(1, 3, 2, 1, 6, 1), 1, message(1, 3, 2, 1, 6, 1))
	convolution := message(3, 3, 4, 0, 8, 3, 10, 3)
	main := message(5, 1,
		2, message(1, "x", 2, "parameter", 3, array(f32, 2, 8, 8, 16), 35, 1),
		2, message(1, "kernel", 2, "parameter", 3, array(f32, 32, 3, 3, 16), 35, 2),
		2, message(1, "conv", 2, "custom-call", 28, "__cudnn$convForward", 3,
			tuple(array(f32, 2, 8, 8, 32), array(u8, 1000)), 35, 3,
			36, []int{1, 2}, 15, window, 16, convolution),
		2, message(1, "left", 2, "parameter", 3, array(f32, 10, 20), 35, 4),
		2, message(1, "right", 2, "parameter", 3, array(f32, 20, 30), 35, 5),
		2, message(1, "product", 2, "custom-call", 28, "__cublas$gemm", 3, tuple(array(f32, 10, 30), array(s8, 4096)),
			35, 6, 36, []int{4, 5},
			43, `{"gemm_backend_config":{"dot_dimension_numbers":{"lhs_contracting_dimensions":["1"]}}}`),
		2, message(1, "transposed", 2, "fusion", 3, array(f32, 20, 10), 35, 7, 36, []int{4}, 38, []int{2}),
		2, message(1, "fused", 2, "fusion", 3, array(f32, 10, 30), 35, 8, 36, []int{4, 5}, 38, []int{3}),
		2, message(1, "large", 2, "constant", 3, array(f32, 1024, 512), 35, 9),
		2, message(1, "wide", 2, "parameter", 3, array(f64, 2), 35, 10),
		2, message(1, "host", 2, "custom-call", 28, "xla_python_cpu_callback", 3, array(f32, 2), 35, 11),
	)
	transposition := message(5, 2,
		2, message(1, "p", 2, "parameter", 3, array(f32, 10, 20), 35, 20),
		2, message(1, "t", 2, "transpose", 3, array(f32, 20, 10), 35, 21, 36, []int{20}))
	dot := message(5, 3,
		2, message(1, "a", 2, "parameter", 3, array(f32, 10, 20), 35, 30),
		2, message(1, "b", 2, "parameter", 3, array(f32, 20, 30), 35, 31),
		2, message(1, "d", 2, "dot", 3, array(f32, 10, 30), 35, 32, 36, []int{30, 31}, 30, message(1, []int{1})))
	return message(1, message(3, main, 3, transposition, 3, dot, 6, 1))
}

func TestCount(t *testing.T) {
	m, err := parseModule(testProgram())
	if err != nil {
		t.Fatal(err)
	}
	c, launches := count(m, ahead.Devices()[1], float32s)
	for kind, want := range map[string]int{kindConvolution: 1, kindProduct: 1, kindTranspose: 1, kindTriton: 1,
		kindCall + " xla_python_cpu_callback": 1} {
		if c.Kernels[kind] != want {
			t.Errorf("%d kernels of kind %q, want %d", c.Kernels[kind], kind, want)
		}
	}
	const convolution, product = 2 * (2 * 8 * 8 * 32) * 9 * 16, 2 * 10 * 30 * 20
	if want := float64(convolution + 2*product); c.FLOPs != want {
		t.Errorf("%g FLOPs, want %g", c.FLOPs, want)
	}
	// Without workspaces: the convolution's operands and output, twice the product's, the transpose's, the callback's.
	if want := 4 * float64(2*8*8*16+32*9*16+2*8*8*32+2*(10*20+20*30+10*30)+2*10*20+2); c.Bytes != want {
		t.Errorf("%g bytes, want %g", c.Bytes, want)
	}
	if c.Transposed != 4*2*10*20 {
		t.Errorf("%g bytes transposed", c.Transposed)
	}
	sum := 0.0
	for _, l := range launches {
		sum += max(l.Bytes/3.35232e12, l.FLOPs/67e12)
	}
	if len(launches) != 5 || math.Abs(sum-c.Bound) > 1e-15 {
		t.Errorf("%d launches, bound %g, want %g", len(launches), c.Bound, sum)
	}
	for _, want := range []string{"float64 in parameter", "a constant of 2.0 MiB",
		"a call of the host: xla_python_cpu_callback"} {
		if !slices.ContainsFunc(c.Bad, func(b string) bool { return strings.Contains(b, want) }) {
			t.Errorf("%q is not in %q", want, c.Bad)
		}
	}
}

func TestParseModuleRefuses(t *testing.T) {
	for name, content := range map[string][]byte{"nothing": nil, "no entry": message(1, message(6, 7)),
		"damaged": testProgram()[:100]} {
		if _, err := parseModule(content); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMemoryLine(t *testing.T) {
	at := func(batch int, bytes int64) Result {
		return Result{Case: Case{Batch: batch}, Memory: ahead.Memory{Temporary: bytes}}
	}
	perRow, fixed, ok := line([]Result{at(64, 740), at(1, 50), at(8, 180)})
	if !ok || perRow != 10 || fixed != 100 {
		t.Errorf("%g per row, %g fixed, %v", perRow, fixed, ok)
	}
	if _, _, ok := line([]Result{at(8, 100)}); ok {
		t.Error("a line through one point")
	}
}

// TestBuildForDevices builds a program for a CUDA device: that is all that needs no CUDA plugin.
func TestBuildForDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a graph")
	}
	for _, name := range []string{"XLA_FLAGS", "NVIDIA_TF32_OVERRIDE"} {
		t.Setenv(name, os.Getenv(name)) // building sets them
	}
	p, err := programOf("sampling")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := capture(t.Context(), p, Case{"sampling", "lorelei", 2, float32s}, "/none/plugin.so")
	if err != nil {
		t.Fatal(err)
	}
	text := string(taken.Code)
	if taken.Format != "mlir" || len(taken.Options) == 0 || !strings.Contains(text, "lhs_dilation = array<i64: 2, 2>") {
		t.Errorf("a program of %d bytes in %q without an up-convolution for devices", len(text), taken.Format)
	}
	if !strings.Contains(text, "precision HIGHEST") {
		t.Error("float32's products may round")
	}
}
