package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// search runs a search on a machine whose samples a second are speed's; a speed of 0 is a failure.
func search(t *testing.T, s Search, speed func(batch int) float64) (order []int, tried []Candidate, best int) {
	t.Helper()
	s.Multiple = max(1, s.Multiple)
	s.Measure = func(batch int) (Result, error) {
		order = append(order, batch)
		per := speed(batch)
		if per == 0 {
			return Result{}, errors.New("worker: out of memory\nand more")
		}
		step := float64(batch) / per
		return Result{StepSeconds: step, SamplesPerSecond: per, FirstStepSeconds: step + 3,
			PeakBytes: uint64(1000 + 10*batch)}, nil
	}
	tried, best, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return order, tried, best
}

func TestSearch(t *testing.T) {
	growing := func(upTo int) func(int) float64 {
		return func(batch int) float64 { return float64(min(batch, upTo)) }
	}
	for name, c := range map[string]struct {
		search Search
		speed  func(int) float64
		order  []int
		best   int
	}{
		"grows, then no more": {Search{Least: 1, Most: 1024}, growing(30), []int{8, 16, 32, 64, 24, 48}, 32},
		"half-way is enough":  {Search{Least: 1, Most: 1024}, growing(25), []int{8, 16, 32, 64, 24, 48}, 24},
		"half-way beyond is best": {Search{Least: 1, Most: 1024},
			func(b int) float64 { return map[int]float64{8: 8, 16: 16, 32: 12, 12: 12, 24: 20}[b] },
			[]int{8, 16, 32, 12, 24}, 24},
		"never pays": {Search{Least: 1, Most: 1024}, func(int) float64 { return 5 },
			[]int{8, 16, 6, 12}, 6},
		"up to the bound":        {Search{Least: 1, Most: 50}, growing(1000), []int{8, 16, 32, 50, 37}, 50},
		"the bound is the first": {Search{Least: 4, Most: 6}, growing(1000), []int{6, 4}, 6},
		"fails above": {Search{Least: 1, Most: 1024},
			func(b int) float64 { return float64(b * max(0, min(1, 41-b))) }, []int{8, 16, 32, 64, 24, 48}, 32},
		"fails at once": {Search{Least: 1, Most: 1024},
			func(b int) float64 { return float64(b * max(0, min(1, 4-b))) }, []int{8, 4, 2, 1, 3}, 3},
		"fails always": {Search{Least: 2, Most: 1024}, func(int) float64 { return 0 }, []int{8, 4, 2}, 0},
		"shared by devices": {Search{Least: 4, Most: 100, Multiple: 6}, growing(30),
			[]int{12, 24, 48, 96, 36, 72}, 36},
		"memory measured": {Search{Least: 1, Most: 1024, Memory: 1500}, growing(1000),
			[]int{8, 16, 32, 24, 48}, 48},
		"memory estimated for first": {Search{Least: 1, Most: 1024, Memory: 1500,
			Estimate: func(b int) uint64 { return uint64(400 * b) }}, growing(1000), []int{2, 1, 3}, 3},
		"memory estimated, then known": {Search{Least: 1, Most: 20, Memory: 1500,
			Estimate: func(b int) uint64 { return uint64(90 * b) }}, growing(1000), []int{8, 16, 20, 15}, 20},
		"an estimate without the total": {Search{Least: 1, Most: 8, Estimate: func(b int) uint64 { return 1 << 60 }},
			growing(1000), []int{8, 6}, 8},
	} {
		order, tried, best := search(t, c.search, c.speed)
		if !slices.Equal(order, c.order) || best != c.best {
			t.Errorf("%s: measured %v, best %d; want %v, %d", name, order, best, c.order, c.best)
		}
		if !slices.IsSortedFunc(tried, func(a, b Candidate) int { return a.Batch - b.Batch }) {
			t.Errorf("%s: not ascending: %+v", name, tried)
		}
	}
}

func TestSearchSaysWhatFailed(t *testing.T) {
	_, tried, _ := search(t, Search{Least: 8, Most: 64, Memory: 1500},
		func(b int) float64 { return float64(b * max(0, min(1, 17-b))) })
	var failures []string
	for _, c := range tried {
		failures = append(failures, c.Failure)
		if c.Failure == "" && c.CompileSeconds != 3 {
			t.Errorf("batch %d: %g seconds to compile, want 3", c.Batch, c.CompileSeconds)
		}
	}
	want := []string{"", "", "", "worker: out of memory", "worker: out of memory"} // 8, 12, 16, 24, 32
	if !slices.Equal(failures, want) {
		t.Errorf("%q, want %q", failures, want)
	}
	_, tried, _ = search(t, Search{Least: 8, Most: 64, Memory: 1300}, func(b int) float64 { return float64(b) })
	if last := tried[len(tried)-1]; last.Batch != 32 ||
		!strings.HasPrefix(last.Failure, "not tried: it would take about 0.00 GiB") {
		t.Errorf("%+v", last)
	}
}

// An interruption returns what was measured before.
func TestSearchIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	tried, best, err := Search{Least: 1, Most: 1024, Multiple: 1, Measure: func(batch int) (Result, error) {
		if batch == 32 {
			cancel(stopped)
			return Result{}, stopped
		}
		return Result{SamplesPerSecond: float64(batch), StepSeconds: 1}, nil
	}}.Run(ctx)
	if !errors.Is(err, stopped) || len(tried) != 2 || best != 16 {
		t.Errorf("tried %+v, best %d, %v", tried, best, err)
	}
}
