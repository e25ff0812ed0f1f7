package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/seeds"
	"illustrator/eval/chart"
	"illustrator/eval/studies"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/share"
	"illustrator/train"
	"illustrator/train/runs"
)

const ablateLong = `Compares the variants of a study's YAML file: overrides of a run's settings, each trained with
several seeds on the same pairs, or settings of drawing with one mapper. Every variant and seed is a cell, measured on
the same texts.

The folder --out gets report.html, which needs no other file, tables as Markdown, CSV, LaTeX and JSON, charts, and a
folder for each cell and training. Figures have 95 % intervals for new texts and new seeds. A mark shows significant
differences from the study's reference, paired by text and seed.

The same command resumes after an interruption and skips finished cells. It refuses a changed variant. It records a cell
that fails and omits it (exit code 3); --retry runs it again.

Processes on several machines share the cells over one folder: each runs the same command with --part K/N, or with
--part auto in an array of Slurm or an indexed job of Kubernetes. It ends when others hold all cells that are left. The
cells of a process that was killed are free after a minute. At last the command without --part completes the study and
writes the report.`

type ablateOptions struct {
	grid, out, pairs, run, domain, seeds string
	set                                  []string
	jobs                                 int
	part                                 share.Part
	retry, dryRun, asJSON                bool
}

