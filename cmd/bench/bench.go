package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/bench/compare"
	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/xla/programs"
	"illustrator/train/bench"
)

const benchLong = `Measures the speed of sampling pairs and of training a mapper: on Lorelei, and on
networks of full size with random weights (StyleGAN2 config-f of 256 pixels, ViT-B/32, a mapper of 27 million
parameters). A step is a batch of pictures sampled and encoded, or a training step: forward, backward, Adam. The default
batch of full size is 2, the minimum for BatchNorm.

Each case runs in its own process. Times are medians over rounds after a warm-up. The table also has the time of the
first step, which builds and compiles the program, and the peak memory of the process.

--precision adds precisions to float32: tf32 on CUDA, and bfloat16 for the networks of the semantic loss.

--pytorch runs the same work in PyTorch, in the same rounds, on the same device, step by step in turn, with the same
number of threads. It prints the ratio of speeds in the same precision, or in float32 if this program lacks that. It
needs a Python with torch and transformers: $ILLUSTRATOR_PYTHON, or the one that ` + "`make bench PYTORCH=1`" + `
installs.

A ratio takes at least 3 rounds in which the times of both engines spread by at most 20 % of their median. Where other
programs made them spread more, the table says "noisy" in its place, and the exit code is 3. --out writes all rounds to
a file, after every round.

On CUDA the table also has the growth of the GPU's memory by nvidia-smi, PyTorch's own peak, and the GPU's
utilization.`

type benchOptions struct {
	cases      []string
	modes      []string
	precisions []string
	rounds     int
	repeat     int
	fullBatch  int
	out        string
	asJSON     bool
	serve      bool // be the worker of one case
}

func newRootCommand(opts *terminal.Options) *cobra.Command {
	opts.Explain = hints.Explain
	var b benchOptions
	cmd := &cobra.Command{
		Use:   "bench [CASE]...",
		Short: "Measure the speed of sampling and training, and compare it with PyTorch's",
		Long:  benchLong + "\n\nCases: " + strings.Join(caseNames(benchCases(b)), ", ") + "; all of them by default.",
		Example: `  bench
  bench --pytorch --out docs/bench.json full-step
  bench --pytorch=eager-float32,compile-bfloat16 --json lorelei-step
  bench --device cuda --repeat 50 --precision tf32 --pytorch=eager-tf32,compile-tf32 full-step`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			b.cases = args
			return runBench(cmd, opts, b)
		},
	}
	flags := cmd.Flags()
	b.addFlags(cmd)
	flags.StringVar(&b.out, "out", "", "JSON file that receives the results after every round; keeps those of other cases")
	flags.BoolVar(&b.asJSON, "json", false, "print JSON")
	flags.BoolVar(&b.serve, "serve", false, "do a case's work as standard input asks")
	_ = flags.MarkHidden("serve")
	opts.AddFlags(cmd.PersistentFlags())
	cmd.AddCommand(newGPUCommand(opts))
	return cmd
}

// addFlags adds the flags that say how cases are measured.
func (b *benchOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&b.modes, "pytorch", nil,
		"compare with PyTorch in these modes: eager or compile, -, and float32, tf32 or bfloat16")
	flags.Lookup("pytorch").NoOptDefVal = "eager-float32"
	flags.StringSliceVar(&b.precisions, "precision", nil, "precisions of this program beside float32: tf32, bfloat16")
	flags.IntVar(&b.rounds, "rounds", 5, "measurements of each case")
	flags.IntVar(&b.repeat, "repeat", 1, "times as many steps in a measurement as usual, for a fast device")
	flags.IntVar(&b.fullBatch, "full-batch", 2, "batch of the networks of full size")
}

func runBench(cmd *cobra.Command, opts *terminal.Options, b benchOptions) error {
	if err := b.check(); err != nil {
		return err
	}
	cases, err := chooseCases(benchCases(b), b.cases)
	if err != nil {
		return err
	}
	if b.serve {
		if len(b.precisions) > 0 {
			var p compare.Precision
			if err := p.UnmarshalText([]byte(b.precisions[0])); err != nil {
				return fmt.Errorf("--precision: %w", err)
			}
			cases[0].Precision = p.Networks()
		}
		return serveCase(opts, cmd, cases[0])
	}
	if b.out != "" {
		if err := terminal.CheckOutputFile(b.out, ".json"); err != nil {
			return err
		}
	}
	report, err := measure(cmd, opts, cases, b)
	if len(report.Results) == 0 {
		return err
	}
	if err == nil {
		err = noRatios(report.Results)
	}
	if b.asJSON { // the cases before an error too
		return errors.Join(err, jsonfile.Print(opts.Stdout, report))
	}
	return errors.Join(err, report.print(opts.Stdout))
}

// serveCase is the process that does a case's work as standard input asks.
func serveCase(opts *terminal.Options, cmd *cobra.Command, c bench.Case) error {
	backend, err := opts.OpenBackend(max(1, c.Devices))
	if err != nil {
		return err
	}
	programs.Use(nil) // how long compiling takes is measured too
	return bench.Serve(cmd.Context(), c, backend, cmd.InOrStdin(), opts.Stdout)
}

func checkRounds(rounds int) error {
	if rounds < 1 || rounds > 10_000 {
		return fault.Field("--rounds", rounds, "from 1 to 10000")
	}
	return nil
}

func (b benchOptions) check() error {
	if err := checkRounds(b.rounds); err != nil {
		return err
	}
	switch {
	case b.repeat < 1 || b.repeat > 10_000:
		return fault.Field("--repeat", b.repeat, "from 1 to 10000")
	case b.fullBatch < 2 || b.fullBatch > 64:
		return fault.Field("--full-batch", b.fullBatch, "from 2 (BatchNorm needs two rows) to 64")
	}
	return nil
}
