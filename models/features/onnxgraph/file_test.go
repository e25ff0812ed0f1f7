package onnxgraph

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"illustrator/internal/fault"
)

// testNode writes a NodeProto. An attribute is a name and an int, a float32, a string, []int or *tensor.
func testNode(operator string, inputs, outputs []string, attributes ...any) []byte {
	var m []byte
	for _, name := range inputs {
		m = appendText(m, nodeInput, name)
	}
	for _, name := range outputs {
		m = appendText(m, nodeOutput, name)
	}
	m = appendText(m, nodeOperator, operator)
	for i := 0; i < len(attributes); i += 2 {
		m = appendField(m, nodeAttribute, encodeAttribute(attributes[i].(string), attributes[i+1]))
	}
	return m
}

func testConstant(name string, t *tensor) []byte {
	return testNode("Constant", nil, []string{name}, "value", t)
}

func wholes(values ...int64) *tensor {
	return constantTensor(int64Kind, []int{len(values)}, nil, values)
}

// testModel writes a model of one input x [1,3,any,any] and one output y.
func testModel(opset int64, nodes ...[]byte) []byte {
	var g []byte
	for _, n := range nodes {
		g = appendField(g, graphNode, n)
	}
	g = appendField(g, graphInput, encodeInfo("x", float32Kind, []int{1, 3, AnyDim, AnyDim}))
	g = appendField(g, graphOutput, appendText(nil, infoName, "y"))
	return appendField(appendField(nil, modelOpset, appendInt(nil, opsetVersion, opset)), modelGraph, g)
}

func open(t testing.TB, data []byte) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return Open(path)
}

func TestOpenRefuses(t *testing.T) {
	relu := func(in, out string) []byte { return testNode("Relu", []string{in}, []string{out}) }
	tensor := func(parts ...[]byte) []byte {
		var m []byte
		for _, p := range parts {
			m = append(m, p...)
		}
		g := appendField(appendField(nil, graphInitializer, m), graphNode, relu("x", "y"))
		return appendField(nil, modelGraph, g)
	}
	many := func(n int) []byte {
		nodes := [][]byte{relu("x", "n0")}
		for i := range n {
			nodes = append(nodes, relu(fmt.Sprint("n", i), fmt.Sprint("n", i+1)))
		}
		return testModel(13, nodes...)
	}
	nested := appendField(nil, graphNode, relu("x", "y"))
	for range maxNested + 2 {
		a := appendField(appendText(nil, attributeName, "body"), attributeGraph, nested)
		nested = appendField(nil, graphNode, appendField(appendText(nil, nodeOutput, "y"), nodeAttribute, a))
	}
	inner := appendField(appendField(nil, graphNode, relu("b", "a")), graphNode, relu("a", "b"))
	loop := appendField(appendText(appendText(nil, nodeInput, "x"), nodeOutput, "y"), nodeAttribute,
		appendField(appendText(nil, attributeName, "then_branch"), attributeGraph, inner))
	dims := func(d ...int64) (m []byte) {
		for _, v := range d {
			m = appendInt(m, tensorDims, v)
		}
		return m
	}
	kind := func(k int64) []byte { return appendInt(nil, tensorKind, k) }
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "the file is empty"},
		"no graph":        {appendInt(nil, modelIR, 8), "it has no graph"},
		"no nodes":        {testModel(13), "it has no graph"},
		"two graphs":      {append(testModel(13, relu("x", "y")), testModel(13, relu("x", "y"))...), "two graphs"},
		"web page":        {[]byte("<!DOCTYPE html><html>"), ""},
		"pointer":         {[]byte("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"},
		"cycle":           {testModel(13, relu("b", "a"), relu("a", "b"), relu("a", "y")), "its graph has a cycle: Relu"},
		"cycle of one":    {testModel(13, relu("y", "y")), "has a cycle"},
		"cycle inside":    {testModel(13, loop), "has a cycle"},
		"cycle of 20,000": {testModel(13, append([][]byte{relu("n20000", "n0")}, chain(20000)...)...), "has a cycle"},
		"no such input":   {testModel(13, relu("z", "y")), `takes "z"`},
		"no such output":  {testModel(13, relu("x", "z")), `output "y" is computed by no node`},
		"name twice":      {testModel(13, relu("x", "y"), relu("x", "y")), `have the name "y"`},
		"name of input":   {testModel(13, relu("x", "x"), relu("x", "y")), `have the name "x"`},
		"no output":       {testModel(13, testNode("Relu", []string{"x"}, nil)), "has no output"},
		"many nodes":      {many(maxNodes), "more than 50000 nodes"},
		"nested":          {appendField(nil, modelGraph, nested), "nest more than 16"},
		"functions":       {appendField(testModel(13, relu("x", "y")), modelFunctions, nil), "functions of its own"},
		"huge tensor":     {tensor(dims(1<<40, 1<<40), kind(1)), "too large"},
		"negative tensor": {tensor(dims(-1), kind(1)), "negative"},
		"tensor of 2 GB":  {tensor(dims(1<<29), kind(1)), "more than 2147483647 bytes"},
		"tensor of less": {tensor(dims(4), kind(1), appendField(nil, tensorRaw, make([]byte, 12))),
			"takes 16 bytes, the file has 12"},
		"texts": {tensor(dims(4), kind(8)), "elements of type 8"},
		"axes":  {tensor(dims(make([]int64, 17)...), kind(1)), "more than 16 axes"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := open(t, c.data); err == nil || !strings.Contains(err.Error(), c.want) || fault.HintOf(err) == "" {
				t.Errorf("got %v (hint %q), want %q", err, fault.HintOf(err), c.want)
			}
		})
	}
}

