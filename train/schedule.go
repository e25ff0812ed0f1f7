package train

import (
	"fmt"
	"math"

	"illustrator/internal/fault"
)

// Schedule is the learning rate over a stage's steps.
type Schedule struct {
	// Kind is "cosine", from LearningRate down to MinLearningRate over Steps (torch's CosineAnnealingLR), or "constant".
	Kind            string  `yaml:"kind"`
	Steps           int     `yaml:"steps"`
	LearningRate    float64 `yaml:"learning_rate"`
	MinLearningRate float64 `yaml:"min_learning_rate"`
}

// At returns the learning rate of a step counted from 0.
func (s Schedule) At(step int) float64 {
	if s.Kind == "constant" {
		return s.LearningRate
	}
	return s.MinLearningRate + (s.LearningRate-s.MinLearningRate)*(1+math.Cos(math.Pi*float64(step)/float64(s.Steps)))/2
}

// Validate returns an error that names the first setting without sense.
func (s Schedule) Validate() error {
	bad := func(field string, value any, want string) error {
		return fault.Usage(fmt.Errorf("schedule.%s is %v", field, value), "schedule.%s must be %s", field, want)
	}
	switch {
	case s.Kind != "cosine" && s.Kind != "constant":
		return bad("kind", fmt.Sprintf("%q", s.Kind), `"cosine" or "constant"`)
	case s.Steps < 1 || s.Steps > 1<<40:
		return bad("steps", s.Steps, "at least 1")
	case !(s.LearningRate > 0 && s.LearningRate <= 10):
		return bad("learning_rate", s.LearningRate, "above 0 and at most 10 (1e-4 in the release)")
	case !(s.MinLearningRate >= 0 && s.MinLearningRate <= s.LearningRate):
		return bad("min_learning_rate", s.MinLearningRate, "from 0 to learning_rate")
	}
	return nil
}
