package main

import (
	"illustrator/eval/chart"
	"illustrator/train/runs"
)

// lossFigure draws the losses of runs over their steps, one panel for each loss that any of them measured. log asks for
// logarithmic axes; a panel with values that have no logarithm has a linear one.
func lossFigure(of []runs.Run, log bool) (chart.Figure, error) {
	figure := chart.Figure{Title: "Losses", SharedX: true,
		Note: "thin lines: training; points: validation, with the noise held fixed; " +
			"each loss without its weight, the total by those of its stage"}
	curves, err := runs.ReadCurves(of)
	if err != nil {
		return figure, err
	}
	for _, c := range curves {
		panel := chart.Panel{Title: c.Loss, X: "step", Y: c.Loss + " loss", LogY: log, FromZero: true}
		measured := false
		for _, r := range c.Runs {
			for _, s := range []chart.Series{{Name: r.Run, Faint: true, Points: chartPoints(r.Training)},
				{Name: r.Run, Points: chartPoints(r.Validation)}} {
				measured = measured || len(s.Points) > 0
				for _, p := range s.Points {
					panel.LogY = panel.LogY && p.Y > 0
				}
				panel.Series = append(panel.Series, s)
			}
		}
		if measured {
			figure.Panels = append(figure.Panels, panel)
		}
	}
	return figure, nil
}

func chartPoints(points []runs.Point) (all []chart.Point) {
	for _, p := range points {
		all = append(all, chart.Point{X: float64(p.Step), Y: p.Value})
	}
	return all
}
