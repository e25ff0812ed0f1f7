package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/singleflight"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/eval/report"
	"illustrator/internal/fault"
)

const ablateLong = `Compares variants of a run, as a study's YAML file lists them: overrides of its settings, each trained by several seeds
on the same pairs, or ways to draw with one mapper. Every variant and seed is a cell, judged on the same texts.

The folder --out gets report.html, which needs no other file, tables as Markdown, CSV, LaTeX and JSON, charts, and a folder
for each cell and training. Figures have 95 % intervals for new texts and new seeds; a mark says which differ from the
study's reference, paired by text and seed.

The same command again goes on where it was interrupted and redoes nothing that is done; a changed variant is refused. A
cell that fails is noted and left out (exit code 3) until --retry does it again.`

type ablateOptions struct {
	grid, out, pairs, run, seeds string
	set                          []string
	jobs                         int
	retry, dryRun, asJSON        bool
}

func newAblateCommand(opts *globalOptions) *cobra.Command {
	var a ablateOptions
	cmd := &cobra.Command{
		Use:   "ablate STUDY...",
		Short: "Compare variants of a run: losses, prompts, or a list of your own",
		Long:  ablateLong,
		Example: `  illustrator ablate losses --seeds 0-1
  illustrator ablate prompts --run runs/first
  illustrator ablate --grid my-study.yaml --out my-study --dry-run`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runAblate(cmd.Context(), opts, a, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&a.grid, "grid", "", "YAML file of a study of your own")
	flags.StringVarP(&a.out, "out", "o", "", "folder to write (default ablations/STUDY); of several studies, the folder of theirs")
	flags.StringVar(&a.pairs, "pairs", "", "folder of pairs (default pairs in --out, sampled where the study needs them)")
	flags.StringVar(&a.run, "run", "", "folder of a run whose mapper is used by a study that does not train (default the domain's mapper)")
	flags.StringVar(&a.seeds, "seeds", "", "seeds, such as 0-4 (default the study's)")
	flags.StringArrayVar(&a.set, "set", nil, "override a setting of all variants: `key=value`, as of illustrator train; may be repeated")
	flags.IntVar(&a.jobs, "jobs", 1, "cells at a time, each with a device client of its own")
	flags.BoolVar(&a.retry, "retry", false, "do cells again that failed")
	flags.BoolVar(&a.dryRun, "dry-run", false, "list the cells and where they stand, and do nothing")
	flags.BoolVar(&a.asJSON, "json", false, "print the table, the differences and the verdicts as JSON")
	return cmd
}

func runAblate(ctx context.Context, opts *globalOptions, a ablateOptions, args []string) error {
	if a.grid != "" {
		args = append(args, a.grid)
	}
	if len(args) == 0 {
		return fault.Usage(errors.New("no study is given"), "give one of %s, or --grid FILE", strings.Join(configs.Names("studies"), ", "))
	}
	if a.jobs < 1 || a.jobs > 64 {
		return fault.Usage(fmt.Errorf("--jobs is %d", a.jobs), "from 1 to 64; more than there are devices is of no use")
	}
	var all []*study
	for _, ref := range args {
		s, err := opts.openStudy(a, ref, len(args) > 1)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	var failed error
	var sections []report.Section
	for _, s := range all {
		if a.dryRun {
			if err := s.list(); err != nil {
				return err
			}
			continue
		}
		section, err := s.run(ctx)
		if err != nil && !errors.Is(err, fault.ErrPartial) {
			return fmt.Errorf("study %s: %w", s.name, err)
		}
		sections, failed = append(sections, section), errors.Join(failed, err)
	}
	if len(sections) > 1 {
		failed = errors.Join(failed, opts.reportAll(a.together(), sections))
	}
	return failed
}

// together is the folder of several studies.
func (a ablateOptions) together() string { return cmp.Or(a.out, "ablations") }

// study is a study under way.
type study struct {
	*globalOptions
	*ablation.Study
	options   ablateOptions
	name, out string
	domain    string
	texts     []texts.Text
	pairs     string             // the folder of pairs, "" where no variant needs any
	trainings singleflight.Group // cells that need the same training share it
}

// openStudy reads a study and checks all that it names, before anything is computed.
func (o *globalOptions) openStudy(a ablateOptions, ref string, several bool) (*study, error) {
	of, err := configs.OpenStudy(ref, a.set)
	if err != nil {
		return nil, err
	}
	s := &study{globalOptions: o, Study: of, options: a, name: strings.TrimSuffix(filepath.Base(ref), filepath.Ext(ref))}
	if s.out = a.out; s.out == "" || several {
		s.out = filepath.Join(a.together(), s.name)
	}
	if a.seeds != "" {
		if s.Seeds, err = seeds.Parse(a.seeds); err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
		if err := s.Validate(); err != nil {
			return nil, fmt.Errorf("--seeds: %w", err)
		}
	}
	if a.run != "" && s.Train {
		return nil, fault.Usage(fmt.Errorf("--run %q, but study %s trains its own mappers", a.run, s.name), "leave --run out")
	}
	run, err := configs.RunOf(s.Study, s.Variants()[0], s.Seeds[0])
	if err != nil {
		return nil, err
	}
	s.domain = run.Domain
	if s.needsPairs() {
		s.pairs = cmp.Or(a.pairs, filepath.Join(s.out, "pairs"))
		if several && a.pairs == "" { // studies of as many pairs share them
			s.pairs = filepath.Join(a.together(), fmt.Sprintf("pairs-%d", run.Pairs.Rows))
		}
	}
	return s, s.check()
}

// needsPairs reports whether a variant trains, or takes samples of pairs for its image prompt.
func (s *study) needsPairs() bool {
	for _, v := range s.Variants() {
		if n, _ := v.Draw.Samples(); n > 0 {
			return true
		}
	}
	return s.Train
}

// check reads the domain and the texts, and checks what variants ask of them.
func (s *study) check() error {
	session, err := s.readDomain(s.domain)
	if err != nil {
		return err
	}
	if s.Texts != "" {
		s.texts, err = readTextArguments(nil, s.Texts)
	} else {
		s.texts, err = session.descriptions()
	}
	if err != nil {
		return err
	}
	if len(s.Kinds) > 0 {
		var kept []texts.Text
		for _, t := range s.texts {
			for _, kind := range s.Kinds {
				if t.Kind == kind {
					kept = append(kept, t)
				}
			}
		}
		if s.texts = kept; len(kept) == 0 {
			return fault.Usage(fmt.Errorf("kinds: no text is of the kinds %s", strings.Join(s.Kinds, ", ")), "name kinds that the texts have")
		}
	}
	for _, v := range s.Variants() {
		if layers := session.networks.Generator.NumLayers(); v.Draw.InjectIndex > layers {
			return fault.Usage(fmt.Errorf("variant %q: draw.inject_index is %d", v.Name, v.Draw.InjectIndex), "this generator has layers 0 to %d", layers)
		}
	}
	if s.Manipulate && session.networks.Classifier == nil {
		return fault.Usage(fmt.Errorf("study %s manipulates, and domain %s has no classifier", s.name, s.domain), "name a classifier in the domain's file: it says what changed")
	}
	request := eval.Request{Domain: s.domain, Texts: s.texts, Metrics: s.Metrics, Seeds: s.Seeds}
	if err := request.Check(session.networks); err != nil {
		return err
	}
	return terminal.CheckOutputFolder(s.out)
}
