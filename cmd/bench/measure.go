package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/bench/compare"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/machine"
	"illustrator/internal/version"
	"illustrator/models/xla"
	"illustrator/train/bench"
)

// benchReport is the output of --json.
type benchReport struct {
	Versions version.Info     `json:"versions"`
	Cores    int              `json:"cores"`
	Load     string           `json:"load_average"` // before the first case; other programs' load slows all alike
	GPU      *compare.GPU     `json:"gpu,omitempty"`
	PyTorch  string           `json:"pytorch,omitempty"` // its version
	Results  []compare.Result `json:"results"`
}

// planOf returns how cases are measured, after a look that all is there that it takes, and PyTorch's version.
func planOf(ctx context.Context, opts *terminal.Options, b benchOptions) (options compare.Options, pytorch string,
	err error) {
	backend, err := opts.BackendName()
	if err != nil {
		return options, "", err
	}
	backend = cmp.Or(backend, os.Getenv(xla.BackendEnv))
	options = compare.Options{Rounds: b.rounds, Precisions: []compare.Precision{compare.Float32}, Device: "cpu"}
	if xla.IsCUDA(backend) {
		if options.Device, backend = "cuda", backend+",preallocate=false"; strings.Contains(backend,
			","+string(compare.TF32)) {
			return options, "", fault.Usage(fmt.Errorf("--backend %s has tf32", backend), "name precisions in --precision alone")
		}
		if options.GPU, err = compare.FindGPU(ctx); err != nil {
			return options, "", err
		}
	}
	if _, err = xla.Locate(backend); err != nil {
		return options, "", err
	}
	if err := b.addPrecisions(&options); err != nil {
		return options, "", err
	}
	if len(options.Modes) > 0 {
		if options.Python, err = compare.FindPython(); err != nil {
			return options, "", err
		}
		if pytorch, err = compare.TorchVersion(ctx, options.Python, options.Device); err != nil {
			return options, "", err
		}
	}
	program, err := os.Executable()
	options.Worker = func(c bench.Case, p compare.Precision) []string {
		backend := backend
		if p == compare.TF32 {
			backend += "," + string(p)
		}
		return []string{program, "--serve", "--backend", backend, "--precision", string(p),
			"--full-batch", fmt.Sprint(b.fullBatch), "--repeat", fmt.Sprint(b.repeat), c.Name}
	}
	return options, pytorch, err
}

// addPrecisions adds the precisions and PyTorch's modes that the flags name.
func (b benchOptions) addPrecisions(options *compare.Options) error {
	for _, name := range b.precisions {
		var p compare.Precision
		err := p.UnmarshalText([]byte(name))
		if err == nil && p == compare.TF32 && options.Device != "cuda" {
			err = needsCUDA(name)
		}
		if err != nil {
			return fmt.Errorf("--precision: %w", err)
		}
		if !slices.Contains(options.Precisions, p) {
			options.Precisions = append(options.Precisions, p)
		}
	}
	for _, name := range b.modes {
		mode, err := compare.ParseMode(name)
		if err == nil && mode.Precision() == compare.TF32 && options.Device != "cuda" {
			err = needsCUDA(name)
		}
		if err != nil {
			return fmt.Errorf("--pytorch: %w", err)
		}
		options.Modes = append(options.Modes, mode)
	}
	return nil
}

func needsCUDA(name string) error {
	return fault.Usage(fmt.Errorf("%s needs a CUDA device", name), "add --device cuda, or leave it out")
}

func measure(cmd *cobra.Command, opts *terminal.Options, cases []bench.Case, b benchOptions) (benchReport, error) {
	report := benchReport{Versions: version.Read(), Cores: runtime.NumCPU(), Load: machine.LoadAverage()}
	options, pytorch, err := planOf(cmd.Context(), opts, b)
	if err != nil {
		return report, err
	}
	report.GPU, report.PyTorch = options.GPU, pytorch
	bench.WarnBusy(opts.Log, report.Load)
	file, err := readRecords(b.out)
	if err != nil {
		return report, err
	}
	parts := []compare.Options{options}
	if options.GPU != nil {
		parts = options.ByPrecision()
	}
	bar := opts.NewProgress("Measuring", len(cases)*len(parts)*b.rounds)
	defer bar.Done()
	done := 0
	for _, c := range cases {
		about, measured := recordOf(report, b.rounds, os.Args), []compare.Result(nil)
		for _, part := range parts {
			part.Progress = func(sofar []compare.Result) error {
				done++
				bar.Set(done, c.Name)
				return file.put(b.out, c, about, slices.Concat(measured, sofar))
			}
			results, err := compare.Run(cmd.Context(), c, part)
			if err != nil {
				return report, fmt.Errorf("case %s: %w", c.Name, err)
			}
			measured = append(measured, results...)
		}
		report.Results = append(report.Results, measured...)
	}
	return report, nil
}

func (r benchReport) print(w io.Writer) error {
	fmt.Fprintf(w, "%d cores, load average %s\n", r.Cores, r.Load)
	if r.GPU != nil {
		fmt.Fprintf(w, "%s, driver %s, %s\n", r.GPU.Name, r.GPU.Driver, machine.ByteSize(int64(r.GPU.MemoryBytes)))
	}
	fmt.Fprintln(w)
	header, rows := r.table()
	return terminal.PrintTable(w, append([][]string{header}, rows...))
}

// table is the results in rows, a work's name only in the first of its rows.
func (r benchReport) table() (header []string, rows [][]string) {
	header = []string{"work", "engine", "batch", "s/step", "samples/s", "first step, s", "peak, GiB"}
	if r.GPU != nil {
		header = append(header, "GPU memory, GiB", "of it allocated, GiB", "GPU busy")
	}
	header = append(header, "speed-up")
	before := ""
	for _, m := range r.Results {
		about, speedup := m.About, ""
		if m.Case == before {
			about = ""
		}
		if before = m.Case; m.Speedup > 0 {
			speedup = fmt.Sprintf("%.2f ×", m.Speedup)
		} else if m.NoRatio != "" {
			speedup = "noisy"
		}
		row := []string{about, m.Engine, fmt.Sprint(m.Batch), fmt.Sprintf("%.4g", m.StepSeconds),
			fmt.Sprintf("%.4g", m.SamplesPerSecond),
			fmt.Sprintf("%.1f", m.FirstStepSeconds), bench.Gibibytes(m.PeakBytes)}
		if r.GPU != nil {
			busy := "unknown"
			if m.GPUBusy != nil {
				busy = fmt.Sprintf("%.0f %%", 100**m.GPUBusy)
			}
			row = append(row, bench.Gibibytes(m.GPUBytes), bench.Gibibytes(m.AllocatedBytes), busy)
		}
		rows = append(rows, append(row, speedup))
	}
	return header, rows
}
