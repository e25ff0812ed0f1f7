// Package train trains the mapper: the loop, its stages of loss weights, validation, and the run folder.
package train

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Config is the training of one mapper.
type Config struct {
	// Batch is the number of pairs that go through the networks at once. On 2 or 3 rows BatchNorm is degenerate: the
	// largest gradient of a fresh mapper of the paper's size is 1e25 to 1e31 with 2, some 1e7 with 3, 50 with 4 and 0.04
	// with 8, in PyTorch 2.15 (12 draws each), so that a draw can overflow to a NaN loss.
	Batch int `yaml:"batch"`
	// Devices is the number of devices that share every batch, each with the same number of its rows. Statistics of
	// BatchNorm and losses are those of the whole batch: the mapper is that of one device up to rounding. It must divide
	// batch and validation.rows; AllDevices takes those that the backend has.
	Devices DeviceCount `yaml:"devices"`
	// Precision of generator and CLIP inside the semantic loss: "float32", or "bfloat16". Mapper, losses and optimizer are
	// float32.
	Precision pipeline.Precision `yaml:"precision"`
	// Recompute has the gradient of the semantic loss compute the generator's layers below the last resolution again
	// instead of keeping their values: less memory at large sizes, for more time.
	Recompute bool `yaml:"recompute,omitempty"`
	// Unclamped has the semantic loss give CLIP the generator's pictures as they are, as the release does. Otherwise their
	// pixels are clamped to what a picture can show, and a pixel that is out of range has no gradient. Pairs are sampled
	// from clamped pictures in either case.
	Unclamped bool `yaml:"unclamped,omitempty"`
	// NoiseMode is the generator's noise inside the semantic loss: "random", drawn again at every step, as in the release,
	// "const", that of the weights' file, or "none".
	NoiseMode  stylegan2.NoiseMode `yaml:"noise_mode"`
	Optimizer  Optimizer           `yaml:"optimizer"`
	Validation Validation          `yaml:"validation"`
	Checkpoint Checkpoint          `yaml:"checkpoint"`
	// OnNaN is the reaction to a loss or a gradient that is not finite: "stop", or "skip", which leaves all weights as
	// they were before the step, for at most NaNLimit steps of the training.
	OnNaN    OnNaN `yaml:"on_nan"`
	NaNLimit int   `yaml:"nan_limit"`
	// LogEvery is the number of steps between two lines of training losses in metrics.jsonl.
	LogEvery int `yaml:"log_every"`
	// Stages are the parts of the training, one after the other, each with its own loss weights, schedule and fresh
	// optimizer: moments gathered under other losses would make the first steps far too long. A file that leaves them out
	// has the release's: one stage of 75,000 steps with all losses.
	Stages []Stage `yaml:"stages"`
}

// Validation measures the losses on pairs that are never trained on.
type Validation struct {
	// Every is the number of steps between two validations; the end of a stage is always validated too.
	Every int `yaml:"every"`
	// Rows is the number of pairs to validate on: the last of the pairs, which are not trained on, or the first of
	// --validation-pairs.
	Rows int `yaml:"rows"`
	// Texts are descriptions that are drawn at every validation, with constant noise, into one grid, so that training can
	// be watched; at most 100.
	Texts []string `yaml:"texts,omitempty"`
}

// Checkpoint says when the whole state of the training is written.
type Checkpoint struct {
	// Every is the number of steps between two checkpoints. Each validation and each interruption writes one too.
	Every int `yaml:"every"`
	// Keep is the number of newest checkpoints that are kept. That of the best validation is kept besides.
	Keep int `yaml:"keep"`
}

// OnNaN says what a loss that is not finite leads to.
type OnNaN string

// What a loss that is not finite leads to.
const (
	StopOnNaN OnNaN = "stop"
	SkipNaN   OnNaN = "skip"
)

// UnmarshalText reads what a loss that is not finite leads to.
func (o *OnNaN) UnmarshalText(text []byte) error {
	return fault.Choose(o, "on_nan", text, StopOnNaN, SkipNaN)
}

// Stage is a part of the training with its own loss weights.
type Stage struct {
	Name     string         `yaml:"name"`
	Losses   losses.Weights `yaml:"losses"`
	Schedule Schedule       `yaml:"schedule"`
}

// Resolved returns c with the length of every stage in steps, for rows rows to train on.
func (c Config) Resolved(rows int) Config {
	c.Stages = slices.Clone(c.Stages)
	for i := range c.Stages {
		c.Stages[i].Schedule = c.Stages[i].Schedule.resolved(rows, c.Batch*c.Optimizer.Accumulate)
	}
	return c
}

// Steps is the number of steps of all stages of a resolved configuration.
func (c Config) Steps() int {
	n := 0
	for _, s := range c.Stages {
		n += s.Schedule.Steps
	}
	return n
}