func newAblateCommand(opts *terminal.Options) *cobra.Command {
	var a ablateOptions
	cmd := &cobra.Command{
		Use:   "ablate STUDY...",
		Short: "Compare variants of a run: losses, prompts, or a list of your own",
		Long:  ablateLong,
		Example: `  illustrator ablate losses --seeds 0-1
  illustrator ablate prompts --run examples/runs/first --dry-run
  illustrator ablate limited open-world --domain lorelei --out both
  illustrator ablate losses --out shared/losses --part 1/8
  illustrator ablate --grid examples/study.yaml --run examples/runs/first --out study`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runAblate(cmd.Context(), opts, a, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&a.grid, "grid", "", "YAML file of a study of your own")
	flags.StringVarP(&a.out, "out", "o", "",
		"folder to write (default ablations/STUDY, or ablations/DOMAIN/STUDY); of several studies, the folder of theirs")
	flags.StringVar(&a.pairs, "pairs", "", "folder of pairs (default pairs in --out, sampled where the study needs them)")
	flags.StringVar(&a.run, "run", "",
		"folder of a run whose mapper is used by a study that does not train (default the domain's mapper)")
	flags.StringVar(&a.domain, "domain", "", "domain to study, by name or YAML file (default that of the study's run)")
	flags.StringVar(&a.seeds, "seeds", "", "seeds, such as 0-4 (default the study's)")
	flags.StringArrayVar(&a.set, "set", nil,
		"override a setting of all variants: `key=value`, as of illustrator train; may be repeated")
	flags.IntVar(&a.jobs, "jobs", 1, "cells at a time, each with a device client of its own")
	flags.Var(&a.part, "part",
		"share the cells with other processes over one --out, beginning at the `K/N`-th part; auto in an array of tasks")
	flags.BoolVar(&a.retry, "retry", false, "do cells again that failed")
	flags.BoolVar(&a.dryRun, "dry-run", false, "list cells, steps, and an estimate of time and disk, and do nothing")
	flags.BoolVar(&a.asJSON, "json", false, "print the table, the differences and the verdicts as JSON")
	return cmd
}

func runAblate(ctx context.Context, opts *terminal.Options, a ablateOptions, args []string) error {
	if a.grid != "" {
		args = append(args, a.grid)
	}
	if len(args) == 0 {
		return fault.Usage(errors.New("no study is given"), "give one of %s, or --grid FILE",
			strings.Join(configs.Names("studies"), ", "))
	}
	if a.jobs < 1 || a.jobs > 64 {
		return fault.Usage(fmt.Errorf("--jobs is %d", a.jobs), "from 1 to 64; more than there are devices is of no use")
	}
	var err error
	if a.run, err = runs.LocateFinished(ctx, opts.Env(), a.run); err != nil {
		return err
	}
	options, err := a.options(opts, args)
	if err != nil {
		return err
	}
	var all []*studies.Study
	for _, ref := range args {
		s, err := studies.Open(opts.Env(), ref, a.set, options(ref))
		if err != nil {
			return err
		}
		if err := terminal.CheckOutputFolder(s.Out()); err != nil {
			return err
		}
		all = append(all, s)
	}
	if a.dryRun {
		return listCells(opts, all)
	}
	return a.execute(ctx, opts, all)
}

// folder returns the folder to write, or the one that has the studies' folders.
func (a ablateOptions) folder() string {
	return cmp.Or(a.out, filepath.Join("ablations", studies.NameOf(a.domain)))
}

// options returns the options of each study.
func (a ablateOptions) options(opts *terminal.Options, refs []string) (func(ref string) studies.Options, error) {
	o := studies.Options{
		Out: a.folder(), Several: len(refs) > 1, Pairs: a.pairs, Run: a.run, Domain: a.domain, Part: a.part,
		Jobs: a.jobs, Retry: a.retry, Command: "illustrator " + strings.Join(os.Args[1:], " "),
		Trainer: trainer{runs.Trainer{Env: opts.Env(), Arguments: os.Args[1:], Explain: hints.Explain}},
	}
	if a.seeds != "" {
		var err error
		if o.Seeds, err = seeds.Parse(a.seeds); err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
	}
	return func(ref string) studies.Options {
		o := o
		if a.out == "" && !o.Several {
			o.Out = filepath.Join(o.Out, studies.NameOf(ref))
		}
		return o
	}, nil
}

func listCells(opts *terminal.Options, all []*studies.Study) error {
	for _, s := range all {
		plan, err := s.Plan()
		if err != nil {
			return err
		}
		for _, rows := range [][][]string{plan.Table(), {nil}, plan.Totals()} {
			if err := terminal.PrintTable(opts.Stdout, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// execute executes studies one after the other and prints their results; of several it writes one more report.
func (a ablateOptions) execute(ctx context.Context, opts *terminal.Options, all []*studies.Study) (failed error) {
	var reports []*studies.Results
	for _, s := range all {
		if a.part.N > 0 {
			if err := a.share(ctx, opts, s); err != nil {
				return fmt.Errorf("study %s: %w", s.Name, err)
			}
			continue
		}
		results, err := s.Run(ctx)
		if err == nil {
			err = a.print(opts, results)
		}
		if err != nil {
			return fmt.Errorf("study %s: %w", s.Name, err)
		}
		if results.Failed > 0 {
			failed = errors.Join(failed, fmt.Errorf("%d of %d cells failed; --retry does them again: %w",
				results.Failed, results.Cells, fault.ErrPartial))
		}
		reports = append(reports, results)
	}
	if len(reports) < 2 {
		return failed
	}
	path, err := studies.ReportAll(a.folder(), "illustrator "+strings.Join(os.Args[1:], " "), reports)
	if err == nil {
		_, err = fmt.Fprintln(opts.Stdout, path)
	}
	return errors.Join(failed, err)
}

// share executes this process's share of a study.
func (a ablateOptions) share(ctx context.Context, opts *terminal.Options, s *studies.Study) error {
	held, err := s.Share(ctx)
	if err != nil {
		return err
	}
	state := "all cells are done"
	if held > 0 {
		state = fmt.Sprintf("other processes hold the %d cells that are left", held)
	}
	return opts.Printf("%s: %s\n", s.Out(), state)
}

func (a ablateOptions) print(opts *terminal.Options, r *studies.Results) error {
	if a.asJSON {
		return jsonfile.Print(opts.Stdout, r.Result)
	}
	return printFigures(opts.Stdout, r.Table, append(r.Findings, r.Report)...)
}

// trainer trains the mappers of studies and draws their losses.
type trainer struct{ runs.Trainer }

// Plan implements studies.Trainer.
func (t trainer) Plan(run configs.Run, folder, pairs string) (studies.TrainingPlan, error) {
	left, err := t.Left(run, folder, pairs)
	return studies.TrainingPlan(left), err
}

// Losses implements studies.Trainer.
func (trainer) Losses(trainings []studies.Training) (chart.Figure, error) {
	var of []runs.Run
	for _, t := range trainings {
		of = append(of, runs.Run{Folder: train.Folder(t.Folder), Label: t.Label, Before: train.Folder(t.Before)})
	}
	return lossFigure(of, false)
}
