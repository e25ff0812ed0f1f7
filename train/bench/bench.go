package bench

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
)

// Options say how a case is measured.
type Options struct {
	// Worker is the command line of a process that calls Serve for a case.
	Worker func(c Case) []string
	// Rounds is the number of measurements.
	Rounds int
	// Python is the interpreter with PyTorch, and Modes how PyTorch does the same work. Without modes it is not run.
	Python string
	Modes  []Mode
	// Progress is told of every finished round. It may be nil.
	Progress func()
}

// Engine is the name of a measurement of this program; those of PyTorch are called "PyTorch " and their mode.
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
	SamplesPerSecond float64   `json:"samples_per_second"`
	// FirstStepSeconds is the time of the first step: building and compiling the program, and one step.
	FirstStepSeconds float64 `json:"first_step_seconds"`
	PeakBytes        uint64  `json:"peak_bytes,omitempty"`
	// Speedup is how many times as fast this program is: the median over rounds of the two times' quotient. 0 for itself.
	Speedup float64 `json:"speedup,omitempty"`
}

// Run measures one case: this program first, then PyTorch in each mode. In every round all of them do a measurement, one
// after the other; another program's load thus falls on all alike.
func Run(ctx context.Context, c Case, o Options) (results []Result, err error) {
	scratch, err := os.MkdirTemp("", "illustrator-bench-")
	if err != nil {
		return nil, err
	}
	var workers []*worker
	defer func() {
		for _, w := range workers {
			w.stop()
		}
		err = errors.Join(err, os.RemoveAll(scratch))
	}()
	add := func(name string, command []string, ready any) error {
		w, err := start(ctx, name, command, scratch, ready)
		if err != nil {
			return err
		}
		workers = append(workers, w)
		r := Result{Case: c.Name, About: c.About, Engine: name, Batch: c.Batch}
		if r.FirstStepSeconds, err = w.measure(); err != nil {
			return err
		}
		results = append(results, r)
		_, err = w.measure() // warms caches and, in PyTorch, thread pools
		return err
	}
	var work json.RawMessage
	if err := add(Engine, o.Worker(c), &work); err != nil {
		return nil, err
	}
	for _, mode := range o.Modes {
		if err := add("PyTorch "+string(mode), pytorchCommand(o.Python, mode, work), new(any)); err != nil {
			return nil, err
		}
	}
	for range o.Rounds {
		for i, w := range workers {
			seconds, err := w.measure()
			if err != nil {
				return nil, err
			}
			results[i].Rounds = append(results[i].Rounds, seconds)
		}
		if o.Progress != nil {
			o.Progress()
		}
	}
	for i, w := range workers {
		results[i].PeakBytes = w.peakMemory()
		results[i].summarise(results[0])
	}
	return results, nil
}

// summarise fills what follows from the rounds, compared with the rounds of this program.
func (r *Result) summarise(own Result) {
	r.StepSeconds = median(r.Rounds)
	r.SamplesPerSecond = float64(r.Batch) / r.StepSeconds
	if r.Engine == own.Engine {
		return
	}
	quotients := make([]float64, len(r.Rounds))
	for i := range quotients {
		quotients[i] = r.Rounds[i] / own.Rounds[i]
	}
	r.Speedup = median(quotients)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
