package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/machine"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
	"illustrator/train"
	"illustrator/train/bench"
	"illustrator/train/runs"
)

const benchBatchLong = `Looks for the batches with which a run's pairs are sampled and its mapper is trained fastest on this machine. The batch is
doubled while that gives 5 % more samples a second, as long as the memory suffices; then the batches half-way to the best
one's neighbours are tried. Of the training the stage with the semantic loss is measured, which is the slowest.

Each batch is measured in a process of its own, which may run out of memory without harm to the others. Ctrl-C prints what was
measured so far. Nothing is changed: results depend on the batch, and so may the best learning rate.`

type batchOptions struct {
	config, domain, serve string
	set                   []string
	rounds, most          int
	asJSON                bool
}

func newBenchCommand(opts *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the speed of this machine",
		Example: `  illustrator bench batch
  illustrator bench batch --config lorelei --most 256`,
		Args: cobra.ArbitraryArgs, // so that RunE words the error
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return terminal.UnknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(newBenchBatchCommand(opts))
	return cmd
}

func newBenchBatchCommand(opts *globalOptions) *cobra.Command {
	var b batchOptions
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Find the batches that are fastest on this machine",
		Long:  benchBatchLong,
		Example: `  illustrator bench batch
  illustrator bench batch --config my-run.yaml --set train.precision=bfloat16 --most 256`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBenchBatch(cmd, opts, b) },
	}
	flags := cmd.Flags()
	flags.StringVar(&b.config, "config", "lorelei", fmt.Sprintf("run: one of %s, or the path of a YAML file", strings.Join(configs.Names("runs"), ", ")))
	flags.StringVar(&b.domain, "domain", "", "domain: the name of an embedded one or the path of a YAML file (default the run's)")
	flags.StringArrayVar(&b.set, "set", nil, "override a setting: `key=value`, such as mapper.width=512; may be repeated")
	flags.IntVar(&b.rounds, "rounds", 3, "measurements of each batch")
	flags.IntVar(&b.most, "most", 1024, "largest batch to try")
	flags.BoolVar(&b.asJSON, "json", false, "print JSON")
	flags.StringVar(&b.serve, "serve", "", "do the work `TASK:BATCH` as standard input asks")
	_ = flags.MarkHidden("serve")
	return cmd
}

func runBenchBatch(cmd *cobra.Command, opts *globalOptions, b batchOptions) error {
	if b.rounds < 1 || b.rounds > 10_000 {
		return fault.Usage(fmt.Errorf("--rounds is %d", b.rounds), "--rounds must be from 1 to 10000")
	}
	if b.most < 8 || b.most > configs.MaxPairsBatch {
		return fault.Usage(fmt.Errorf("--most is %d", b.most), "--most must be from 8 to %d", configs.MaxPairsBatch)
	}
	run, err := configs.OpenRun(b.config, b.set)
	if err != nil {
		return err
	}
	if b.domain == "" {
		b.domain = run.Domain
	}
	s, err := opts.readDomain(b.domain)
	if err != nil {
		return err
	}
	works, err := s.batchWorks(run, b.most)
	if err != nil {
		return err
	}
	if b.serve != "" {
		return opts.serveBatch(cmd, works, b.serve)
	}
	report, err := opts.findBatches(cmd.Context(), works, b)
	if err != nil && len(report.Tried) == 0 {
		return err
	}
	if b.asJSON {
		return errors.Join(jsonfile.Print(opts.stdout, report), err)
	}
	return errors.Join(report.print(opts.stdout, works), err)
}

// batchWork is a piece of work whose batch is looked for.
type batchWork struct {
	bench.Case        // its batch is still to come
	key        string // of the setting: "train.batch"
	now        string // its value
	least      int
	most       int
	estimate   func(batch int) uint64
}

// batchWorks returns what a run does in batches: sampling, and training.
func (s *session) batchWorks(run configs.Run, most int) ([]batchWork, error) {
	m, err := runs.MapperOf(run, s.networks)
	if err != nil {
		return nil, err
	}
	open := func(backend compute.Backend, _ pipeline.Precision) (*pipeline.Networks, error) {
		return pipeline.Open(backend, s.domain.Locations())
	}
	stages := run.Train.Stages
	stage := stages[max(0, slices.IndexFunc(stages, func(s train.Stage) bool { return s.Losses.Semantic != 0 }))]
	sampling := bench.Case{Name: "sampling", About: "sampling pairs", Task: bench.Sampling, NoiseMode: stylegan2.NoiseMode(run.Pairs.NoiseMode)}
	training := bench.Case{
		Name: "training", About: "training step, stage " + stage.Name, Task: bench.Training, NoiseMode: stylegan2.NoiseMode(run.Train.NoiseMode),
		Devices: run.Train.Devices, Precision: pipeline.Precision(run.Train.Precision), Losses: stage.Losses, Optimizer: run.Train.Optimizer,
	}
	training.Optimizer.Accumulate = 1
	sampling.Open, sampling.Mapper, training.Open, training.Mapper = open, m, open, m
	estimate := func(batch int) uint64 {
		c := run.Train
		c.Batch = batch
		return uint64(train.EstimateMemory(c, m, s.networks).Total())
	}
	const degenerate = 4 // below it BatchNorm is: see train.Config
	s.networks.Pictures = run.Pairs.Batch
	return []batchWork{
		{sampling, "pairs.batch", fmt.Sprint(s.networks.PictureBatch()), 1, most, nil},
		{training, "train.batch", fmt.Sprint(run.Train.Batch), degenerate, min(most, run.Pairs.Rows-run.Train.Validation.Rows-1), estimate},
	}, nil
}

