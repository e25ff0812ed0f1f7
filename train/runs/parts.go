package runs

import (
	"fmt"
	"slices"
	"time"

	"illustrator/data/pairs"
	"illustrator/losses"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// parts are the parts of the run's work, with the rows to sample, 0 where none are: sampling, and each stage of
// training.
func (j *Job) parts(sample int) ([]host.Part, error) {
	m, err := j.mapper()
	if err != nil {
		return nil, err
	}
	rows := j.Run.Pairs.Rows
	if j.ValidationPairs == "" {
		rows -= j.Run.Train.Validation.Rows
	}
	meta := pairsMeta(j.Networks, j.Domain.Name, j.Run.Pairs)
	stages := trainingParts(j.Networks, j.Run.Train.Resolved(rows), m.Parameters())
	return append([]host.Part{samplingPart(meta, sample)}, stages...), nil
}

// samplingPart is the sampling of pairs.
func samplingPart(m pairs.Meta, rows int) host.Part {
	kind := fmt.Sprintf("sample generator=%.12s clip=%.12s noise=%s batch=%d", m.GeneratorSHA256, m.CLIPSHA256,
		m.NoiseMode, m.Batch)
	if m.DType != pipeline.Float32.String() {
		kind += " " + m.DType
	}
	return host.Part{Units: rows, Kind: kind}
}

// trainingParts are the stages of a resolved training.
func trainingParts(n *pipeline.Networks, c train.Config, parameters int) (parts []host.Part) {
	for _, stage := range c.Stages {
		kind := fmt.Sprintf("train generator=%.12s clip=%.12s mapper=%d batch=%d×%d devices=%d %s noise=%s recompute=%v",
			n.Hashes["generator"], n.Hashes["clip"], parameters, c.Batch, c.Optimizer.Accumulate, c.Devices, c.Precision,
			c.NoiseMode, c.Recompute)
		for _, l := range losses.All {
			kind += fmt.Sprintf(" %s=%v", l.Name, l.Weight(stage.Losses) != 0)
		}
		// A validation is a part of the steps that it follows.
		kind += fmt.Sprintf(" validation=%d/%d texts=%d", c.Validation.Rows, c.Validation.Every, len(c.Validation.Texts))
		parts = append(parts, host.Part{Name: stage.Name, Units: stage.Schedule.Steps, Kind: kind})
	}
	return parts
}

// Left holds what a run takes still.
type Left struct {
	Steps   int
	Seconds float64 // by the times of earlier processes, with the parts of Env.Then
	Known   bool    // false where those don't tell all of it
	Bytes   int64   // that its mappers take
	Working int64   // that its checkpoints take while it trains
}

// Left returns what the run takes still.
func (j *Job) Left() (left Left, err error) {
	sample := 0
	if j.Pairs == "" {
		sample = j.Run.Pairs.Rows
		if set, err := pairs.Open(j.Folder.Pairs()); err == nil {
			sample -= set.Len()
			if err := set.Close(); err != nil {
				return left, err
			}
		}
	}
	parts, err := j.parts(max(0, sample))
	if err != nil {
		return left, err
	}
	if info, _ := j.Folder.ReadInfo(); info != nil {
		done := info.Step
		if info.Status == train.Finished {
			done = info.Steps
		}
		parts = without(parts, 1, done)
	}
	for _, p := range parts[1:] {
		left.Steps += p.Units
	}
	left.Seconds, left.Known = j.Env.Estimate(slices.Concat(parts, j.Env.Then))
	m, err := j.mapper()
	memory := train.EstimateMemory(j.Run.Train, m, j.Networks)
	const float32Bytes, mappers = 4, 2
	left.Bytes = int64(m.Parameters()) * float32Bytes * mappers
	left.Working = memory.Checkpoint * int64(j.Run.Train.Checkpoint.Keep+1)
	return left, err
}

// without takes done units off the parts from a place on.
func without(parts []host.Part, from, done int) []host.Part {
	for i := from; i < len(parts); i++ {
		less := min(done, parts[i].Units)
		parts[i].Units, done = parts[i].Units-less, done-less
	}
	return parts
}

// LogEstimate says how long the job called name takes, where earlier processes tell.
func (j *Job) LogEstimate(name string) error {
	left, err := j.Left()
	if err != nil || left.Seconds == 0 {
		return err
	}
	about := time.Duration(left.Seconds * float64(time.Second)).Round(time.Second)
	if left.Known {
		j.Env.Log.Info(fmt.Sprintf("%s takes about %v, by the times of earlier runs", name, about))
	} else {
		j.Env.Log.Info(fmt.Sprintf("%s takes over %v: some of its parts have not run here yet", name, about))
	}
	return nil
}
