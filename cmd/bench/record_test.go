package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/cmd/bench/compare"
	"illustrator/internal/fault"
	"illustrator/train/bench"
)

func result(engine, noRatio string, rounds ...float64) compare.Result {
	return compare.Result{Result: bench.Result{Case: "c", Engine: engine, Batch: 2, Rounds: rounds}, NoRatio: noRatio}
}

// The file keeps other cases and has the last round of this one.
func TestRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	all, err := readRecords(path)
	if err != nil || len(all) != 0 {
		t.Fatalf("no file: %v, %v", all, err)
	}
	about := recordOf(benchReport{Cores: 2, PyTorch: "2.15.0"}, 3, []string{"/tmp/bench", "--rounds", "3", "c"})
	for _, batch := range []int{2, 8} {
		for n := range 2 {
			results := []compare.Result{result(bench.Engine, "", []float64{1, 2}[:n+1]...)}
			if err := all.put(path, bench.Case{Name: "c", Batch: batch}, about, results); err != nil {
				t.Fatal(err)
			}
		}
	}
	again, err := readRecords(path)
	if err != nil || len(again) != 2 {
		t.Fatalf("%v, %v", again, err)
	}
	r := again["c-8"]
	if r.Command != "bench --rounds 3 c" || !strings.HasSuffix(r.Versions, "PyTorch 2.15.0") || r.Rounds != 3 ||
		len(r.Results[0].Rounds) != 2 || !strings.HasPrefix(r.Machine, "2 cores, ") || r.Date == "" {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(path, []byte(`{"c-2": 7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRecords(path); err == nil || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
		t.Errorf("another file: %v", err)
	}
}

func TestNoRatios(t *testing.T) {
	good, noisy := result("PyTorch eager-float32", ""), result("PyTorch eager-float32", "rounds spread")
	if err := noRatios([]compare.Result{good}); err != nil {
		t.Error(err)
	}
	err := noRatios([]compare.Result{good, noisy})
	if !errors.Is(err, fault.ErrPartial) || !strings.Contains(err.Error(), "c, PyTorch eager-float32: rounds spread") ||
		fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}
