package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
)

// Engine names this program's measurements in float32.
const Engine = "illustrator"

// Result is one case as done by one engine.
type Result struct {
	Case   string `json:"case"`
	About  string `json:"about"`
	Engine string `json:"engine"`
	Batch  int    `json:"batch"`
	// StepSeconds is the median over rounds, Rounds all of them, and SamplesPerSecond the batch over the median.
	StepSeconds      float64   `json:"step_seconds"`
	Rounds           []float64 `json:"rounds"`
	Spread           float64   `json:"spread"` // of the rounds: their range by their median
	SamplesPerSecond float64   `json:"samples_per_second"`
	// FirstStepSeconds is the time of the first step: building and compiling the program, and one step.
	FirstStepSeconds float64 `json:"first_step_seconds"`
	PeakBytes        uint64  `json:"peak_bytes,omitempty"`
	// Precision is that of products and convolutions, "float32" or another.
	Precision string `json:"precision"`
}

// warmUp is the number of an engine's measurements before the rounds.
const warmUp = 2

// Measurement is an engine at work on a case.
type Measurement struct {
	Result
	worker *worker
}

// Begin starts the process of an engine with env added to its environment, and warms it up; result says whose it is,
// ready receives what the process says when it is ready. The caller stops the measurement.
func Begin(ctx context.Context, result Result, command, env []string, ready any) (*Measurement, error) {
	w, err := start(ctx, result.Engine, command, env, ready)
	if err != nil {
		return nil, err
	}
	m := &Measurement{Result: result, worker: w}
	if m.FirstStepSeconds, err = w.measure(); err == nil { // with the next, WarmUp measurements
		_, err = w.measure() // warms caches and, in PyTorch, thread pools
	}
	if err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

// Round measures once more.
func (m *Measurement) Round() error {
	seconds, err := m.worker.measure()
	if err == nil {
		m.Rounds = append(m.Rounds, seconds)
	}
	return err
}

// Summarise fills what follows from the rounds, and the process's memory.
func (m *Measurement) Summarise() {
	m.PeakBytes = m.worker.peakMemory()
	m.Result.summarise()
}

// Allocated returns the most of the device's memory that the engine says it had, in bytes; 0 where it does not say.
func (m *Measurement) Allocated() uint64 { return m.worker.allocated }

// Spans returns when the engine worked on its rounds.
func (m *Measurement) Spans() []Span { return m.worker.worked[warmUp:] }

// Stop ends the process.
func (m *Measurement) Stop() { m.worker.stop() }

func (r *Result) summarise() {
	r.StepSeconds = Median(r.Rounds)
	r.Spread = (slices.Max(r.Rounds) - slices.Min(r.Rounds)) / r.StepSeconds
	r.SamplesPerSecond = float64(r.Batch) / r.StepSeconds
}

// Scratch makes a folder for the temporary files of processes that are measured, and returns the environment that has
// them use it.
func Scratch() (env []string, remove func() error, err error) {
	folder, err := os.MkdirTemp("", "illustrator-bench-")
	return []string{"TMPDIR=" + folder}, func() error { return os.RemoveAll(folder) }, err
}

// Measure measures one case in this program: command starts the process that calls Serve for it.
func Measure(ctx context.Context, c Case, command []string, rounds int) (r Result, err error) {
	env, remove, err := Scratch()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	m, err := Begin(ctx, Result{Case: c.Name, About: c.About, Engine: Engine, Precision: "float32", Batch: c.Batch},
		command, env, new(any))
	if err != nil {
		return r, err
	}
	defer m.Stop()
	for range rounds {
		if err := m.Round(); err != nil {
			return r, err
		}
	}
	m.Summarise()
	return m.Result, nil
}

// Median returns the middle of values, the mean of the two middle ones of an even number.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// WarnBusy warns if the load average says that other programs keep half of a core or more busy.
func WarnBusy(log *slog.Logger, average string) {
	var load float64
	if _, err := fmt.Sscan(average, &load); err == nil && load >= 0.5 {
		log.Warn(fmt.Sprintf("other programs are busy (load average %s): the times will be those of a shared machine, and "+
			"PyTorch's threads suffer more from that", average))
	}
}

// Gibibytes prints a number of bytes.
func Gibibytes(n uint64) string {
	if n == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f", float64(n)/(1<<30))
}
