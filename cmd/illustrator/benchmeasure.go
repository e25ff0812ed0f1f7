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

	"illustrator/internal/columns"
	"illustrator/internal/fault"
	"illustrator/models/xla"
	"illustrator/train/bench"
)

// benchReport is what --json prints.
type benchReport struct {
	Versions versions       `json:"versions"`
	Cores    int            `json:"cores"`
	Load     string         `json:"load_average"` // before the first case; other programs' load slows all alike
	GPU      *bench.GPU     `json:"gpu,omitempty"`
	PyTorch  string         `json:"pytorch,omitempty"` // its version
	Results  []bench.Result `json:"results"`
}

// benchPlan returns how cases are measured, after a look that all is there that it takes, and PyTorch's version.
func (o *globalOptions) benchPlan(ctx context.Context, b benchOptions) (options bench.Options, pytorch string, err error) {
	backend, err := o.backendName()
	if err != nil {
		return options, "", err
	}
	backend = cmp.Or(backend, os.Getenv(xla.BackendEnv))
	options = bench.Options{Rounds: b.rounds, Precisions: []bench.Precision{bench.Float32}, Device: "cpu"}
	if xla.IsCUDA(backend) {
		if options.Device, backend = "cuda", backend+",grow"; strings.Contains(backend, ","+string(bench.TF32)) {
			return options, "", fault.Usage(fmt.Errorf("--backend %s has tf32", backend), "name precisions in --precision alone")
		}
		if options.GPU, err = bench.FindGPU(ctx); err != nil {
			return options, "", err
		}
	}
	if _, _, err = xla.Locate(backend); err != nil {
		return options, "", err
	}
	for _, name := range b.precisions {
		p, err := bench.ParsePrecision(name)
		if err == nil && p == bench.TF32 && options.Device != "cuda" {
			err = needsCUDA(name)
		}
		if err != nil {
			return options, "", fmt.Errorf("--precision: %w", err)
		}
		if !slices.Contains(options.Precisions, p) {
			options.Precisions = append(options.Precisions, p)
		}
	}
	for _, name := range b.modes {
		mode, err := bench.ParseMode(name)
		if err == nil && mode.Precision() == bench.TF32 && options.Device != "cuda" {
			err = needsCUDA(name)
		}
		if err != nil {
			return options, "", fmt.Errorf("--pytorch: %w", err)
		}
		options.Modes = append(options.Modes, mode)
	}
	if len(options.Modes) > 0 {
		if options.Python, err = bench.FindPython(); err != nil {
			return options, "", err
		}
		if pytorch, err = bench.TorchVersion(ctx, options.Python, options.Device); err != nil {
			return options, "", err
		}
	}
	program, err := os.Executable()
	options.Worker = func(c bench.Case, p bench.Precision) []string {
		backend := backend
		if p == bench.TF32 {
			backend += "," + string(p)
		}
		return []string{program, "bench", "--serve", "--backend", backend, "--precision", string(p),
			"--full-batch", fmt.Sprint(b.fullBatch), "--repeat", fmt.Sprint(b.repeat), c.Name}
	}
	return options, pytorch, err
}

func needsCUDA(name string) error {
	return fault.Usage(fmt.Errorf("%s needs a CUDA device", name), "add --device cuda, or leave it out")
}

func (o *globalOptions) measure(cmd *cobra.Command, cases []bench.Case, b benchOptions) (benchReport, error) {
	report := benchReport{Versions: readVersions(), Cores: runtime.NumCPU(), Load: loadAverage()}
	options, pytorch, err := o.benchPlan(cmd.Context(), b)
	if err != nil {
		return report, err
	}
	report.GPU, report.PyTorch = options.GPU, pytorch
	o.warnBusy(report.Load)
	parts := []bench.Options{options}
	if options.GPU != nil {
		parts = options.ByPrecision()
	}
	bar := o.newProgress("Measuring", len(cases)*len(parts)*b.rounds)
	defer bar.Done()
	done := 0
	for _, c := range cases {
		for _, part := range parts {
			part.Progress = func() { done++; bar.Set(done, c.Name) }
			results, err := bench.Run(cmd.Context(), c, part)
			if err != nil {
				return report, fmt.Errorf("case %s: %w", c.Name, err)
			}
			report.Results = append(report.Results, results...)
		}
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
	fmt.Fprintf(w, "%d cores, load average %s\n", r.Cores, r.Load)
	if r.GPU != nil {
		fmt.Fprintf(w, "%s, driver %s, %s\n", r.GPU.Name, r.GPU.Driver, byteSize(int64(r.GPU.MemoryBytes)))
	}
	fmt.Fprintln(w)
	header, rows := r.table()
	return columns.Print(w, append([][]string{header}, rows...))
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
		}
		row := []string{about, m.Engine, fmt.Sprint(m.Batch), fmt.Sprintf("%.4g", m.StepSeconds), fmt.Sprintf("%.4g", m.SamplesPerSecond),
			fmt.Sprintf("%.1f", m.FirstStepSeconds), gibibytes(m.PeakBytes)}
		if r.GPU != nil {
			busy := "unknown"
			if m.GPUBusy != nil {
				busy = fmt.Sprintf("%.0f %%", 100**m.GPUBusy)
			}
			row = append(row, gibibytes(m.GPUBytes), gibibytes(m.AllocatedBytes), busy)
		}
		rows = append(rows, append(row, speedup))
	}
	return header, rows
}

func gibibytes(n uint64) string {
	if n == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f", float64(n)/(1<<30))
}
