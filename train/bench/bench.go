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
	// Worker is the command line of a process that calls Serve for a case in a precision, each of Precisions that the case has, or
	// float32 if there is none.
	Worker     func(c Case, p Precision) []string
	Precisions []Precision
	// Rounds is the number of measurements.
	Rounds int
	// Python is the interpreter with PyTorch, Modes how PyTorch does the same work, and Device where, "cpu" or "cuda". Without
	// modes it is not run.
	Python string
	Modes  []Mode
	Device string
	// GPU is watched while an engine works; nil watches none.
	GPU *GPU
	// Progress is told of every finished round. It may be nil.
	Progress func()
}

// Engine is the name of a measurement of this program in float32, which other precisions follow behind a space; those of
// PyTorch are called "PyTorch " and their mode.
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
	// Precision is what it was done in, and Speedup how many times as fast this program is in the same precision, or in float32
	// where it lacks that: the median over rounds of the two times' quotient. 0 for itself.
	Precision Precision `json:"precision"`
	Speedup   float64   `json:"speedup,omitempty"`
	// GPUBytes is by how much the GPU's memory grew from the process's start to the end of its warm-up, AllocatedBytes the most
	// that PyTorch says it had of it, and GPUBusy the median of the GPU's utilization from 0 to 1 while it worked, nil if unknown.
	GPUBytes       uint64   `json:"gpu_bytes,omitempty"`
	AllocatedBytes uint64   `json:"allocated_bytes,omitempty"`
	GPUBusy        *float64 `json:"gpu_busy,omitempty"`
}

// warmUp is the number of an engine's measurements before the rounds.
const warmUp = 2

// Run measures one case: this program first, then PyTorch in each mode. In every round all of them do a measurement, one
// after the other; another program's load thus falls on all alike.
func Run(ctx context.Context, c Case, o Options) (results []Result, err error) {
	scratch, err := os.MkdirTemp("", "illustrator-bench-")
	if err != nil {
		return nil, err
	}
	var workers []*worker
	watch, err := o.GPU.watch(ctx)
	defer func() {
		for _, w := range workers {
			w.stop()
		}
		err = errors.Join(err, watch.stop(), os.RemoveAll(scratch))
	}()
	if err != nil {
		return nil, err
	}
	env := append(o.GPU.env(), "TMPDIR="+scratch) // for temporary files
	add := func(name string, p Precision, command []string, ready any) error {
		began := watch.now()
		w, err := start(ctx, name, command, env, ready)
		if err != nil {
			return err
		}
		workers = append(workers, w)
		r := Result{Case: c.Name, About: c.About, Engine: name, Precision: p, Batch: c.Batch}
		if r.FirstStepSeconds, err = w.measure(); err != nil { // with the next, warmUp measurements
			return err
		}
		_, err = w.measure() // warms caches and, in PyTorch, thread pools
		r.GPUBytes = watch.growth(began)
		results = append(results, r)
		return err
	}
	var work json.RawMessage
	for _, p := range c.precisions(o.Precisions) {
		if err := add(p.engine(), p, o.Worker(c, p), &work); err != nil {
			return nil, err
		}
	}
	for _, mode := range o.Modes {
		if err := add("PyTorch "+string(mode), mode.Precision(), pytorchCommand(o.Python, o.Device, mode, work), new(any)); err != nil {
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
		results[i].AllocatedBytes = w.allocated
		results[i].GPUBusy = watch.busy(w.worked[warmUp:])
		results[i].summarise(likeOf(results, i))
	}
	return results, nil
}

// likeOf returns the result of this program that results[i] is compared with, itself if it is this program's.
func likeOf(results []Result, i int) Result {
	for _, r := range results {
		if r.own() && r.Precision == results[i].Precision {
			return r
		}
	}
	return results[0]
}

// own reports whether r is of this program.
func (r *Result) own() bool { return r.Engine == r.Precision.engine() }

// summarise fills what follows from the rounds, compared with the rounds of this program.
func (r *Result) summarise(own Result) {
	r.StepSeconds = median(r.Rounds)
	r.SamplesPerSecond = float64(r.Batch) / r.StepSeconds
	if r.own() {
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
