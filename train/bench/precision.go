package bench

import (
	"fmt"
	"slices"

	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// Precision is what products and convolutions are computed in.
type Precision string

// The precisions. TF32 is float32 whose products CUDA rounds to 10 bits: it's asked of the backend. BFloat16 is that of the
// frozen networks in a training step's semantic loss.
const (
	Float32  Precision = "float32"
	TF32     Precision = "tf32"
	BFloat16 Precision = "bfloat16"
)

// Precisions lists all precisions.
var Precisions = []Precision{Float32, TF32, BFloat16}

// ParsePrecision returns the precision called name, or an error that lists them.
func ParsePrecision(name string) (Precision, error) {
	if slices.Contains(Precisions, Precision(name)) {
		return Precision(name), nil
	}
	return "", fault.Usage(fmt.Errorf("precision %q is unknown", name), "use %s", list(Precisions))
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
		return Engine
	}
	return Engine + " " + string(p)
}

// precisions are those of asked that the case has; float32 comes first always.
func (c Case) precisions(asked []Precision) []Precision {
	all := []Precision{Float32}
	for _, p := range asked {
		narrow := p == BFloat16 && (c.Task != Training || c.Losses.Semantic == 0) // nothing would be narrowed
		if p != Float32 && !narrow {
			all = append(all, p)
		}
	}
	return all
}
