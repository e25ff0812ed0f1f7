// Package compare measures cases in this program and in PyTorch: processes that do the same work take turns, so that
// all of them see the same machine.
package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"illustrator/train/bench"
)

// Options say how a case is measured.
type Options struct {
	// Worker returns the command line of a process that calls bench.Serve for a case in a precision, each of Precisions
	// that the case has, or float32 if there is none.
	Worker     func(c bench.Case, p Precision) []string
	Precisions []Precision
	// Rounds is the number of measurements.
	Rounds int
	// Python is the interpreter with PyTorch, Modes how PyTorch does the same work, and Device where, "cpu" or "cuda".
	// Without modes it is not run.
	Python string
	Modes  []Mode
	Device string
	// GPU is watched while an engine works; nil watches none.
	GPU *GPU
	// Progress is called after every round with the results so far. It may be nil.
	Progress func(sofar []Result) error
}

// A ratio takes MinRounds rounds in which both sides' times spread by at most MaxSpread of their median: rounds that
// spread more were measured while other programs ran, and their ratio says more of these than of the engines.
const (
	MinRounds = 3
	MaxSpread = 0.2
)

// Result is one case as done by one engine: this program, whose precisions other than float32 follow its name, or
// PyTorch in a mode, "PyTorch eager-float32".
type Result struct {
	bench.Result
	// Speedup is the ratio of the other's time to this program's in the same precision, or in float32 if it lacks that:
	// the median over rounds. 0 for itself, and where NoRatio says why there is none.
	Speedup float64 `json:"speedup,omitempty"`
	NoRatio string  `json:"no_ratio,omitempty"`
	// GPUBytes is by how much the GPU's memory grew from the process's start to the end of its warm-up, AllocatedBytes the
	// most that PyTorch says it had of it, and GPUBusy the median of the GPU's utilization from 0 to 1 while it worked,
	// nil if unknown.
	GPUBytes       uint64   `json:"gpu_bytes,omitempty"`
	AllocatedBytes uint64   `json:"allocated_bytes,omitempty"`
	GPUBusy        *float64 `json:"gpu_busy,omitempty"`
}

// run is a case under way.
type run struct {
	of       bench.Case
	options  Options
	env      []string
	watch    *watch
	work     json.RawMessage // of the case, as this program describes it
	engines  []*bench.Measurement
	gpuBytes []uint64 // of each engine
}

// Run measures one case: this program first, then PyTorch in each mode. In every round all of them do a measurement,
// one after the other; another program's load thus falls on all alike.
func Run(ctx context.Context, c bench.Case, o Options) (results []Result, err error) {
	scratch, remove, err := bench.Scratch()
	if err != nil {
		return nil, err
	}
	r := &run{of: c, options: o, env: append(o.GPU.env(), scratch...)}
	r.watch, err = o.GPU.watch(ctx)
	defer func() {
		for _, e := range r.engines {
			e.Stop()
		}
		err = errors.Join(err, r.watch.stop(), remove())
	}()
	if err != nil {
		return nil, err
	}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	for range o.Rounds {
		for _, e := range r.engines {
			if err := e.Round(); err != nil {
				return nil, err
			}
		}
		if o.Progress != nil {
			if err := o.Progress(r.results()); err != nil {
				return nil, err
			}
		}
	}
	return r.results(), nil
}

// begin starts and warms all engines, one after the other.
func (r *run) begin(ctx context.Context) error {
	for _, p := range precisionsOf(r.of, r.options.Precisions) {
		if err := r.add(ctx, p.engine(), p, r.options.Worker(r.of, p), &r.work); err != nil {
			return err
		}
	}
	for _, mode := range r.options.Modes {
		command := pytorchCommand(r.options.Python, r.options.Device, mode, r.work)
		if err := r.add(ctx, "PyTorch "+string(mode), mode.Precision(), command, new(any)); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) add(ctx context.Context, engine string, p Precision, command []string, ready any) error {
	began := r.watch.now()
	result := bench.Result{Case: r.of.Name, About: r.of.About, Engine: engine, Precision: string(p), Batch: r.of.Batch}
	m, err := bench.Begin(ctx, result, command, r.env, ready)
	if err != nil {
		return err
	}
	r.engines, r.gpuBytes = append(r.engines, m), append(r.gpuBytes, r.watch.growth(began))
	return nil
}

func (r *run) results() []Result {
	results := make([]Result, len(r.engines))
	for i, e := range r.engines {
		e.Summarise()
		results[i] = Result{Result: e.Result, GPUBytes: r.gpuBytes[i], AllocatedBytes: e.Allocated(),
			GPUBusy: r.watch.busy(e.Spans())}
	}
	for i := range results {
		results[i].compare(likeOf(results, i))
	}
	return results
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
func (r *Result) own() bool { return r.Engine == Precision(r.Precision).engine() }

// compare sets the speed-up of own, this program, over r, or why the rounds allow none.
func (r *Result) compare(own Result) {
	if r.own() {
		return
	}
	if r.NoRatio = noRatio(own, *r); r.NoRatio != "" {
		return
	}
	quotients := make([]float64, len(r.Rounds))
	for i := range quotients {
		quotients[i] = r.Rounds[i] / own.Rounds[i]
	}
	r.Speedup = bench.Median(quotients)
}

// noRatio says why the rounds of two engines give no ratio, "" if they do.
func noRatio(own, other Result) string {
	if n := len(own.Rounds); n < MinRounds {
		return fmt.Sprintf("%d of at least %d rounds", n, MinRounds)
	}
	for _, r := range []Result{own, other} {
		if r.Spread > MaxSpread {
			return fmt.Sprintf("rounds of %s spread by %.0f %%, more than %.0f %%", r.Engine, 100*r.Spread, 100*MaxSpread)
		}
	}
	return ""
}
