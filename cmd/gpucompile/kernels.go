package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"illustrator/cmd/terminal"
	"illustrator/models/xla/ahead"
)

// Counts hold the kernels that a compiled program launches, and their FLOPs and bytes.
type Counts struct {
	// Kernels counts the launches by kind, in the program's order of work: a loop's body once.
	Kernels map[string]int `json:"kernels"`
	FLOPs   float64        `json:"flops"` // of convolutions and products of matrices
	Bytes   float64        `json:"bytes"` // that the kernels read and write, each operand once
	// Bound is the sum over the kernels of the seconds that each takes at least: for its FLOPs at the device's peak, or
	// for its bytes at the memory's bandwidth.
	Bound float64 `json:"bound_seconds"`
	// Transposed counts the bytes that kernels move which only transpose or copy.
	Transposed float64  `json:"transposed_bytes"`
	Bad        []string `json:"bad,omitempty"` // what should not be there
}

// Kinds of kernels.
const (
	kindConvolution = "cuDNN convolution"
	kindProduct     = "cuBLAS product"
	kindTriton      = "Triton product"
	kindTranspose   = "transpose"
	kindCopy        = "copy"
	kindReduction   = "reduction"
	kindNoise       = "random numbers"
	kindLoop        = "elementwise"
	kindCall        = "other call"
	kindOther       = "other"
)

const constantLimit = 1 << 20 // bytes

// count walks through a compiled program.
func count(m *module, d ahead.Device, precision string) (Counts, []Launch) {
	w := walk{module: m, device: d, precision: precision, counts: Counts{Kernels: map[string]int{}}}
	w.computation(m.computations[m.entry])
	for _, c := range m.computations {
		for _, i := range c.instructions {
			w.inspect(i)
		}
	}
	slices.Sort(w.counts.Bad)
	w.counts.Bad = slices.Compact(w.counts.Bad)
	return w.counts, w.launches
}

type walk struct {
	module    *module
	device    ahead.Device
	precision string
	counts    Counts
	launches  []Launch
}

// Launch is a kernel's.
type Launch struct {
	Name, Kind   string
	FLOPs, Bytes float64
	Bound        float64 // seconds
	Shape        string
}

// noLaunch are instructions that no kernel is launched for.
var noLaunch = []string{"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all",
	"partition-id", "replica-id"}

func (w *walk) computation(c *computation) {
	for _, i := range c.instructions {
		switch {
		case slices.Contains(noLaunch, i.opcode) || strings.HasSuffix(i.opcode, "-done"):
		case i.opcode == "while" || i.opcode == "conditional" || i.opcode == "call" || i.opcode == "async-start":
			for _, id := range i.called {
				w.computation(w.module.computations[id])
			}
		default:
			w.launch(c, i)
		}
	}
}

// launch adds a kernel.
func (w *walk) launch(c *computation, i *instruction) {
	kind, flops := w.kind(c, i), w.flops(c, i)
	bytes := float64(i.bytes() - i.workspace())
	for _, id := range i.operands {
		if operand := c.byID[id]; operand != nil {
			bytes += float64(operand.bytes() - operand.workspace())
		}
	}
	w.counts.Kernels[kind]++
	w.counts.FLOPs += flops
	w.counts.Bytes += bytes
	if kind == kindTranspose || kind == kindCopy {
		w.counts.Transposed += bytes
	}
	bound := max(bytes/w.device.Bandwidth, flops/w.peak())
	w.counts.Bound += bound
	w.launches = append(w.launches, Launch{Name: i.name, Kind: kind, FLOPs: flops, Bytes: bytes, Bound: bound,
		Shape: fmt.Sprint(i.shapes)})
}

// peak is the highest rate of products in the program's precision: what is computed wider is slower.
func (w *walk) peak() float64 {
	switch w.precision {
	case bfloat16:
		return w.device.BFloat16
	case float32s:
		return w.device.Float32
	}
	return w.device.TF32
}

func (w *walk) kind(c *computation, i *instruction) string {
	switch i.opcode {
	case "custom-call":
		switch {
		case strings.HasPrefix(i.target, "__cudnn$conv"):
			return kindConvolution
		case strings.HasPrefix(i.target, "__cublas"):
			return kindProduct
		}
		return kindCall + " " + i.target
	case "copy", "copy-start":
		return kindCopy
	case "fusion":
		return w.fusion(i)
	}
	return kindOther + " " + i.opcode
}

// fusion tells fusions apart by what they hold.
func (w *walk) fusion(i *instruction) string {
	holds := map[string]bool{}
	for _, id := range i.called {
		for _, inner := range w.module.computations[id].instructions {
			holds[inner.opcode] = true
		}
	}
	onlyMoves := true
	for opcode := range holds {
		onlyMoves = onlyMoves && slices.Contains([]string{"parameter", "constant", "transpose", "copy", "bitcast", "tuple",
			"broadcast", "convert"}, opcode)
	}
	switch {
	case holds["convolution"]:
		return kindConvolution
	case holds["dot"] || strings.Contains(i.config, "__triton_gemm"):
		return kindTriton
	case onlyMoves && (holds["transpose"] || holds["copy"]):
		return kindTranspose
	case holds["shift-right-logical"] && holds["xor"] || holds["rng-bit-generator"]:
		return kindNoise
	case holds["reduce"] || holds["reduce-window"]:
		return kindReduction
	}
	return kindLoop
}

