package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
	"illustrator/train/bench"
	"illustrator/train/runs"
)

const benchBatchLong = `Looks for the batches with which a run's pairs are sampled and its mapper is trained fastest
on this machine. The batch is doubled while that gives 5 % more samples a second, as long as the memory suffices; then
the batches half-way to the best one's neighbours are tried. Of the training the stage with the semantic loss is
measured, which is the slowest.

Each batch is measured in a process of its own, which may run out of memory without harm to the others. Ctrl-C prints
what was measured so far. Nothing is changed: results depend on the batch, and so may the best learning rate.`

// benchOptions are those of all measurements of a run.
type benchOptions struct {
	config, domain, serve string
	set                   []string
	rounds                int
	asJSON                bool
}

type batchOptions struct {
	benchOptions
	most int
}

func newBenchBatchCommand(opts *terminal.Options) *cobra.Command {
	var b batchOptions
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Find the batches that are fastest on this machine",
		Long:  benchBatchLong,
		Example: `  illustrator bench batch
  illustrator bench batch --config examples/tiny/run.yaml --set train.precision=bfloat16 --most 8`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBenchBatch(cmd, opts, b) },
	}
	b.addFlags(cmd.Flags())
	cmd.Flags().IntVar(&b.most, "most", 1024, "largest batch to try")
	return cmd
}

// addFlags adds the flags of all measurements of a run.
func (b *benchOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&b.config, "config", "lorelei", fmt.Sprintf("run: one of %s, or the path of a YAML file",
		strings.Join(configs.Names("runs"), ", ")))
	flags.StringVar(&b.domain, "domain", "",
		"domain: the name of an embedded one or the path of a YAML file (default the run's)")
	flags.StringArrayVar(&b.set, "set", nil, "override a setting: `key=value`, such as mapper.width=512; may be repeated")
	flags.IntVar(&b.rounds, "rounds", 3, "measurements of each batch")
	flags.BoolVar(&b.asJSON, "json", false, "print JSON")
	flags.StringVar(&b.serve, "serve", "", "do the work `TASK:BATCH` as standard input asks")
	_ = flags.MarkHidden("serve")
}

// job returns the run that is measured.
func (b *benchOptions) job(opts *terminal.Options) (*runs.Job, error) {
	if b.rounds < 1 || b.rounds > 10_000 {
		return nil, fault.Field("--rounds", b.rounds, "from 1 to 10000")
	}
	run, err := configs.OpenRun(b.config, b.set)
	if err != nil {
		return nil, err
	}
	if b.domain == "" {
		b.domain = run.Domain
	}
	s, err := readDomain(opts, b.domain)
	if err != nil {
		return nil, err
	}
	return jobOf(opts, s, run, ""), nil
}

func runBenchBatch(cmd *cobra.Command, opts *terminal.Options, b batchOptions) error {
	if b.most < 8 || b.most > configs.MaxPairsBatch {
		return fault.Field("--most", b.most, "from 8 to %d", configs.MaxPairsBatch)
	}
	job, err := b.job(opts)
	if err != nil {
		return err
	}
	works, err := job.BatchWorks(b.most)
	if err != nil {
		return err
	}
	if b.serve != "" {
		name, number, _ := strings.Cut(b.serve, ":")
		batch, err := strconv.Atoi(number)
		at := slices.IndexFunc(works, func(w runs.BatchWork) bool { return w.Name == name })
		if err != nil || batch < 1 || at < 0 {
			return errServe(b.serve)
		}
		return serveCase(cmd, opts, works[at].At(batch))
	}
	backend, err := opts.BackendName()
	if err != nil {
		return err
	}
	search := runs.BatchSearch{Env: opts.Env(), Rounds: b.rounds}
	if search.OnCPU, err = xla.OnCPU(backend); err != nil {
		return err
	}
	if search.Worker, err = b.worker("batch", backend); err != nil {
		return err
	}
	report, err := search.Find(cmd.Context(), works)
	if err != nil && len(report.Tried) == 0 {
		return err
	}
	if b.asJSON {
		return errors.Join(jsonfile.Print(opts.Stdout, report), err)
	}
	return errors.Join(printBatches(opts.Stdout, report, works), err)
}

func errServe(what string) error {
	return fault.Usage(fmt.Errorf("--serve is %q", what), "leave it out: `illustrator bench` starts such processes")
}

// serveCase is the process that measures a case.
func serveCase(cmd *cobra.Command, opts *terminal.Options, c bench.Case) error {
	backend, err := opts.OpenBackend(max(1, c.Devices))
	if err != nil {
		return err
	}
	programs.Use(nil) // how long compiling takes is measured too
	return bench.Serve(cmd.Context(), c, backend, cmd.InOrStdin(), opts.Stdout)
}

// worker returns the command line of the process that measures a case: this one's, with the work added.
func (b *benchOptions) worker(command, backend string) (func(bench.Case) []string, error) {
	program, err := os.Executable()
	args := []string{program, "bench", command, "--backend", backend, "--config", b.config, "--domain", b.domain}
	for _, assignment := range b.set {
		args = append(args, "--set", assignment)
	}
	return func(c bench.Case) []string {
		return append(slices.Clone(args), "--serve", fmt.Sprintf("%s:%d", c.Name, c.Batch))
	}, err
}

func printBatches(w io.Writer, r runs.BatchReport, works []runs.BatchWork) error {
	if _, err := fmt.Fprintf(w, "%d cores, load average %s\n\n", r.Cores, r.Load); err != nil {
		return err
	}
	if err := terminal.PrintTable(w, r.Table(works)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	for _, work := range works {
		if best := r.Best[work.Key]; best > 0 && err == nil {
			_, err = fmt.Fprintf(w, "%s: --set %s=%d (now %s); no other batch does %.0f %% more samples a second\n",
				work.About, work.Key, best, work.Now, 100*(bench.Worthwhile-1))
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, "Nothing is changed: results depend on the batch.")
	return err
}
