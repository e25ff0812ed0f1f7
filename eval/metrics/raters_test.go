package metrics

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// raterGoldens holds the results of choix and krippendorff for simulated raters; testdata/make_raters.py wrote them.
type raterGoldens struct {
	Strengths []struct {
		Name      string
		Wins      [][]float64
		Strengths []float64
	}
	Agreement []struct {
		Name    string
		Ratings [][]*float64
		Alpha   map[Level]float64
	}
}

func readRaterGoldens(t *testing.T) raterGoldens {
	t.Helper()
	text, err := os.ReadFile("testdata/raters.json")
	if err != nil {
		t.Fatal(err)
	}
	var g raterGoldens
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Strengths) == 0 || len(g.Agreement) == 0 {
		t.Fatal("testdata/raters.json is incomplete")
	}
	return g
}

// TestStrengthsAgainstChoix allows 1e-6: choix stops its optimizer at that accuracy of the strengths.
func TestStrengthsAgainstChoix(t *testing.T) {
	for _, g := range readRaterGoldens(t).Strengths {
		got, err := Strengths(g.Wins)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range g.Strengths {
			if !(math.Abs(got[i]-want) <= 1e-6) {
				t.Errorf("%s: system %d has strength %.12g, want %.12g", g.Name, i, got[i], want)
			}
		}
	}
}

func TestStrengthsRefuses(t *testing.T) {
	for name, wins := range map[string][][]float64{
		"one system":    {{0}},
		"ragged":        {{0, 1}, {1}},
		"negative":      {{0, -1}, {1, 0}},
		"itself":        {{1, 1}, {1, 0}},
		"not a number":  {{0, math.NaN()}, {1, 0}},
		"never lost":    {{0, 3}, {0, 0}},
		"not connected": {{0, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 1, 0}},
	} {
		if got, err := Strengths(wins); err == nil {
			t.Errorf("%s: %v, want an error", name, got)
		}
	}
}

// TestAgreementAgainstKrippendorff allows 1e-9: both compute in float64.
func TestAgreementAgainstKrippendorff(t *testing.T) {
	for _, g := range readRaterGoldens(t).Agreement {
		ratings := make([][]float64, len(g.Ratings))
		for r, row := range g.Ratings {
			for _, v := range row {
				if v == nil {
					ratings[r] = append(ratings[r], math.NaN())
				} else {
					ratings[r] = append(ratings[r], *v)
				}
			}
		}
		for level, want := range g.Alpha {
			if got, err := Agreement(ratings, level); err != nil || !(math.Abs(got-want) <= 1e-9) {
				t.Errorf("%s, %s: alpha %.12g (%v), want %.12g", g.Name, level, got, err, want)
			}
		}
	}
}

func TestAgreementRefuses(t *testing.T) {
	nan := math.NaN()
	for name, ratings := range map[string][][]float64{
		"no raters": nil,
		"ragged":    {{1, 2}, {1}},
		"infinite":  {{1, math.Inf(1)}, {1, 2}},
		"alone":     {{1, nan}, {nan, 2}},
		"all equal": {{1, 1}, {1, 1}},
	} {
		if got, err := Agreement(ratings, NominalLevel); err == nil {
			t.Errorf("%s: %g, want an error", name, got)
		}
	}
	if _, err := Agreement([][]float64{{1, 2}, {2, 1}}, "ratio"); err == nil {
		t.Error("an unknown level was accepted")
	}
}
