package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// design is a simulated kind of score: draw gives a score of a text and a run, whose mean over both is truth.
type design struct {
	name  string
	of    Definition
	truth float64
	draw  func(text, run, rest float64) float64
}

// probit is a share whose texts and runs differ: a judgement is right where a sum of normal numbers stays below the
// quantile of the share. Half of the sum's variance is of texts, a tenth of runs.
func probit(share float64) design {
	return design{fmt.Sprintf("share of %.0f %%", 100*share), AttributeAccuracy, share,
		func(text, run, rest float64) float64 {
			deviation := 1.0
			if run == 0 {
				deviation = math.Sqrt(0.9)
			}
			if math.Sqrt(0.5)*text+math.Sqrt(0.1)*run+math.Sqrt(0.4)*rest < deviation*distuv.UnitNormal.Quantile(share) {
				return 1
			}
			return 0
		}}
}

var designs = []design{
	{"normal scores", CLIPSimilarity, 0, func(text, run, rest float64) float64 {
		return text + 0.3*run + rest
	}},
	{"skewed scores (lognormal texts)", CLIPSimilarity, math.Exp(0.5),
		func(text, run, rest float64) float64 { return math.Exp(text) + 0.3*run + rest }},
	probit(0.7), probit(0.9), probit(0.97), probit(0.99),
}

// coverage is the part of simulated studies whose interval holds the truth.
func coverage(t *testing.T, d design, texts, runs, studies int) float64 {
	hits := 0
	for i := range studies {
		r := rand.New(rand.NewPCG(uint64(i), uint64(100*texts+runs)))
		all, ofText := make([][]Sample, runs), make([]float64, texts)
		for k := range ofText {
			ofText[k] = r.NormFloat64()
		}
		for run := range all {
			ofRun := 0.0 // the interval of one run is for new texts alone
			if runs > 1 {
				ofRun = r.NormFloat64()
			}
			for k := range texts {
				all[run] = append(all[run], Sample{Text: k, Value: d.draw(ofText[k], ofRun, r.NormFloat64())})
			}
		}
		m := must[Metric](t)(MeanOverRuns(d.of, all))
		if m.Interval.Low <= d.truth && d.truth <= m.Interval.High {
			hits++
		}
	}
	return float64(hits) / float64(studies)
}

// TestCoverage simulates 1,000 studies of each design and compares the part of 95 % intervals that hold the truth with
// the table "coverage" of docs/figures.json, which the documents show. With -v it prints the rows of that table.
func TestCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates studies for a minute; run without -short")
	}
	raw, err := os.ReadFile("../../docs/figures.json")
	if err != nil {
		t.Fatal(err)
	}
	var figures struct {
		Coverage struct {
			Table struct{ Rows [][]string }
		}
	}
	if err := json.Unmarshal(raw, &figures); err != nil {
		t.Fatal(err)
	}
	rows := figures.Coverage.Table.Rows
	const studies = 1000
	for i, d := range designs {
		row := []string{d.name}
		for c, size := range [][2]int{{10, 1}, {40, 1}, {140, 1}, {140, 2}, {140, 3}, {140, 5}} {
			got := coverage(t, d, size[0], size[1], studies)
			row = append(row, fmt.Sprintf("%.1f %%", 100*got))
			if len(rows) != len(designs) || rows[i][0] != d.name || len(rows[i]) != 7 {
				t.Errorf("the table has no row of %s", d.name)
				continue
			}
			want, err := strconv.ParseFloat(strings.TrimSuffix(rows[i][c+1], " %"), 64)
			if err != nil || math.Abs(100*got-want) > 0.5 { // other machines round otherwise in a few studies
				t.Errorf("%s, %d texts, %d runs: %.1f %%, the table has %s", d.name, size[0], size[1], 100*got, rows[i][c+1])
			}
		}
		text, _ := json.Marshal(row)
		t.Logf("%s,", text)
	}
}
