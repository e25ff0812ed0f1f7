package eval

import (
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// MetricName names a metric that a request may ask for. "r_precision", "kid" and "attribute_accuracy" stand for several
// figures each.
type MetricName string

// names are in the order of results.
var names = []string{
	"clip_similarity", "clip_score", "clip_score_torchmetrics", "r_precision", "attribute_accuracy", "diversity",
	"lpips_diversity", "vendi_score", "input_similarity", "z_distance", "z_mean", "z_std", "fid", "kid", "cmmd",
	"precision", "recall", "density", "coverage",
}

// MetricNames lists the names in words.
func MetricNames() string { return strings.Join(names, ", ") }

// UnmarshalText reads a name.
func (n *MetricName) UnmarshalText(text []byte) error {
	if !slices.Contains(names, string(text)) {
		return fault.Usage(&fault.ChoiceError{What: "metric", Value: string(text)},
			"%s", fault.Choices("the metrics", string(text), names))
	}
	*n = MetricName(text)
	return nil
}
