package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/gomlx/gomlx/backends"
	"github.com/spf13/cobra"

	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/models/xla/programs"
	"illustrator/train/bench"
)

const benchLong = `Measures how fast pairs are sampled and a mapper is trained, in float32: on the embedded domain, and on networks of
full size with random weights (StyleGAN2 config-f of 256 pixels, ViT-B/32, a mapper of 27 million parameters). A step is a
batch of pictures sampled and encoded, or a training step: forward, backward, Adam. The default batch of full size is 2, the
least that BatchNorm can train on.

Each case runs in a process of its own. Times are medians over rounds after a warm-up; the first step's time, which builds
and compiles the program, and the most memory the process took stand beside them.

--pytorch has PyTorch do the same work in the same rounds, step by step in turn, with as many threads, and prints how many
times as fast this program is. It needs a Python with torch and transformers: $ILLUSTRATOR_PYTHON, or else the one that
` + "`make bench PYTORCH=1`" + ` installs.`

type benchOptions struct {
	cases     []string
	modes     []string
	rounds    int
	fullBatch int
	asJSON    bool
	serve     bool // be the worker of one case
}

func newBenchCommand(opts *globalOptions) *cobra.Command {
	var b benchOptions
	cmd := &cobra.Command{
		Use:   "bench [CASE]...",
		Short: "Measure the speed of sampling and training, and compare it with PyTorch's",
		Long:  benchLong + "\n\nCases: " + strings.Join(caseNames(benchCases(b)), ", ") + "; all of them by default.",
		Example: `  illustrator bench
  illustrator bench --pytorch full-step
  illustrator bench --pytorch=eager-float32,compile-bfloat16 --json lorelei-step`,
		RunE: func(cmd *cobra.Command, args []string) error {
			b.cases = args
			return runBench(cmd, opts, b)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&b.modes, "pytorch", nil, "compare with PyTorch in these modes: eager-float32, eager-bfloat16, compile-float32, compile-bfloat16")
	flags.Lookup("pytorch").NoOptDefVal = "eager-float32"
	flags.IntVar(&b.rounds, "rounds", 5, "measurements of each case")
	flags.IntVar(&b.fullBatch, "full-batch", 2, "batch of the networks of full size")
	flags.BoolVar(&b.asJSON, "json", false, "print JSON")
	flags.BoolVar(&b.serve, "serve", false, "do a case's work as standard input asks")
	_ = flags.MarkHidden("serve")
	cmd.AddCommand(newBenchBatchCommand(opts))
	return cmd
}

// benchCases are all cases, from the cheapest on.
func benchCases(b benchOptions) []bench.Case {
	paper := configs.Paper()
	release, l1 := paper.Train.Stages[0].Losses, paper.Train.Stages[0].Losses
	l1.L1, l1.Semantic, l1.Regularization = 1, 0, 0
	lorelei := bench.Case{Batch: 32, Open: openLorelei, Mapper: paper.Mapper, Optimizer: paper.Train.Optimizer}
	lorelei.Mapper.Width = 128 // as in its run
	full := bench.Case{Batch: b.fullBatch, Open: bench.FullSize, Mapper: paper.Mapper, Optimizer: paper.Train.Optimizer}
	named := func(c bench.Case, name, about string, repeat int) bench.Case {
		c.Name, c.About, c.Repeat, c.Losses, c.Task = name, about, repeat, release, bench.Training
		return c
	}
	cases := []bench.Case{
		named(lorelei, "lorelei-l1", "Lorelei 64 px: training step, L1 alone", 50),
		named(lorelei, "lorelei-sampling", "Lorelei 64 px: sampling", 4),
		named(lorelei, "lorelei-pairs", "Lorelei 64 px: pairs, from z to synced files", 1),
		named(lorelei, "lorelei-step", "Lorelei 64 px: training step, all losses", 2),
		named(full, "full-sampling", "full size 256 px: sampling", 1),
		named(full, "full-step", "full size 256 px: training step, all losses", 1),
	}
	cases[0].Losses = l1
	cases[1].Task, cases[4].Task = bench.Sampling, bench.Sampling
	cases[2].Task, cases[2].Batch = bench.Pairs, 512
	for _, task := range []bench.Task{bench.Checkpoint, bench.Resume} {
		cases = append(cases, named(lorelei, "paper-"+string(task), fmt.Sprintf("state of the paper's mapper, 27 million parameters: %s", task), 1))
		state := &cases[len(cases)-1]
		state.Task, state.Losses, state.Mapper, state.Batch = task, l1, paper.Mapper, 8
	}
	return cases
}

func openLorelei(backend backends.Backend) (*pipeline.Networks, error) {
	domain, err := configs.OpenDomain("lorelei")
	if err != nil {
		return nil, err
	}
	return pipeline.Open(backend, domain.Locations())
}

func caseNames(cases []bench.Case) []string {
	names := make([]string, len(cases))
	for i, c := range cases {
		names[i] = c.Name
	}
	return names
}

func runBench(cmd *cobra.Command, opts *globalOptions, b benchOptions) error {
	switch {
	case b.rounds < 1 || b.rounds > 10_000:
		return fault.Usage(fmt.Errorf("--rounds is %d", b.rounds), "--rounds must be from 1 to 10000")
	case b.fullBatch < 2 || b.fullBatch > 64:
		return fault.Usage(fmt.Errorf("--full-batch is %d", b.fullBatch), "--full-batch must be from 2 (BatchNorm needs two rows) to 64")
	}
	cases, err := chooseCases(benchCases(b), b.cases)
	if err != nil {
		return err
	}
	if b.serve {
		backend, err := opts.openBackend(1)
		if err != nil {
			return err
		}
		programs.Use(nil) // how long compiling takes is measured too
		return bench.Serve(cmd.Context(), cases[0], backend, cmd.InOrStdin(), opts.stdout)
	}
	report, err := opts.measure(cmd, cases, b)
	if err != nil {
		return err
	}
	if b.asJSON {
		return printJSON(opts.stdout, report)
	}
	return report.print(opts.stdout)
}

// chooseCases returns the cases called names, all of them if there are no names.
func chooseCases(all []bench.Case, names []string) ([]bench.Case, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []bench.Case
	for _, name := range names {
		before := len(chosen)
		for _, c := range all {
			if c.Name == name {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == before {
			return nil, fault.Usage(fmt.Errorf("case %q is unknown", name), "the cases are %s", strings.Join(caseNames(all), ", "))
		}
	}
	return chosen, nil
}

// benchReport is what --json prints.
type benchReport struct {
	Versions versions       `json:"versions"`
	Cores    int            `json:"cores"`
	Load     string         `json:"load_average"` // before the first case; other programs' load slows all alike
	Results  []bench.Result `json:"results"`
}

func (o *globalOptions) measure(cmd *cobra.Command, cases []bench.Case, b benchOptions) (benchReport, error) {
	report := benchReport{Versions: readVersions(), Cores: runtime.NumCPU(), Load: loadAverage()}
	options := bench.Options{Rounds: b.rounds}
	for _, name := range b.modes {
		mode, err := bench.ParseMode(name)
		if err != nil {
			return report, fmt.Errorf("--pytorch: %w", err)
		}
		options.Modes = append(options.Modes, mode)
	}
	var err error
	if len(options.Modes) > 0 {
		if options.Python, err = bench.FindPython(); err != nil {
			return report, err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return report, err
	}
	backend, err := o.backendName()
	if err != nil {
		return report, err
	}
	options.Worker = func(c bench.Case) []string {
		return []string{program, "bench", "--serve", "--backend", backend, "--full-batch", fmt.Sprint(b.fullBatch), c.Name}
	}
	o.warnBusy(report.Load)
	bar := o.newProgress("Measuring", len(cases)*b.rounds)
	defer bar.Done()
	done := 0
	for _, c := range cases {
		options.Progress = func() { done++; bar.Set(done, c.Name) }
		results, err := bench.Run(cmd.Context(), c, options)
		if err != nil {
			return report, fmt.Errorf("case %s: %w", c.Name, err)
		}
		report.Results = append(report.Results, results...)
	}
	return report, nil
}

// warnBusy warns if the load average says that other programs keep half of a core or more busy.
func (o *globalOptions) warnBusy(average string) {
	var load float64
	if _, err := fmt.Sscan(average, &load); err == nil && load >= 0.5 {
		o.log.Warn(fmt.Sprintf("other programs are busy (load average %s): the times will be those of a shared machine, and PyTorch's threads suffer more from that", average))
	}
}

// loadAverage is the system's load over the last minute, "" where it does not tell (Linux only).
func loadAverage() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	load, _, _ := strings.Cut(string(content), " ")
	return load
}

func (r benchReport) print(w io.Writer) error {
	fmt.Fprintf(w, "%d cores, load average %s\n\n", r.Cores, r.Load)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "work\tengine\tbatch\ts/step\tsamples/s\tfirst step, s\tpeak, GiB\tspeed-up")
	for _, m := range r.Results {
		about, speedup := m.About, ""
		if m.Engine != bench.Engine {
			about, speedup = "", fmt.Sprintf("%.2f ×", m.Speedup)
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%.4g\t%.4g\t%.1f\t%s\t%s\n",
			about, m.Engine, m.Batch, m.StepSeconds, m.SamplesPerSecond, m.FirstStepSeconds, peakGiB(m), speedup)
	}
	return table.Flush()
}

// peakGiB is the most memory of a measurement's process, in GiB.
func peakGiB(r bench.Result) string {
	if r.PeakBytes == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f", float64(r.PeakBytes)/(1<<30))
}