// stageOf returns the stage of a step counted from 0, and the step within it.
func (c Config) stageOf(step int) (stage, within int) {
	for i, s := range c.Stages {
		if step < s.Schedule.Steps {
			return i, step
		}
		step -= s.Schedule.Steps
	}
	return len(c.Stages), step
}

// validatesAfter reports whether a validation is due after step steps.
func (c Config) validatesAfter(step int) bool {
	_, within := c.stageOf(step)
	return step > 0 && (within == 0 || step%c.Validation.Every == 0 || step == c.Steps())
}

// last returns the last stage, whose loss weights decide which mapper is the best.
func (c Config) last() Stage { return c.Stages[len(c.Stages)-1] }

// needsFrozen reports whether any stage has a semantic loss, which needs generator and CLIP.
func (c Config) needsFrozen() bool {
	for _, s := range c.Stages {
		if s.Losses.Semantic != 0 {
			return true
		}
	}
	return false
}

// CheckMapper returns an error if the losses do not train the mapper's architecture.
func (c Config) CheckMapper(m mapper.Config) error {
	for _, s := range c.Stages {
		switch flow := s.Losses.Flow > 0; {
		case m.Arch == mapper.Prior && !flow:
			return fault.Usage(fmt.Errorf("mapper.arch is prior, and stage %q has no losses.flow", s.Name),
				"train a prior by losses.flow alone, as the run lorelei-prior does")
		case m.Arch != mapper.Prior && flow:
			return fault.Usage(fmt.Errorf("stage %q has losses.flow, and mapper.arch is %s", s.Name, m.Arch),
				"set losses.flow to 0, or mapper.arch to prior")
		}
	}
	return nil
}

// MaxBatch is the largest number of rows of a batch.
const MaxBatch = 1 << 16

// Validate reports the first invalid setting.
func (c Config) Validate() error {
	switch {
	case c.Batch < 2 || c.Batch > MaxBatch:
		return fault.Field("train.batch", c.Batch, "from 2 (BatchNorm needs two rows) to %d", MaxBatch)
	case c.Devices != AllDevices && (c.Devices < 1 || c.Batch%int(c.Devices) != 0):
		return fault.Field("train.devices", c.Devices, "a number that divides train.batch, %d, or all", c.Batch)
	case c.Devices != AllDevices && c.Validation.Rows%int(c.Devices) != 0:
		return fault.Field("train.validation.rows", c.Validation.Rows, "a multiple of train.devices, %d", c.Devices)
	case c.Validation.Every < 1:
		return fault.Field("train.validation.every", c.Validation.Every, "at least 1")
	case c.Validation.Rows < 1:
		return fault.Field("train.validation.rows", c.Validation.Rows, "at least 1")
	case len(c.Validation.Texts) > 100:
		return fault.Field("train.validation.texts", fault.Words(fmt.Sprintf("a list of %d", len(c.Validation.Texts))),
			"at most 100 texts")
	case c.Checkpoint.Every < 1:
		return fault.Field("train.checkpoint.every", c.Checkpoint.Every, "at least 1")
	case c.Checkpoint.Keep < 1 || c.Checkpoint.Keep > 10_000:
		return fault.Field("train.checkpoint.keep", c.Checkpoint.Keep, "from 1 to 10000")
	case c.NaNLimit < 0:
		return fault.Field("train.nan_limit", c.NaNLimit, "0 or more")
	case c.LogEvery < 1:
		return fault.Field("train.log_every", c.LogEvery, "at least 1")
	case len(c.Stages) == 0:
		return fault.Field("train.stages", fault.Words("empty"), "a list with at least one stage")
	}
	if err := errors.Join(fault.CheckChoice("train.noise_mode", c.NoiseMode),
		fault.CheckChoice("train.precision", c.Precision),
		fault.CheckChoice("train.on_nan", c.OnNaN)); err != nil {
		return err
	}
	if err := c.Optimizer.Validate(); err != nil {
		return fmt.Errorf("train.%w", err)
	}
	for i, text := range c.Validation.Texts {
		if strings.TrimSpace(text) == "" {
			return fault.Field(fmt.Sprintf("train.validation.texts[%d]", i), fault.Words("empty"), "a description")
		}
	}
	for i, s := range c.Stages {
		if first := slices.IndexFunc(c.Stages, func(other Stage) bool { return other.Name == s.Name }); first != i {
			return fault.Field(fmt.Sprintf("train.stages[%d].name", i), s.Name,
				"another than that of stage %d: metrics tell stages apart by it", first)
		}
		if err := s.Losses.Validate(); err != nil {
			return fmt.Errorf("train.stages[%d]: %w", i, err)
		}
		if err := s.Schedule.Validate(); err != nil {
			return fmt.Errorf("train.stages[%d]: %w", i, err)
		}
	}
	return nil
}
