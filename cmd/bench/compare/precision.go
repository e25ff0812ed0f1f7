package compare

import (
	"slices"

	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/train/bench"
)

// Precision is the arithmetic of products and convolutions.
type Precision string

// The precisions. TF32 is float32 whose products CUDA rounds to 10 bits: it's asked of the backend. BFloat16 is that of
// the frozen networks, in sampling and in a training step's semantic loss.
const (
	Float32  Precision = "float32"
	TF32     Precision = "tf32"
	BFloat16 Precision = "bfloat16"
)

// Precisions lists all precisions.
var Precisions = []Precision{Float32, TF32, BFloat16}

// UnmarshalText reads a precision.
func (p *Precision) UnmarshalText(text []byte) error {
	return fault.Choose(p, "precision", text, Precisions...)
}

// Networks is p as the frozen networks are loaded and computed with.
func (p Precision) Networks() pipeline.Precision {
	if p == BFloat16 {
		return pipeline.BFloat16
	}
	return pipeline.Float32
}

// engine is the name of this program in p.
func (p Precision) engine() string {
	if p == Float32 {
		return bench.Engine
	}
	return bench.Engine + " " + string(p)
}

// precisionsOf returns those of wanted that the case has, or else float32.
func precisionsOf(c bench.Case, wanted []Precision) []Precision {
	narrows := c.Task == bench.Sampling || c.Task == bench.Pairs || c.Task == bench.Training && c.Losses.Semantic != 0
	has := slices.DeleteFunc(slices.Clone(wanted), func(p Precision) bool { return p == BFloat16 && !narrows })
	if len(has) == 0 {
		return []Precision{Float32}
	}
	return has
}

// ByPrecision takes options apart into those of each precision, so that fewer processes hold a GPU's memory at a time.
func (o Options) ByPrecision() (parts []Options) {
	for _, p := range Precisions {
		part := o
		part.Modes = slices.DeleteFunc(slices.Clone(o.Modes), func(m Mode) bool { return m.Precision() != p })
		if part.Precisions = []Precision{p}; len(part.Modes) > 0 || slices.Contains(o.Precisions, p) {
			parts = append(parts, part)
		}
	}
	return parts
}
