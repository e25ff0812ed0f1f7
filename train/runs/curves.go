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

// ReadCurves reads the losses of runs, the total first.
func ReadCurves(runs []Run) ([]Curves, error) {
	measured := append([]losses.Loss{losses.Total}, losses.All...)
	all := make([]Curves, len(measured))
	for _, run := range runs {
		lines, err := readMetrics(run.Folder)
		if err != nil {
			return nil, err
		}
		config, err := configs.OpenRun(run.Config(), nil)
		if err != nil {
			return nil, err
		}
		for i, loss := range measured {
			all[i].Loss = loss.Name
			all[i].Runs = append(all[i].Runs, curveOf(loss, run.Name(), config.Train, lines))
		}
	}
	return all, nil
}

// readMetrics reads metrics.jsonl; a run may not have begun it.
func readMetrics(folder train.Folder) ([]train.Line, error) {
	lines, err := train.ReadMetrics(folder.Metrics())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return lines, err
}

func curveOf(l losses.Loss, name string, config train.Config, lines []train.Line) Curve {
	c := Curve{Run: name}
	weights := map[string]losses.Weights{}
	for _, stage := range config.Stages {
		weights[stage.Name] = stage.Losses
	}
	last := config.Stages[len(config.Stages)-1].Losses // those of all validations
	for _, line := range lines {
		if line.Losses != nil && l.Weight(weights[line.Stage]) != 0 {
			c.Training = append(c.Training, Point{line.Step, l.Value(*line.Losses)})
		}
		if line.Validation != nil && l.Weight(last) != 0 {
			c.Validation = append(c.Validation, Point{line.Step, l.Value(line.Validation.FixedNoise)})
		}
	}
	return c
}
