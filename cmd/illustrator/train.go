package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/train"
	"illustrator/train/runs"
)

const trainLong = `Trains a mapper with the settings of a YAML file, in its own folder: config.yaml (all settings),
run.json (state), log.txt, metrics.jsonl, checkpoints, samples of validation.texts, tensorboard, mapper-best and
mapper-last. Without --out the folder is runs/NUMBER-NAME. Pairs are sampled into it first unless --pairs gives a set.

The same command resumes from the newest checkpoint, to the same bits as an undisturbed training; it refuses other
settings in the same folder. Ctrl-C finishes the step and writes a checkpoint. With train.devices above 1 several
devices share every batch; the result is the mapper of one device, up to rounding. With train.precision=bfloat16
generator and CLIP compute the semantic loss in bfloat16.

--continue trains the mapper of a finished run further, in a new folder: with that run's settings and --set, on pairs
sampled alike or those of --pairs. It starts from mapper-last with a fresh optimizer, and each schedule begins again at
its first step: steps and learning rates of train.stages are those of the further training.

--set names a setting by its path in the file: train.batch=16, train.stages.1.schedule.steps=700. losses.semantic=0.5 is
the last stage's loss weight.`

type trainOptions struct {
	config, domain, pairs, validationPairs, out, name, further string
	set                                                        []string
	dryRun                                                     bool
}

func newTrainCommand(opts *terminal.Options) *cobra.Command {
	var t trainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a mapper",
		Long:  trainLong,
		Example: `  illustrator train --config lorelei --out runs/first
  illustrator train --config examples/run.yaml --set train.batch=32 --set losses.l1=0.5 --name batch32
  illustrator train --continue examples/runs/first --set train.stages.0.schedule.steps=200 --out runs/further
  illustrator train --config examples/run.yaml --pairs examples/pairs --validation-pairs examples/held-out --dry-run`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTrain(cmd.Context(), opts, t) },
	}
	flags := cmd.Flags()
	flags.StringVar(&t.config, "config", defaultRun, fmt.Sprintf("run: one of %s, or the path of a YAML file",
		strings.Join(configs.Names("runs"), ", ")))
	flags.StringVar(&t.further, "continue", "", "folder of a finished `run` to train further, in place of --config")
	flags.StringVar(&t.domain, "domain", "",
		"domain: the name of an embedded one or the path of a YAML file (default the run's)")
	flags.StringArrayVar(&t.set, "set", nil, "override a setting: `key=value`, such as train.batch=16; may be repeated")
	flags.StringVar(&t.pairs, "pairs", "", "folder of pairs (default pairs in the run's folder, sampled if missing)")
	flags.StringVar(&t.validationPairs, "validation-pairs", "",
		"folder of other pairs to validate on (default the last train.validation.rows of the pairs)")
	flags.StringVarP(&t.out, "out", "o", "",
		"the run's folder (default runs/NUMBER-NAME: that of the same settings if there is one, else a new one)")
	flags.StringVar(&t.name, "name", "",
		"name of a new folder in runs (default the configuration's, without --config the domain's)")
	flags.BoolVar(&t.dryRun, "dry-run", false,
		"check all that is named, print settings, sizes, steps and an estimate of the memory, and do nothing")
	cmd.MarkFlagsMutuallyExclusive("config", "continue")
	return cmd
}

// defaultRun is the configuration without --config.
const defaultRun = "lorelei"

func runTrain(ctx context.Context, opts *terminal.Options, t trainOptions) error {
	open := configs.OpenRun
	if t.further != "" {
		open, t.config = runs.Further, t.further
	}
	run, err := open(t.config, t.set)
	if err != nil {
		return err
	}
	if t.domain != "" && t.domain != run.Domain {
		if err := run.MoveTo(t.domain, t.set); err != nil {
			return err
		}
	} else if err := run.CheckDomain(t.config); err != nil {
		return err
	}
	s, err := readDomain(opts, run.Domain)
	if err != nil {
		return err
	}
	if t.out == "" {
		if err := t.number(run); err != nil {
			return err
		}
	}
	if err := terminal.CheckOutputFolder(t.out); err != nil {
		return err
	}
	job := jobOf(opts, s, run, t.out)
	job.Pairs, job.ValidationPairs = t.pairs, t.validationPairs
	if t.dryRun {
		plan, err := job.Plan(ctx)
		if err != nil {
			return err
		}
		return printPlan(opts.Stdout, run, plan)
	}
	info, err := job.Train(ctx)
	if err != nil {
		return err
	}
	last := run.Train.Stages[len(run.Train.Stages)-1]
	return opts.Printf("%s: validation %s after step %d of %d\n",
		job.Folder.BestMapper(), runs.LossNote(last.Losses, info.Best.Losses), info.Best.Step, info.Steps)
}

// jobOf returns the job of a run in folder out.
func jobOf(opts *terminal.Options, s *session, run configs.Run, out string) *runs.Job {
	return &runs.Job{Env: opts.Env(), Domain: s.domain, Networks: s.networks, Run: run, Folder: train.Folder(out),
		Arguments: os.Args[1:]}
}

// number sets the folder of a run that is given none.
func (t *trainOptions) number(run configs.Run) (err error) {
	base := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
	name := cmp.Or(t.name, base(t.config))
	if t.name == "" && t.domain != "" && t.config == defaultRun {
		name = base(t.domain)
	}
	slug := texts.Slug(name)
	if slug == "" {
		return fault.Usage(fmt.Errorf("--name %q has neither letters nor digits", t.name),
			"give a short name, such as batch16")
	}
	t.out, err = runs.Numbered(run, slug)
	return err
}

// printPlan prints a plan in comments, then all settings: together they are a configuration.
func printPlan(w io.Writer, run configs.Run, plan runs.Plan) error {
	rows := plan.Table()
	for _, row := range rows {
		row[0] = "# " + row[0]
	}
	if err := terminal.PrintTable(w, rows); err != nil {
		return err
	}
	text, err := run.YAML()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