// at returns the case with a batch. A measurement is of so many steps that it takes a sizeable part of a second.
func (w batchWork) at(batch int) bench.Case {
	c := w.Case
	c.Batch, c.Repeat = batch, max(1, 256/batch)
	return c
}

// serveBatch is the process that measures one batch of one work, "training:64".
func (o *globalOptions) serveBatch(cmd *cobra.Command, works []batchWork, what string) error {
	name, number, _ := strings.Cut(what, ":")
	batch, err := strconv.Atoi(number)
	at := slices.IndexFunc(works, func(w batchWork) bool { return w.Name == name })
	if err != nil || batch < 1 || at < 0 {
		return fault.Usage(fmt.Errorf("--serve is %q", what), "leave it out: `illustrator bench batch` starts such processes")
	}
	backend, err := o.OpenBackend(max(1, works[at].Devices))
	if err != nil {
		return err
	}
	programs.Use(nil) // how long compiling takes is measured too
	return bench.Serve(cmd.Context(), works[at].at(batch), backend, cmd.InOrStdin(), o.stdout)
}

// batchReport is what --json prints.
type batchReport struct {
	Versions version.Info                 `json:"versions"`
	Cores    int                          `json:"cores"`
	Load     string                       `json:"load_average"`
	Tried    map[string][]bench.Candidate `json:"tried"`       // by the setting's name
	Best     map[string]int               `json:"recommended"` // 0 where none could be measured
}

// findBatches looks for the best batch of each work. What was measured before an error is in the report.
func (o *globalOptions) findBatches(ctx context.Context, works []batchWork, b batchOptions) (batchReport, error) {
	report := batchReport{
		Versions: version.Read(), Cores: runtime.NumCPU(), Load: machine.LoadAverage(),
		Tried: map[string][]bench.Candidate{}, Best: map[string]int{},
	}
	backend, err := o.BackendName()
	if err != nil {
		return report, err
	}
	onCPU, err := xla.OnCPU(backend)
	if err != nil {
		return report, err
	}
	worker, err := b.worker(backend)
	if err != nil {
		return report, err
	}
	bench.WarnBusy(o.log, report.Load)
	for _, w := range works {
		search := bench.Search{Least: w.least, Most: w.most, Multiple: max(1, w.Devices), Estimate: w.estimate}
		if onCPU { // another device's memory is not this machine's
			search.Memory = machine.ReadMemory().Available
		}
		search.Measure = func(batch int) (bench.Result, error) {
			o.log.Info(fmt.Sprintf("measuring: %s, batch %d", w.About, batch))
			c := w.at(batch)
			result, err := bench.Measure(ctx, c, worker(c), b.rounds)
			if !onCPU {
				result.PeakBytes = 0
			}
			return result, err
		}
		tried, best, err := search.Run(ctx)
		if len(tried) > 0 {
			report.Tried[w.key], report.Best[w.key] = tried, best
		}
		if err != nil {
			return report, err
		}
	}
	return report, report.failure(works)
}

// worker returns the command line of the process that measures a case: this one's, with the work added.
func (b batchOptions) worker(backend string) (func(bench.Case) []string, error) {
	program, err := os.Executable()
	args := []string{program, "bench", "batch", "--backend", backend, "--config", b.config, "--domain", b.domain}
	for _, assignment := range b.set {
		args = append(args, "--set", assignment)
	}
	return func(c bench.Case) []string {
		return append(slices.Clone(args), "--serve", fmt.Sprintf("%s:%d", c.Name, c.Batch))
	}, err
}

// failure is an error if a work could not be measured with any batch.
func (r batchReport) failure(works []batchWork) error {
	for _, w := range works {
		if tried := r.Tried[w.key]; r.Best[w.key] == 0 && len(tried) > 0 {
			return fmt.Errorf("%s could not be measured with any batch: %s", w.About, tried[0].Failure)
		}
	}
	return nil
}

func (r batchReport) print(w io.Writer, works []batchWork) error {
	fmt.Fprintf(w, "%d cores, load average %s\n\n", r.Cores, r.Load)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "work\tbatch\ts/step\tsamples/s\tpeak, GiB\tcompile, s")
	for _, work := range works {
		about := work.About
		for _, c := range r.Tried[work.key] {
			if c.Failure != "" {
				fmt.Fprintf(table, "%s\t%d\t%s\n", about, c.Batch, c.Failure)
			} else {
				fmt.Fprintf(table, "%s\t%d\t%.4g\t%.4g\t%s\t%.1f\n", about, c.Batch, c.StepSeconds, c.SamplesPerSecond, bench.Gibibytes(c.PeakBytes), c.CompileSeconds)
			}
			about = ""
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, work := range works {
		if best := r.Best[work.key]; best > 0 {
			fmt.Fprintf(w, "%s: --set %s=%d (now %s); no other batch does %.0f %% more samples a second\n",
				work.About, work.key, best, work.now, 100*(bench.Worthwhile-1))
		}
	}
	_, err := fmt.Fprintln(w, "Nothing is changed: results depend on the batch.")
	return err
}