// flops counts the multiplications and additions of convolutions and products, also of those within a fusion.
func (w *walk) flops(c *computation, i *instruction) (sum float64) {
	if i.opcode == "fusion" {
		for _, id := range i.called {
			inner := w.module.computations[id]
			for _, j := range inner.instructions {
				sum += w.flops(inner, j)
			}
		}
		return sum
	}
	operand := func(n int) *instruction {
		if n >= len(i.operands) {
			return nil
		}
		return c.byID[i.operands[n]]
	}
	if len(i.window) > 0 && (i.opcode == "convolution" || strings.HasPrefix(i.target, "__cudnn$conv")) {
		return convolutionFLOPs(i, operand)
	}
	if lhs := operand(0); lhs != nil && len(i.shapes) > 0 &&
		(i.opcode == "dot" || strings.HasPrefix(i.target, "__cublas")) {
		contracting := i.dot.lhsContracting
		if i.opcode != "dot" {
			contracting = configuredContraction(i.config)
		}
		k := int64(1)
		for _, d := range contracting {
			if len(lhs.shapes) == 1 && int(d) < len(lhs.shapes[0].dimensions) {
				k *= lhs.shapes[0].dimensions[d]
			}
		}
		return 2 * float64(i.shapes[0].elements()) * float64(k)
	}
	return 0
}

// convolutionFLOPs counts a convolution by its forward direction: for each output, the kernel's taps of all its inputs.
// A gradient to the input has the outputs as its first operand, a gradient to the kernel as its second.
func convolutionFLOPs(i *instruction, operand func(int) *instruction) float64 {
	taps := int64(1)
	for _, d := range i.window {
		taps *= d.size
	}
	first, second := operand(0), operand(1)
	if first == nil || second == nil || len(first.shapes) == 0 || len(second.shapes) == 0 || len(i.shapes) == 0 {
		return 0
	}
	outputs, kernel := i.shapes[0], second.shapes[0]
	in := int64(1)
	switch {
	case strings.HasSuffix(i.target, "BackwardFilter"):
		outputs, kernel = second.shapes[0], i.shapes[0]
	case strings.HasSuffix(i.target, "BackwardInput"):
		outputs = first.shapes[0]
	}
	if d := i.conv.kernelInput; int(d) < len(kernel.dimensions) {
		in = kernel.dimensions[d]
	}
	dilated := int64(1) // inserted zeros need no work
	for _, d := range i.window {
		dilated *= max(d.baseDilation, 1)
	}
	return 2 * float64(outputs.elements()) * float64(taps) * float64(in) / float64(dilated)
}

// configuredContraction reads the contracting dimensions of a product's first operand from its configuration.
func configuredContraction(config string) []int64 {
	_, after, ok := strings.Cut(config, `"lhs_contracting_dimensions":[`)
	if !ok {
		return nil
	}
	inside, _, _ := strings.Cut(after, "]")
	var dims []int64
	for part := range strings.SplitSeq(inside, ",") {
		var d int64
		if _, err := fmt.Sscanf(strings.Trim(part, `" `), "%d", &d); err == nil {
			dims = append(dims, d)
		}
	}
	return dims
}

// inspect notes what should not be in a program for a GPU.
func (w *walk) inspect(i *instruction) {
	bad := func(format string, a ...any) { w.counts.Bad = append(w.counts.Bad, fmt.Sprintf(format, a...)) }
	for _, s := range i.shapes {
		if s.element == elementF64 {
			bad("float64 in %s", i.opcode)
		}
	}
	switch i.opcode {
	case "convolution":
		bad("a convolution that is not cuDNN's: %v by %v", i.shapes[0].dimensions, i.window)
	case "constant":
		if i.bytes() >= constantLimit {
			bad("a constant of %.1f MiB: %v", float64(i.bytes())/(1<<20), i.shapes[0].dimensions)
		}
	case "custom-call":
		if strings.Contains(i.target, "callback") || strings.Contains(i.target, "MoveToHost") {
			bad("a call of the host: %s", i.target)
		}
	case "infeed", "outfeed", "send", "recv":
		bad("a transfer to the host: %s", i.opcode)
	}
	if strings.HasPrefix(i.target, "__cudnn$conv") {
		for _, d := range i.window {
			if d.baseDilation > 1 && !strings.HasSuffix(i.target, "BackwardInput") {
				bad("a convolution with dilated input that is not cuDNN's gradient: %s", i.target)
			}
		}
	}
}

// printKernels prints the kernels with the largest bounds.
func printKernels(w io.Writer, results []Result, count int) error {
	rows := [][]string{{"kernel", "kind", "GFLOP", "MB", "bound, µs", "outputs"}}
	for _, r := range results {
		slices.SortFunc(r.launches, func(a, b Launch) int { return cmp.Compare(b.Bound, a.Bound) })
		for _, l := range r.launches[:min(count, len(r.launches))] {
			rows = append(rows, []string{l.Name, l.Kind, fmt.Sprintf("%.1f", l.FLOPs/1e9), fmt.Sprintf("%.1f", l.Bytes/1e6),
				fmt.Sprintf("%.1f", l.Bound*1e6), l.Shape})
		}
	}
	return terminal.PrintTable(w, rows)
}