// chain is n nodes in a row from n0 on.
func chain(n int) (nodes [][]byte) {
	for i := range n {
		nodes = append(nodes, testNode("Relu", []string{fmt.Sprint("n", i)}, []string{fmt.Sprint("n", i+1)}))
	}
	return nodes
}

// A graph whose nodes stand in another order than they are computed in is put in order, however long.
func TestOpenSorts(t *testing.T) {
	nodes := chain(20000)
	for i, j := 0, len(nodes)-1; i < j; i, j = i+1, j-1 {
		nodes[i], nodes[j] = nodes[j], nodes[i]
	}
	nodes = append(nodes, testNode("Relu", []string{"n20000"}, []string{"y"}),
		testNode("Relu", []string{"x"}, []string{"n0"}))
	f, err := open(t, testModel(13, nodes...))
	if err != nil {
		t.Fatal(err)
	}
	if first, last := f.order[0], f.order[len(f.order)-1]; first.outputs[0] != "n0" || last.outputs[0] != "y" {
		t.Errorf("from %v to %v", first.outputs, last.outputs)
	}
}

// constants computes the constant y of a graph of nodes at pictures of 5 × 7 pixels.
func constants(t *testing.T, opset int64, nodes ...[]byte) (*value, error) {
	t.Helper()
	f, err := open(t, testModel(opset, nodes...))
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{file: f, opset: f.opset,
		values: map[string]*value{"x": {name: "x", kind: float32Kind, dims: []int{1, 3, 5, 7}}}}
	if err := b.nodes(f.order, f.makers, "y"); err != nil {
		return nil, err
	}
	return b.value("y")
}

