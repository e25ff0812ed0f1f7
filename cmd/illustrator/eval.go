package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/eval"
	"illustrator/eval/report"
	"illustrator/eval/studies"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/pipeline"
	"illustrator/train/runs"
)

const evalLong = `Measures how well pictures match their texts and how they compare with a reference. Each figure has
its number of samples, its caveats, and a 95 % interval if one is defined.

With RUN, the folder of a run, the run's best mapper draws the texts (default the domain's descriptions) for each seed.
Without an argument the domain's own mapper draws. PICTURES is a folder of illustrator generate, or any folder with
--texts, one text per picture in the order of the files' names. Pictures that are unreadable or differ in size from the
majority are skipped and listed: exit code 3. Pictures of another domain are refused.

The folder --out gets eval.json, eval.md, eval.csv, eval.tex, scores.jsonl with a line for each picture, and
samples.json with the samples of the means. The same command resumes after Ctrl-C or a crash; it refuses other settings
in the same folder. Embeddings are held in memory, pictures are not.

--reference compares with a folder of pictures or of pairs (default the generator's own pictures of random z). A metric
that needs more data, such as 100 texts for r_precision of 100, is refused and listed; the others are measured.

An ONNX file needs its settings beside it, net.json of net.onnx: {"output": "features", "size": 224, "mean": [0.485,
0.456, 0.406], "std": [0.229, 0.224, 0.225]}; output and size only where the file leaves them open.`

func newEvalCommand(opts *terminal.Options) *cobra.Command {
	var e evalOptions
	cmd := &cobra.Command{
		Use:   "eval [RUN|PICTURES]",
		Short: "Measure pictures: match with texts, quality, diversity",
		Long:  evalLong,
		Example: `  illustrator eval examples/runs/first --texts examples/texts.txt --reference examples/pairs --out e
  illustrator eval examples/photos --texts examples/texts.txt --metrics fid --reference examples/pairs --out fid`,
		Args: terminal.OptionalArg("one run or one folder of pictures"),
		RunE: func(cmd *cobra.Command, args []string) error { return runEval(cmd, opts, e, args) },
	}
	addDomainFlag(cmd, &e.domain)
	flags := cmd.Flags()
	flags.StringVar(&e.mapper, "mapper", "", "folder of a mapper (default the run's, else the domain's)")
	flags.StringVar(&e.textsFile, "texts", "",
		"file of texts (default the domain's descriptions; of PICTURES, those written with them)")
	flags.StringSliceVar(&e.metrics, "metrics", nil, "metrics to measure, of "+eval.MetricNames()+" (default all)")
	e.drawFlags.addFlags(cmd, "0-3")
	flags.StringVar(&e.reference, "reference", "",
		"folder of pictures or of pairs to compare with (default the generator's own pictures)")
	flags.IntVar(&e.referenceSamples, "reference-samples", 2048,
		"how many of the generator's own pictures, or of the pairs at most, to compare with")
	flags.StringVar(&e.clip, "clip", "", "folder of another CLIP to measure the similarity with")
	flags.StringVar(&e.inception, "inception", "",
		"Inception for FID and its like: a folder that convert wrote, or an ONNX file of any network of pictures")
	flags.StringVar(&e.lpips, "lpips", "",
		"LPIPS for the diversity: a folder that convert wrote, or an ONNX file of any distance of two pictures")
	flags.StringVarP(&e.out, "out", "o", "", "folder to write (default RUN/eval, or PICTURES-eval)")
	addPadFlag(cmd, &e.pad)
	opts.AddPrecisionFlag(flags)
	flags.BoolVar(&e.asJSON, "json", false, "print eval.json")
	return cmd
}

func runEval(cmd *cobra.Command, opts *terminal.Options, e evalOptions, args []string) error {
	if err := e.readArgument(cmd, opts, args); err != nil {
		return err
	}
	s, err := readDomain(opts, e.domain)
	if err != nil {
		return err
	}
	s.networks.Preprocessor.Pad = e.pad
	if e.plan, err = e.drawFlags.plan(cmd, s.model()); err != nil {
		return err
	}
	report, err := evaluate(cmd.Context(), opts, s, e)
	if err != nil {
		return err
	}
	if e.asJSON {
		err = jsonfile.Print(opts.Stdout, report)
	} else {
		err = printFigures(opts.Stdout, report.Table())
	}
	return errors.Join(err, report.Partial())
}

// printFigures prints a table of figures, and their caveats below it.
func printFigures(w io.Writer, table report.Table, more ...string) error {
	rows, notes, err := table.Plain()
	if err != nil {
		return err
	}
	if err := terminal.PrintTable(w, rows); err != nil {
		return err
	}
	for _, line := range append(notes, more...) {
		if err := terminal.PrintText(w, line); err != nil {
			return err
		}
	}
	return nil
}

// readArgument tells a run from pictures, and sets the domain and the folder to write.
func (e *evalOptions) readArgument(cmd *cobra.Command, opts *terminal.Options, args []string) error {
	if e.referenceSamples < 2 {
		return fault.Usage(fmt.Errorf("--reference-samples is %d", e.referenceSamples),
			"at least 2; fewer than 2,048 are few for FID")
	}
	out := strings.TrimSuffix(filepath.Base(e.domain), filepath.Ext(e.domain)) + "-eval"
	if len(args) == 1 {
		folder, err := runs.Find(args[0])
		if err != nil {
			return fault.Usage(fmt.Errorf("%q is not a folder", args[0]),
				"give the folder of a run (`illustrator runs list` lists those in %s) or of pictures", runs.DefaultFolder)
		}
		if _, err := os.Stat(folder.Config()); err == nil {
			e.run, out = string(folder), folder.Evaluation()
			if e.domain, err = (&mapperOptions{run: e.run}).domainOf(cmd, opts, e.domain); err != nil {
				return err
			}
		} else {
			e.pictures, out = string(folder), string(folder)+"-eval"
		}
	}
	for _, flag := range []string{"mapper", "seeds", "alpha", "no-projection", "inject-index", "truncation-psi"} {
		if e.pictures != "" && cmd.Flags().Changed(flag) {
			return fault.Usage(fmt.Errorf("--%s says how pictures are drawn, and those in %s are drawn already",
				flag, e.pictures), "leave --%s out", flag)
		}
	}
	if e.out == "" {
		e.out = out
	}
	return nil
}

// evaluate evaluates and writes the results. All that e names is checked before a device starts, but for what needs it.
func evaluate(ctx context.Context, opts *terminal.Options, s *session, e evalOptions) (*studies.Report, error) {
	request, err := e.request(ctx, opts.Log, s)
	if err != nil {
		return nil, err
	}
	if err := terminal.CheckOutputFolder(e.out); err != nil {
		return nil, err
	}
	if err := request.Check(s.networks); err != nil {
		return nil, err
	}
	for _, n := range []*pipeline.Networks{s.networks, request.Judges.CLIP} {
		if n == nil {
			continue
		}
		if _, err := checkLengths(opts, n, request.Texts, false); err != nil {
			return nil, err
		}
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	if err := e.openJudges(s, &request); err != nil {
		return nil, err
	}
	report := &studies.Report{Source: cmp.Or(e.run+e.pictures, "domain "+s.domain.Name), Reference: e.reference}
	return report, report.Evaluate(ctx, opts.Env(), s.networks, request, e.out)
}
