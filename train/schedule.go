package train

import (
	"math"

	"illustrator/internal/fault"
)

// ScheduleKind is the course of the learning rate.
type ScheduleKind string

// The courses of the learning rate after the warm-up.
const (
	Cosine   ScheduleKind = "cosine" // falls to MinLearningRate: torch's CosineAnnealingLR
	Constant ScheduleKind = "constant"
)

// UnmarshalText reads a kind of schedule.
func (k *ScheduleKind) UnmarshalText(text []byte) error {
	return fault.Choose(k, "schedule kind", text, Cosine, Constant)
}

// Schedule is the learning rate over a stage.
type Schedule struct {
	// Kind is "cosine", from LearningRate down to MinLearningRate over the steps after the warm-up (torch's
	// CosineAnnealingLR), or "constant".
	Kind ScheduleKind `yaml:"kind"`
	// Steps is the stage's length, or Epochs is: the number of times that each training row is seen, rounded up to steps.
	Steps  int     `yaml:"steps"`
	Epochs float64 `yaml:"epochs,omitempty"`
	// Warmup is the number of steps, at the stage's beginning and among Steps, over which the rate rises linearly from
	// LearningRate/Warmup to LearningRate.
	Warmup          int     `yaml:"warmup,omitempty"`
	LearningRate    float64 `yaml:"learning_rate"`
	MinLearningRate float64 `yaml:"min_learning_rate"`
}

// At returns the learning rate of a step counted from 0.
func (s Schedule) At(step int) float64 {
	if step < s.Warmup {
		return s.LearningRate * float64(step+1) / float64(s.Warmup)
	}
	if s.Kind == Constant {
		return s.LearningRate
	}
	share := float64(step-s.Warmup) / float64(s.Steps-s.Warmup)
	return s.MinLearningRate + (s.LearningRate-s.MinLearningRate)*(1+math.Cos(math.Pi*share))/2
}

// maxSteps is more than any machine does.
const maxSteps = 1 << 40

// Validate reports the first invalid setting.
func (s Schedule) Validate() error {
	if err := fault.CheckChoice("schedule.kind", s.Kind); err != nil {
		return err
	}
	switch {
	case s.Epochs != 0 && s.Steps != 0:
		return fault.Field("schedule.epochs", s.Epochs, "left out where schedule.steps gives the length")
	case s.Epochs != 0 && !(s.Epochs > 0 && s.Epochs <= 1e9):
		return fault.Field("schedule.epochs", s.Epochs, "above 0")
	case s.Epochs == 0 && (s.Steps < 1 || s.Steps > maxSteps):
		return fault.Field("schedule.steps", s.Steps, "at least 1")
	case s.Warmup < 0 || s.Steps > 0 && s.Warmup >= s.Steps:
		return fault.Field("schedule.warmup", s.Warmup, "from 0 to below the number of steps")
	case !(s.LearningRate > 0 && s.LearningRate <= 10):
		return fault.Field("schedule.learning_rate", s.LearningRate, "above 0 and at most 10 (1e-4 in the release)")
	case !(s.MinLearningRate >= 0 && s.MinLearningRate <= s.LearningRate):
		return fault.Field("schedule.min_learning_rate", s.MinLearningRate, "from 0 to learning_rate")
	}
	return nil
}

// resolved turns epochs into steps of batch rows each.
func (s Schedule) resolved(rows, batch int) Schedule {
	if s.Epochs > 0 {
		s.Steps, s.Epochs = int(math.Ceil(s.Epochs*float64(rows)/float64(batch))), 0
	}
	return s
}
