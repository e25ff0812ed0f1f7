package main

import (
	"fmt"
	"text/tabwriter"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/train"
)

// dryRun prints what a run would do: a table in comments, then all settings, which together are a configuration that can
// be stored and used.
func (o *globalOptions) dryRun(s *session, run configs.Run, t trainOptions) error {
	m, err := s.mapperOf(run)
	if err != nil {
		return err
	}
	rows, source := run.Pairs.Rows, "to be sampled from seed "+fmt.Sprint(run.Pairs.Seed)
	if t.pairs != "" {
		pairs, err := pairs.Open(t.pairs)
		if err != nil {
			return err
		}
		defer pairs.Close()
		rows, source = pairs.Len(), t.pairs
	}
	if t.validationPairs == "" {
		rows -= run.Train.Validation.Rows
	}
	config := run.Train.Resolved(rows)
	estimate := train.EstimateMemory(config, m, s.networks)
	table := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(table, "# %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("pairs", "%d to train on, %d to validate; %s", rows, config.Validation.Rows, source)
	line("mapper", "%d parameters, trained", m.Parameters())
	line("generator", "%d parameters, frozen", s.networks.Generator.Shapes().Elements())
	line("clip", "%d parameters, frozen", s.networks.CLIP.Shapes().Elements())
	perStep := config.Batch * config.Optimizer.Accumulate
	for i, stage := range config.Stages {
		steps := stage.Schedule.Steps
		line(fmt.Sprintf("stage %d, %s", i, stage.Name), "%d steps of %d pairs: %.2f epochs", steps, perStep, float64(steps)*float64(perStep)/float64(rows))
	}
	line("steps", "%d", config.Steps())
	line("memory", "about %s: weights and optimizer %s, programs %s, a batch's pictures and gradients %s",
		terminal.ByteSize(estimate.Total()), terminal.ByteSize(estimate.Weights), terminal.ByteSize(estimate.Programs), terminal.ByteSize(estimate.Batch))
	line("checkpoint", "%s each, %d kept and the best", terminal.ByteSize(estimate.Checkpoint), config.Checkpoint.Keep)
	if err := table.Flush(); err != nil {
		return err
	}
	text, err := run.YAML()
	if err != nil {
		return err
	}
	_, err = o.stdout.Write(text)
	return err
}
