package runs

import (
	"context"
	"fmt"
	"time"

	"illustrator/internal/pace"
	"illustrator/models/host"
	"illustrator/models/xla/programs"
	"illustrator/train"
)

const (
	// probeSteps are the steps that a probe times, after the one that compiles.
	probeSteps = 2
	// probeWorth is the number of steps from which a stage is worth a probe: its steps are 3 % of the stage.
	probeWorth = 100
)

// probe times a few steps of stages to come that have no known pace, so that a first training has an estimate when it
// begins. Nothing of those steps is kept but their time: the training starts afterwards as it would have without them.
// done is the number of steps that are done.
func (j *Job) probe(ctx context.Context, training *train.Training, parts []host.Part, done int) error {
	if j.Env.Note == nil || !programs.Kept() { // else each stage would be compiled twice
		return nil
	}
	stages := unknownStages(j.Env, parts, done)
	if len(stages) == 0 {
		return nil
	}
	step, err := training.Stepper()
	if err != nil {
		return err
	}
	bar := j.Env.Stage("Timing later stages", host.Part{Units: len(stages) * (1 + probeSteps)})
	defer bar.Done()
	timed := 0
	for _, stage := range stages {
		first := firstStep(parts, stage)
		var began time.Time
		for s := range 1 + probeSteps {
			if ctx.Err() != nil { // the training ends by it, in its own words
				return nil
			}
			if s == 1 {
				began = time.Now()
			}
			if _, err := step(first + s); err != nil {
				return fmt.Errorf("time stage %s: %w", parts[stage].Name, err)
			}
			timed++
			bar.Set(timed, "stage "+parts[stage].Name)
		}
		j.Env.Note(parts[stage].Kind, pace.Pace{Unit: time.Since(began).Seconds() / probeSteps})
	}
	return nil
}

// unknownStages lists the stages after the one at hand that are worth a probe and whose pace nothing tells: no earlier
// process, and no stage of the same kind before them.
func unknownStages(env host.Env, parts []host.Part, done int) (stages []int) {
	seen := map[string]bool{}
	for i, p := range parts {
		begun := done >= firstStep(parts, i)
		if _, known := env.Estimate([]host.Part{p}); !begun && !known && !seen[p.Kind] && p.Units >= probeWorth {
			stages = append(stages, i)
		}
		seen[p.Kind] = seen[p.Kind] || done < firstStep(parts, i+1)
	}
	return stages
}

// firstStep is the first step of a stage, counted from 0.
func firstStep(parts []host.Part, stage int) (first int) {
	for _, p := range parts[:stage] {
		first += p.Units
	}
	return first
}
