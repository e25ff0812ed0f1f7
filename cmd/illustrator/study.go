package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/eval/raters"
	"illustrator/eval/report"
	"illustrator/eval/studies"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/train"
	"illustrator/train/runs"
)

func newStudyCommand(opts *terminal.Options) *cobra.Command {
	return terminal.Group(&cobra.Command{
		Use:   "study",
		Short: "Have people judge pictures, and analyse their answers",
		Long: `Has people judge the pictures of several systems: export writes a page for each rater, analyse reads the
files that they send back.`,
		Example: `  illustrator study export examples/judged/first examples/judged/second --out judged
  illustrator study analyse examples/judged/answers --study examples/judged/study --out analysis`,
	}, newStudyExportCommand(opts), newStudyAnalyseCommand(opts))
}

const studyExportLong = `Writes a static page for each rater, which needs no server: PICTURES are folders of illustrator
generate, one for each system, runs with pictures (folder, number or name), or folders of illustrator ablate, whose
variants are systems. Pictures are paired by their texts; those of one text in the order of their seeds.

--ask pairs shows two pictures, to choose the one that matches the text better, and then the one that looks better
without the text; --ask ratings shows one, to rate from 1 to 5. Items, sides and order are random by --seed. Controls
have a known answer: for the match the first system's picture of the text beside its picture of another text, so name
the best system first; for the quality a picture beside its mosaic. Repeats ask again with the sides changed. Raters
see neither names of systems nor which questions these are.

The folder --out gets page/, which raters get, and study.json, which you keep. Answers stay in the rater's browser
until they are saved as a file. --embed puts the pictures into each page: one file to send, for phones too.`

func newStudyExportCommand(opts *terminal.Options) *cobra.Command {
	o := raters.Options{Ask: raters.Pairs}
	var out string
	var aspects []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "export PICTURES...",
		Short: "Write pages on which people judge pictures",
		Long:  studyExportLong,
		Example: `  illustrator study export examples/judged/first examples/judged/second --out judged
  illustrator study export examples/judged/first examples/judged/second --ask ratings --raters 5 --embed --out rated`,
		Args: terminal.SomeArgs("the folders of pictures"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := terminal.CheckOutputFolder(out); err != nil {
				return err
			}
			if err := cmp.Or(o.SetAspects(aspects), checkUTF8("title", o.Title)); err != nil {
				return err
			}
			sources, err := judgedSources(args)
			if err != nil {
				return err
			}
			summary, err := raters.Export(cmd.Context(), sources, o, out)
			if err != nil {
				return err
			}
			if asJSON {
				return jsonfile.Print(opts.Stdout, summary)
			}
			return printFigures(opts.Stdout, summary.Table(), summary.Lines()...)
		},
	}
	flags := cmd.Flags()
	terminal.Enum(flags, &o.Ask, "ask", "what to ask: pairs or ratings")
	flags.StringSliceVar(&aspects, "aspects", []string{"match", "quality"}, "what to judge by, one after the other")
	flags.StringVar(&o.Title, "title", "", "title of the pages")
	flags.Uint64Var(&o.Seed, "seed", 0, "seed of items, sides and order")
	flags.IntVar(&o.Raters, "raters", 3, "how many pages to write")
	flags.IntVar(&o.Items, "items", 50, "items of each rater and aspect at most, picked evenly")
	flags.IntVar(&o.Overlap, "overlap", 2, "raters of each item at least: more agree on fewer items")
	flags.IntVar(&o.Controls, "controls", 6, "controls of each rater and aspect")
	flags.IntVar(&o.Repeats, "repeats", 5, "repeats of each rater and aspect, a third of the items at most")
	flags.BoolVar(&o.Embed, "embed", false, "put the pictures into each page")
	flags.StringVarP(&out, "out", "o", "study", "folder to write")
	flags.BoolVar(&asJSON, "json", false, "print the summary as JSON")
	return cmd
}

// judgedSources returns what raters compare: folders of pictures, the variants of studies, and the pictures of runs.
func judgedSources(args []string) ([]raters.Source, error) {
	folders := make([]string, len(args))
	for i, arg := range args {
		folder, err := runs.Find(arg)
		if err != nil {
			return nil, err
		}
		folders[i] = string(folder)
	}
	sources, err := studies.Sources(folders)
	if err != nil {
		return nil, err
	}
	for i, s := range sources {
		run := train.Folder(s.Folders[0])
		if _, err := os.Stat(run.Info()); err != nil {
			continue
		}
		if _, err := os.Stat(run.Pictures()); err != nil {
			return nil, fault.Usage(fmt.Errorf("run %q has no pictures", run),
				"draw some: illustrator generate --run %s --texts FILE --out %s", run, run.Pictures())
		}
		sources[i].Folders = []string{run.Pictures()}
	}
	return sources, nil
}

const studyAnalyseLong = `Reads the answers of raters, files or a folder of them, and reports for each aspect: win
rates, strengths of the Bradley-Terry model, both with 95 % intervals for new raters and new texts, mean ratings, and
the agreement of raters (Krippendorff's alpha).

Raters are rejected by a rule that the output states: with a smaller share of right controls than --min-controls, or of
consistent repeats than --min-repeats. Controls and repeats don't count in the results. A file of another study, one
with a mistake, and two files of one rater are refused; unanswered questions are left out.

The folder --out gets report.html, analysis.json and the tables as CSV, Markdown and LaTeX.`

func newStudyAnalyseCommand(opts *terminal.Options) *cobra.Command {
	rule := raters.DefaultRule()
	var folder, out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "analyse FILE...",
		Short: "Analyse the answers of raters: win rates, strengths, agreement",
		Long:  studyAnalyseLong,
		Example: `  illustrator study analyse examples/judged/answers --study examples/judged/study --out analysis
  illustrator study analyse examples/judged/answers --study examples/judged/study --min-controls 0.6 --out lenient`,
		Args: terminal.SomeArgs("the files of answers"),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				out = filepath.Join(folder, "analysis")
			}
			if err := terminal.CheckOutputFolder(out); err != nil {
				return err
			}
			a, err := raters.AnalyseFiles(folder, args, rule)
			if err != nil {
				return err
			}
			if err := a.Write(out, report.Facts(terminal.CommandLine("illustrator", os.Args[1:]))); err != nil {
				return err
			}
			if asJSON {
				return jsonfile.Print(opts.Stdout, a)
			}
			for _, t := range a.Tables() {
				err = errors.Join(err, opts.Println(t.Caption), printFigures(opts.Stdout, t, ""))
			}
			return errors.Join(err, opts.Println(filepath.Join(out, "report.html")))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&folder, "study", "study", "folder that the study was exported to")
	flags.Float64Var(&rule.MinControls, "min-controls", rule.MinControls,
		"share of controls that a rater must answer right")
	flags.Float64Var(&rule.MinRepeats, "min-repeats", rule.MinRepeats,
		"share of repeats that a rater must answer as before")
	flags.StringVarP(&out, "out", "o", "", "folder to write (default STUDY/analysis)")
	flags.BoolVar(&asJSON, "json", false, "print analysis.json")
	return cmd
}
