package runs

import (
	"errors"
	"io/fs"

	"illustrator/configs"
	"illustrator/losses"
	"illustrator/train"
)

// Curves are the values of one loss in several runs.
type Curves struct {
	Loss string
	Runs []Curve
}

// Curve is a loss over a run's steps: in training by the weights of each stage, in validation by those of the last
// stage, with the noise held fixed. It has no points where the loss has no weight.
type Curve struct {
	Run                  string
	Training, Validation []Point
}

// Point is a loss at a step.
type Point struct {
	Step  int
	Value float64
}

// ReadCurves reads the losses of runs: the total first, unless the runs sum it by different weights.
func ReadCurves(runs []Run) ([]Curves, error) {
	measured := losses.All
	if same, err := sameWeights(runs); err != nil {
		return nil, err
	} else if same {
		measured = append([]losses.Loss{losses.Total}, losses.All...)
	}
	all := make([]Curves, len(measured))
	for i, loss := range measured {
		all[i].Loss = loss.Name
	}
	for _, run := range runs {
		of, err := curvesOf(run, measured)
		if err != nil {
			return nil, err
		}
		for i := range measured {
			all[i].Runs = append(all[i].Runs, of[i])
		}
	}
	return all, nil
}

// curvesOf reads a run's losses, those of the run before it first. That run's validations have other weights, so that
// the total's are left out.
func curvesOf(run Run, measured []losses.Loss) ([]Curve, error) {
	curves, steps := make([]Curve, len(measured)), 0
	for _, folder := range []train.Folder{run.Before, run.Folder} {
		if folder == "" {
			continue
		}
		lines, err := readMetrics(folder)
		if err != nil {
			return nil, err
		}
		config, err := configs.OpenRun(folder.Config(), nil)
		if err != nil {
			return nil, err
		}
		for i, loss := range measured {
			part := curveOf(loss, run.name(), config.Train, lines, steps)
			if folder == run.Before && loss.Name == losses.Total.Name {
				part.Validation = nil
			}
			curves[i].Run = part.Run
			curves[i].Training = append(curves[i].Training, part.Training...)
			curves[i].Validation = append(curves[i].Validation, part.Validation...)
		}
		if len(lines) > 0 {
			steps = lines[len(lines)-1].Step
		}
	}
	return curves, nil
}

// readMetrics reads metrics.jsonl; a run may not have begun it.
func readMetrics(folder train.Folder) ([]train.Line, error) {
	lines, err := train.ReadMetrics(folder.Metrics())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return lines, err
}

// curveOf reads a loss off the lines of a run that follows after a number of steps.
func curveOf(l losses.Loss, name string, config train.Config, lines []train.Line, after int) Curve {
	c := Curve{Run: name}
	weights := map[string]losses.Weights{}
	for _, stage := range config.Stages {
		weights[stage.Name] = stage.Losses
	}
	last := config.Stages[len(config.Stages)-1].Losses // those of all validations
	for _, line := range lines {
		if line.Losses != nil && l.Weight(weights[line.Stage]) != 0 {
			c.Training = append(c.Training, Point{after + line.Step, l.Value(*line.Losses)})
		}
		if line.Validation != nil && l.Weight(last) != 0 {
			c.Validation = append(c.Validation, Point{after + line.Step, l.Value(line.Validation.FixedNoise)})
		}
	}
	return c
}
