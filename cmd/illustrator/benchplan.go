package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/train/bench"
	"illustrator/train/runs"
)

type planOptions struct {
	benchOptions
	of runs.Amounts
}

func newBenchPlanCommand(opts *terminal.Options) *cobra.Command {
	var p planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Estimate the time of pairs and trainings on several devices",
		Long: `Measures on this machine, on one device, how fast a run's pairs are sampled and each stage of its mapper is
trained, at the run's own batches, and prints what the work takes on a number of such devices. Pairs are shared in parts
(illustrator pairs --part), trainings as the cells of a study (illustrator ablate --part). Compiling, evaluation and the
file system are not counted.`,
		Example: `  illustrator bench plan
  illustrator bench plan --config paper --pairs 1000000 --trainings 30 --devices 1,8,64`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBenchPlan(cmd, opts, p) },
	}
	p.addFlags(cmd.Flags())
	cmd.Flags().IntVar(&p.of.Pairs, "pairs", 0, "number of pairs (default the run's)")
	cmd.Flags().IntVar(&p.of.Trainings, "trainings", 1, "number of trainings, such as the cells of a study")
	cmd.Flags().IntSliceVar(&p.of.Devices, "devices", []int{1, 2, 4, 8}, "numbers of devices")
	return cmd
}

func runBenchPlan(cmd *cobra.Command, opts *terminal.Options, p planOptions) error {
	job, err := p.job(opts)
	if err != nil {
		return err
	}
	if p.of.Pairs == 0 {
		p.of.Pairs = job.Run.Pairs.Rows
	}
	switch {
	case p.of.Pairs < 1 || p.of.Pairs > pairs.MaxRows:
		return fault.Field("--pairs", p.of.Pairs, "from 1 to %d", pairs.MaxRows)
	case p.of.Trainings < 1:
		return fault.Field("--trainings", p.of.Trainings, "1 or more")
	case len(p.of.Devices) == 0 || slices.Min(p.of.Devices) < 1:
		return fault.Field("--devices", p.of.Devices, "numbers from 1, such as 1,8")
	}
	works, err := job.CostWorks()
	if err != nil {
		return err
	}
	if p.serve != "" {
		at := slices.IndexFunc(works, func(c bench.Case) bool { return fmt.Sprintf("%s:%d", c.Name, c.Batch) == p.serve })
		if at < 0 {
			return errServe(p.serve)
		}
		return serveCase(cmd, opts, works[at])
	}
	backend, err := opts.BackendName()
	if err != nil {
		return err
	}
	worker, err := p.worker("plan", backend)
	if err != nil {
		return err
	}
	cost, err := job.Cost(cmd.Context(), opts.Env(), works, p.rounds, p.of, worker)
	if err != nil {
		return err
	}
	if p.asJSON {
		return jsonfile.Print(opts.Stdout, cost)
	}
	return printCost(opts.Stdout, cost)
}

func printCost(w io.Writer, c runs.Cost) error {
	if _, err := fmt.Fprintf(w, "%d cores, load average %s\n\n", c.Cores, c.Load); err != nil {
		return err
	}
	if err := terminal.PrintTable(w, c.RateTable()); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return terminal.PrintTable(w, c.WorkTable())
}
