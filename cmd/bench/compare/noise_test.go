package compare

import (
	"fmt"
	"strings"
	"testing"

	"illustrator/train/bench"
)

// answering is a worker that answers with the given seconds, and then ends.
func answering(t *testing.T, seconds ...float64) []string {
	script := "echo '{}'"
	for _, s := range seconds {
		script += fmt.Sprintf("; read line; echo '{\"seconds\": %g}'", s)
	}
	return shell(t, script)
}

// Rounds as a quiet machine could give them, which are made up, and those of lorelei-sampling and lorelei-l1 as
// recorded on two cores on which trainings and compilers ran.
var (
	quiet  = []float64{0.2573, 0.2551, 0.2549, 0.2587, 0.2562}
	shared = []float64{2.468884569, 2.18849290825, 2.434588577, 2.26939590425, 1.9527977795}
	busy   = []float64{1.77239438648, 1.22897402626, 0.49222742634, 0.42938342178, 0.23168909636}
)

func TestNoisyRoundsGiveNoRatio(t *testing.T) {
	warmed := func(rounds []float64) []string { return answering(t, append([]float64{9, 1}, rounds...)...) }
	twice := func(rounds []float64) (slower []float64) {
		for _, r := range rounds {
			slower = append(slower, 2*r)
		}
		return slower
	}
	for _, c := range []struct {
		name       string
		own, other []float64
		want       string
	}{
		{"quiet", quiet, twice(quiet), ""},
		{"shared", shared, twice(shared), "rounds of illustrator spread by 23 %, more than 20 %"},
		{"noisy", busy, twice(busy), "rounds of illustrator spread by 313 %, more than 20 %"},
		{"the other noisy", quiet, twice(busy), "rounds of other spread by 313 %"},
		{"few", quiet[:2], twice(quiet[:2]), "2 of at least 3 rounds"},
	} {
		var results []Result
		for engine, rounds := range map[string][]float64{bench.Engine: c.own, "other": c.other} {
			r, err := Run(t.Context(), bench.Case{Batch: 1}, Options{Rounds: len(rounds),
				Worker: func(bench.Case, Precision) []string { return warmed(rounds) }})
			if err != nil {
				t.Fatal(err)
			}
			r[0].Engine = engine
			results = append(results, r[0])
		}
		if results[0].Engine == "other" {
			results[0], results[1] = results[1], results[0]
		}
		own, other := results[0], results[1]
		other.compare(own)
		if !strings.HasPrefix(other.NoRatio, c.want) || (c.want == "") != (other.NoRatio == "") ||
			(other.Speedup != 0) != (c.want == "") {
			t.Errorf("%s: ratio %g, %q", c.name, other.Speedup, other.NoRatio)
		}
		if c.want == "" && (other.Speedup < 1.999 || other.Speedup > 2.001) {
			t.Errorf("the ratio is %g", other.Speedup)
		}
	}
}

// Each round is reported before an engine dies in a later one.
func TestRunReportsEachRound(t *testing.T) {
	var rounds []int
	_, err := Run(t.Context(), bench.Case{Batch: 1}, Options{Rounds: 5,
		Worker:   func(bench.Case, Precision) []string { return answering(t, 9, 1, 0.2573, 0.2551) },
		Progress: func(sofar []Result) error { rounds = append(rounds, len(sofar[0].Rounds)); return nil }})
	if err == nil || len(rounds) != 2 || rounds[1] != 2 {
		t.Errorf("%v was reported, error %v", rounds, err)
	}
}
