package main

import (
	"errors"
	"io/fs"

	"illustrator/configs"
	"illustrator/eval/chart"
	"illustrator/losses"
	"illustrator/train"
)

// measuredLosses are all losses, the total first.
var measuredLosses = append([]losses.Loss{losses.Total}, losses.All...)

// readMetrics reads what a run has written down; a run may not have begun to.
func readMetrics(folder train.Folder) ([]train.Line, error) {
	lines, err := train.ReadMetrics(folder.Metrics())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return lines, err
}

// curvesOf is a figure of the losses of runs over their steps, one panel for each loss that any of them measured so far.
// log asks for logarithmic axes; a panel with values that have no logarithm has a linear one.
func curvesOf(runs []storedRun, log bool) (chart.Figure, error) {
	figure := chart.Figure{Title: "Losses", SharedX: true, Note: "thin lines: training, by the weights of each stage; points: validation, by those of the last stage, with the noise held fixed"}
	panels := make([]chart.Panel, len(measuredLosses))
	for _, run := range runs {
		lines, err := readMetrics(run.Folder)
		if err != nil {
			return figure, err
		}
		config, err := configs.OpenRun(run.Config(), nil)
		if err != nil {
			return figure, err
		}
		for i, loss := range measuredLosses {
			panels[i].Series = append(panels[i].Series, seriesOf(loss, run.Name(), config.Train, lines)...)
		}
	}
	for i, p := range panels {
		p.Title, p.X, p.Y, p.LogY = measuredLosses[i].Name, "step", "loss", log && allPositive(p)
		if hasPoints(p) {
			figure.Panels = append(figure.Panels, p)
		}
	}
	return figure, nil
}

// seriesOf are the values of a loss in training and in validation, where it has a weight.
func seriesOf(l losses.Loss, name string, config train.Config, lines []train.Line) []chart.Series {
	training, validation := chart.Series{Name: name, Faint: true}, chart.Series{Name: name}
	weights := map[string]losses.Weights{}
	for _, stage := range config.Stages {
		weights[stage.Name] = stage.Losses
	}
	last := config.Stages[len(config.Stages)-1].Losses // those of all validations
	for _, line := range lines {
		x := float64(line.Step)
		if line.Losses != nil && l.Weight(weights[line.Stage]) != 0 {
			training.Points = append(training.Points, chart.Point{X: x, Y: l.Value(*line.Losses)})
		}
		if line.Validation != nil && l.Weight(last) != 0 {
			validation.Points = append(validation.Points, chart.Point{X: x, Y: l.Value(line.Validation.FixedNoise)})
		}
	}
	return []chart.Series{training, validation}
}

func hasPoints(p chart.Panel) bool {
	for _, s := range p.Series {
		if len(s.Points) > 0 {
			return true
		}
	}
	return false
}

func allPositive(p chart.Panel) bool {
	for _, s := range p.Series {
		for _, point := range s.Points {
			if point.Y <= 0 {
				return false
			}
		}
	}
	return true
}
