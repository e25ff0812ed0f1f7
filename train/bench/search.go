package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Search looks for the batch with which a case does most samples a second: it doubles the batch while that pays, then
// tries the batches half-way to the best one's neighbours. A batch that fails, for want of memory perhaps, ends the
// doubling and nothing more.
type Search struct {
	// Least and Most are the bounds of the batch, which is always a multiple of Multiple.
	Least, Most, Multiple int
	// Memory limits what a process takes, in bytes; 0 if that is not known. Estimate says what one takes with a batch,
	// until two batches were measured; nil if nobody knows.
	Memory   uint64
	Estimate func(batch int) uint64
	// Measure does the measurement of a batch, in a process that may fail.
	Measure func(batch int) (Result, error)
}

// Worthwhile is the least gain in samples a second that makes a larger batch worth it.
const Worthwhile = 1.05

// firstBatch begins a search.
const firstBatch = 8

// Candidate is a batch that was tried.
type Candidate struct {
	Result
	// CompileSeconds is the time by which the first step took longer than others.
	CompileSeconds float64 `json:"compile_seconds"`
	// Failure says why there are no figures.
	Failure string `json:"failure,omitempty"`
}

// Run returns the batches that were tried, ascending, and the best of them: the smallest of which no other does
// Worthwhile times as many samples a second; 0 if none could be measured. An error is that of ctx;
// what was tried till then is returned.
func (s Search) Run(ctx context.Context) (tried []Candidate, best int, err error) {
	defer func() {
		slices.SortFunc(tried, func(a, b Candidate) int { return cmp.Compare(a.Batch, b.Batch) })
		best = recommend(tried)
	}()
	try := func(batch int) (Candidate, error) {
		c := s.try(batch, tried)
		if cause := context.Cause(ctx); cause != nil {
			return c, cause
		}
		tried = append(tried, c)
		return c, nil
	}
	most := s.Most / s.Multiple * s.Multiple
	least := min(s.roundUp(s.Least), most)
	batch := min(max(s.roundUp(firstBatch), least), most)
	for c, err := try(batch); ; c, err = try(batch) {
		switch {
		case err != nil:
			return tried, 0, err
		case c.Failure != "" && len(measured(tried)) == 0 && batch > least:
			batch = max(s.roundDown(batch/2), least)
		case c.Failure != "" || c.SamplesPerSecond < Worthwhile*fastest(tried[:len(tried)-1]) ||
			len(tried) > len(measured(tried)) || batch == most:
			return tried, 0, s.refine(&tried, most, least, try)
		default:
			batch = min(2*batch, most)
		}
	}
}

// refine tries the batches half-way between the fastest and its neighbours.
func (s Search) refine(tried *[]Candidate, most, least int, try func(batch int) (Candidate, error)) error {
	good := measured(*tried)
	if len(good) == 0 {
		return nil
	}
	at := slices.MaxFunc(good,
		func(a, b Candidate) int { return cmp.Compare(a.SamplesPerSecond, b.SamplesPerSecond) }).Batch
	for _, batch := range []int{s.roundDown(at * 3 / 4), s.roundDown(at * 3 / 2)} {
		known := slices.ContainsFunc(*tried, func(c Candidate) bool { return c.Batch == batch })
		if known || batch < least || batch > most {
			continue
		}
		if _, err := try(batch); err != nil {
			return err
		}
	}
	return nil
}

func (s Search) roundDown(batch int) int { return max(batch/s.Multiple*s.Multiple, s.Multiple) }

func (s Search) roundUp(batch int) int { return (batch + s.Multiple - 1) / s.Multiple * s.Multiple }

// try measures a batch, unless it would take more memory than there is.
func (s Search) try(batch int, tried []Candidate) Candidate {
	c := Candidate{Result: Result{Batch: batch}}
	if need := s.predict(batch, tried); s.Memory > 0 && need > s.Memory {
		c.Failure = fmt.Sprintf("not tried: it would take about %.2f GiB, and %.2f GiB are free", gib(need), gib(s.Memory))
		return c
	}
	r, err := s.Measure(batch)
	if err != nil {
		c.Failure, _, _ = strings.Cut(err.Error(), "\n")
		return c
	}
	r.Batch = batch
	return Candidate{Result: r, CompileSeconds: max(0, r.FirstStepSeconds-r.StepSeconds)}
}

// predict returns the memory that a batch takes, in bytes: on the line through the two largest that were measured.
func (s Search) predict(batch int, tried []Candidate) uint64 {
	good := measured(tried)
	slices.SortFunc(good, func(a, b Candidate) int { return cmp.Compare(b.Batch, a.Batch) })
	if len(good) > 1 && good[1].PeakBytes > 0 {
		a, b := good[1], good[0]
		perSample := max(0, (float64(b.PeakBytes)-float64(a.PeakBytes))/float64(b.Batch-a.Batch))
		return uint64(max(0, float64(b.PeakBytes)+perSample*float64(batch-b.Batch)))
	}
	if s.Estimate != nil {
		return s.Estimate(batch)
	}
	return 0
}

// recommend returns the best of the batches that were tried.
func recommend(tried []Candidate) int {
	most := fastest(tried)
	for _, c := range tried {
		if c.Failure == "" && c.SamplesPerSecond*Worthwhile >= most {
			return c.Batch
		}
	}
	return 0
}

func measured(tried []Candidate) []Candidate {
	return slices.DeleteFunc(slices.Clone(tried), func(c Candidate) bool { return c.Failure != "" })
}

// fastest returns the most samples a second of those that were tried.
func fastest(tried []Candidate) float64 {
	most := 0.0
	for _, c := range tried {
		most = max(most, c.SamplesPerSecond)
	}
	return most
}

func gib(bytes uint64) float64 { return float64(bytes) / (1 << 30) }