// What graphs compute of shapes and constants is what numpy computes; a golden of each is in the comment.
func TestConstantsEqualNumpy(t *testing.T) {
	ramp := constantTensor(int64Kind, []int{3, 4}, nil, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	y := []string{"y"}
	slice := func(starts, ends, axes, steps *tensor) [][]byte {
		return [][]byte{
			testConstant("a", ramp), testConstant("s", starts), testConstant("e", ends), testConstant("k", axes),
			testConstant("t", steps),
			testNode("Slice", []string{"a", "s", "e", "k", "t"}, y),
		}
	}
	of := func(operator string, attributes ...any) [][]byte {
		return [][]byte{testConstant("a", ramp), testNode(operator, []string{"a"}, y, attributes...)}
	}
	with := func(operator string, argument *tensor, attributes ...any) [][]byte {
		return [][]byte{testConstant("a", ramp), testConstant("i", argument),
			testNode(operator, []string{"a", "i"}, y, attributes...)}
	}
	for name, c := range map[string]struct {
		nodes [][]byte
		want  string // numpy's shape and elements
	}{
		"a[::-1]": {slice(wholes(-1), wholes(math.MinInt64+1), wholes(0), wholes(-1)),
			"[3 4] [8 9 10 11 4 5 6 7 0 1 2 3]"},
		"a[:, ::-2]":      {slice(wholes(-1), wholes(math.MinInt64), wholes(1), wholes(-2)), "[3 2] [3 1 7 5 11 9]"},
		"a[::-1, 3:0:-2]": {slice(wholes(-1, 3), wholes(-9, 0), wholes(0, 1), wholes(-1, -2)), "[3 2] [11 9 7 5 3 1]"},
		"a[1:, -3:-1]": {slice(wholes(1, -3), wholes(math.MaxInt64, -1), wholes(0, -1), wholes(1, 1)),
			"[2 2] [5 6 9 10]"},
		"a[5:]":               {slice(wholes(5), wholes(9), wholes(0), wholes(1)), "[0 4] []"},
		"a[9:-9:-9223372...]": {slice(wholes(9), wholes(-9), wholes(0), wholes(math.MinInt64)), "[1 4] [8 9 10 11]"},
		"a[::9223372...]":     {slice(wholes(0), wholes(3), wholes(0), wholes(math.MaxInt64)), "[1 4] [0 1 2 3]"},
		"a.T":                 {of("Transpose"), "[4 3] [0 4 8 1 5 9 2 6 10 3 7 11]"},
		"a.reshape(2, -1)":    {with("Reshape", wholes(2, -1)), "[2 6] [0 1 2 3 4 5 6 7 8 9 10 11]"},
		"a[:, [-1, 0]]":       {with("Gather", wholes(-1, 0), "axis", 1), "[3 2] [3 0 7 4 11 8]"},
		"expand": {append([][]byte{testConstant("v", wholes(1, 2))}, testConstant("d", wholes(3, 1)),
			testNode("Expand", []string{"v", "d"}, y)), "[3 2] [1 2 1 2 1 2]"},
		"tile": {append([][]byte{testConstant("v", wholes(1, 2))}, testConstant("d", wholes(3)),
			testNode("Tile", []string{"v", "d"}, y)), "[6] [1 2 1 2 1 2]"},
		"concatenate": {append(of("Transpose")[:1], testNode("Concat", []string{"a", "a"}, y, "axis", 1)),
			"[3 8] [0 1 2 3 0 1 2 3 4 5 6 7 4 5 6 7 8 9 10 11 8 9 10 11]"},
		"shape of x":       {[][]byte{testNode("Shape", []string{"x"}, y)}, "[4] [1 3 5 7]"},
		"shape of x[2:-1]": {[][]byte{testNode("Shape", []string{"x"}, y, "start", 2, "end", -1)}, "[1] [5]"},
		"floor of 7 by 2": {append(slice(wholes(3), wholes(4), wholes(1), wholes(1))[:5],
			testConstant("v", wholes(-7, 7)), testConstant("w", wholes(2)), testNode("Mod", []string{"v", "w"}, y)),
			"[2] [1 1]"},
		"whole division": {[][]byte{testConstant("v", wholes(-7, 7)), testConstant("w", wholes(2)),
			testNode("Div", []string{"v", "w"}, y)}, "[2] [-3 3]"},
		"arange(5, -1, -2)": {[][]byte{testConstant("v", scalarOf(5)), testConstant("w", scalarOf(-1)),
			testConstant("d", scalarOf(-2)), testNode("Range", []string{"v", "w", "d"}, y)}, "[3] [5 3 1]"},
		"cast of floats": {[][]byte{testConstant("v", constantTensor(float32Kind, []int{3}, []float64{-1.5, 2.9, 0},
			nil)), testNode("Cast", []string{"v"}, y, "to", 7)}, "[3] [-1 2 0]"},
		"in float32": {[][]byte{testConstant("v", constantTensor(float32Kind, []int{1}, []float64{10}, nil)),
			testConstant("w", constantTensor(float32Kind, []int{1}, []float64{0.7}, nil)),
			testNode("Mul", []string{"v", "w"}, []string{"p"}), testNode("Floor", []string{"p"}, []string{"q"}),
			testNode("Cast", []string{"q"}, y, "to", 7)}, "[1] [7]"},
		"slice as of opset 9": {of("Slice", "starts", []int{1}, "ends", []int{3}, "axes", []int{1}),
			"[3 2] [1 2 5 6 9 10]"},
		"squeeze and unsqueeze": {append(of("Transpose")[:1], testConstant("k", wholes(0, -1)),
			testNode("Unsqueeze", []string{"a", "k"}, []string{"u"}), testNode("Squeeze", []string{"u"}, y)),
			"[3 4] [0 1 2 3 4 5 6 7 8 9 10 11]"},
	} {
		v, err := constants(t, 17, c.nodes...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := fmt.Sprint(v.dims, " ", v.ints); got != c.want {
			t.Errorf("%s is %s, want %s", name, got, c.want)
		}
	}
}

func scalarOf(v int64) *tensor { return constantTensor(int64Kind, nil, nil, []int64{v}) }

// What cannot be computed is refused by the node's name.
func TestAtRefuses(t *testing.T) {
	y := []string{"y"}
	for want, nodes := range map[string][][]byte{
		`TaxPool "y": an operator is not supported: TaxPool`: {testNode("TaxPool", []string{"x"}, y)},
		`Relu "y": 0 inputs; it takes 1`:                     {testNode("Relu", nil, y)},
		"depends on the picture":                             {testNode("Reshape", []string{"x", "x"}, y)},
		"cannot have shape [4]": {testConstant("d", wholes(4)),
			testNode("Reshape", []string{"x", "d"}, y)},
		"axis 4 of a tensor of 4 axes": {testNode("Softmax", []string{"x"}, y, "axis", 4)},
		"too large": {testConstant("d", wholes(1<<20, 1<<20)),
			testNode("ConstantOfShape", []string{"d"}, y)},
		"scale 1e+30 of an axis": {testConstant("d",
			constantTensor(float32Kind, []int{4}, []float64{1, 1, 1e30, 1}, nil)),
			testNode("Resize", []string{"x", "", "d"}, y)},
		"in 1 groups": {testConstant("d",
			constantTensor(float32Kind, []int{3, 2, 1, 1}, make([]float64, 6), nil)), testNode("Conv", []string{"x", "d"}, y)},
		"too small for a window of [9 9]": {testNode("MaxPool", []string{"x"}, y, "kernel_shape", []int{9, 9})},
		"a step of 0 along": {testConstant("d", wholes(0)),
			testNode("Slice", []string{"x", "d", "d", "d", "d"}, y)},
		"index 3 of an axis of 3": {testConstant("d", wholes(3)),
			testNode("Gather", []string{"x", "d"}, y, "axis", 1)},
		"shapes [[1 3 5 7] [2]] don't go together": {testConstant("d",
			constantTensor(float32Kind, []int{2}, []float64{1, 2}, nil)), testNode("Add", []string{"x", "d"}, y)},
		"a range from 0 to 9 in steps of 0": {testConstant("v", scalarOf(0)), testConstant("w", scalarOf(9)),
			testNode("Range", []string{"v", "w", "v"}, y)},
	} {
		f, err := open(t, testModel(17, nodes...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.At(map[string][]int{"x": {1, 3, 5, 7}}, "y"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Elements are read from wherever a file has them, in half precision too.
func TestTensors(t *testing.T) {
	packed := func(number protowire.Number, values ...uint64) []byte {
		var m []byte
		for _, v := range values {
			m = protowire.AppendVarint(m, v)
		}
		return appendField(nil, number, m)
	}
	floats := appendFloats(nil, []float64{1, -2.5})
	for name, c := range map[string]struct {
		parts []byte
		kind  kind
		want  string
	}{
		"raw":           {appendField(nil, tensorRaw, floats), float32Kind, "[1 -2.5]"},
		"floats":        {appendField(nil, tensorFloats, floats), float32Kind, "[1 -2.5]"},
		"half raw":      {appendField(nil, tensorRaw, []byte{0x00, 0x3c, 0x00, 0xc1}), float16Kind, "[1 -2.5]"},
		"half as int32": {packed(tensorInt32s, 0x3c00, 0xc100), float16Kind, "[1 -2.5]"},
		"bfloat16":      {appendField(nil, tensorRaw, []byte{0x80, 0x3f, 0x20, 0xc0}), bfloat16Kind, "[1 -2.5]"},
		"double": {appendField(nil, tensorDoubles,
			binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(1)),
				math.Float64bits(-2.5))), float64Kind, "[1 -2.5]"},
		"int64":  {packed(tensorInt64s, 1, math.MaxUint64-1), int64Kind, "[1 -2]"},
		"int32":  {packed(tensorInt32s, 1, math.MaxUint64-1), int32Kind, "[1 -2]"},
		"truths": {packed(tensorInt32s, 1, 0), boolKind, "[1 0]"},
	} {
		r := &reader{}
		tensor, err := r.tensor(append(appendInt(appendInt(nil, tensorDims, 2), tensorKind, int64(c.kind)), c.parts...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := fmt.Sprint(tensor.ints())
		if tensor.kind.isFloat() {
			got = fmt.Sprint(tensor.floats())
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for bits, want := range map[uint16]float64{0x0001: math.Ldexp(1, -24), 0x8000: 0, 0x7bff: 65504, 0xfc00: math.Inf(-1),
		0x3555: 0.333251953125} {
		if got := halfToFloat(bits); got != want {
			t.Errorf("half %#x is %g, want %g", bits, got, want)
		}
	}
}

// go test ./models/features/onnxgraph -fuzz FuzzOpen -fuzztime 1m
func FuzzOpen(f *testing.F) {
	paths, err := filepath.Glob("../testdata/*.onnx")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{folder: t.TempDir(), others: map[string][]byte{}}
		file, err := r.model(data)
		if err == nil {
			file.tensors = r.tensors
			err = file.sort()
		}
		if err != nil {
			if fault.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
			return
		}
		dims := map[string][]int{}
		for _, in := range file.Inputs {
			for i, d := range in.Dims {
				if d < 0 || d > 64 {
					d = []int{1, 3, 12, 16}[i%4]
				}
				dims[in.Name] = append(dims[in.Name], d)
			}
		}
		for _, out := range file.Outputs {
			file.at(dims, out.Name)
		}
	})
}
