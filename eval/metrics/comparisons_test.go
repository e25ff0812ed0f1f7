package metrics

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
)

var studies = flag.Int("studies", 300, "simulated studies for the coverage of intervals over raters and texts")

// opinions are simulated raters and texts: each has preferences of its own around the systems' strengths.
type opinions struct {
	strengths            []float64
	raters, texts        int
	raterSpread, textual float64 // standard deviations of a rater's and a text's own strengths
	tie                  float64 // raters who are within it of each other say “no difference”
}

// draw simulates a study in which each rater compares each two systems on each text.
func (o opinions) draw(r *rand.Rand) (judged []Comparison) {
	own := func(n int, spread float64) [][]float64 {
		all := make([][]float64, n)
		for i := range all {
			for range o.strengths {
				all[i] = append(all[i], spread*r.NormFloat64())
			}
		}
		return all
	}
	byRater, byText := own(o.raters, o.raterSpread), own(o.texts, o.textual)
	for rater := range o.raters {
		for text := range o.texts {
			for a := range o.strengths {
				for b := range a {
					utility := o.strengths[a] - o.strengths[b] + byRater[rater][a] - byRater[rater][b] +
						byText[text][a] - byText[text][b]
					c := Comparison{Rater: rater, Text: text, First: a, Second: b}
					u := r.Float64()
					switch noise := utility + math.Log(u/(1-u)); {
					case math.Abs(noise) < o.tie:
						c.Score = 0.5
					case noise > 0:
						c.Score = 1
					}
					judged = append(judged, c)
				}
			}
		}
	}
	return judged
}

// truth returns what the estimates tend to for ever more raters and texts.
func (o opinions) truth(t *testing.T) (strengths []float64, share float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(99, 0))
	wins := make([][]float64, len(o.strengths))
	for i := range wins {
		wins[i] = make([]float64, len(o.strengths))
	}
	o.raters, o.texts = 1, 1
	first := 0.0
	const draws = 200_000
	for range draws {
		for _, c := range o.draw(r) {
			wins[c.First][c.Second] += c.Score
			wins[c.Second][c.First] += 1 - c.Score
			if c.First == 1 && c.Second == 0 {
				first += c.Score / draws
			}
		}
	}
	strengths, err := Strengths(wins)
	if err != nil {
		t.Fatal(err)
	}
	return strengths, first
}

// TestRatersIntervals counts how often intervals of simulated raters hold what more of them would tend to.
func TestRatersIntervals(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates studies")
	}
	three := []float64{0, 0.5, 1.2}
	for _, c := range []struct {
		name string
		opinions
	}{
		{"10 raters, 40 texts, both differ", opinions{three, 10, 40, 0.5, 0.7, 0.3}},
		{"5 raters, 40 texts, both differ", opinions{three, 5, 40, 0.5, 0.7, 0.3}},
		{"3 raters, 60 texts, both differ", opinions{three, 3, 60, 0.5, 0.7, 0.3}},
		{"5 raters, 40 texts, no spread", opinions{three, 5, 40, 0, 0, 0}},
		{"5 raters, 30 texts, raters differ much", opinions{three, 5, 30, 1.2, 0.3, 0}},
		{"10 raters, 10 texts, texts differ much", opinions{three, 10, 10, 0.3, 1.2, 0.3}},
		{"5 raters, 40 texts, one wins 97 %", opinions{[]float64{0, 4}, 5, 40, 0.5, 0.7, 0}},
	} {
		strengths, share := c.truth(t)
		r := rand.New(rand.NewPCG(7, 0))
		covered, of, sharesCovered, shares := 0, 0, 0, 0
		for range *studies {
			judged := c.draw(r)
			if got, err := StrengthMetrics(Definition{Name: "strength"}, len(strengths), judged); err == nil {
				for i, m := range got {
					of++
					if m.Interval.Low <= strengths[i] && strengths[i] <= m.Interval.High {
						covered++
					}
				}
			}
			var pair []Comparison
			for _, j := range judged {
				if j.First == 1 && j.Second == 0 {
					pair = append(pair, j)
				}
			}
			m, err := ShareMetric(Definition{Name: "share"}, pair)
			if err != nil {
				t.Fatal(err)
			}
			shares++
			if m.Interval.Low <= share && share <= m.Interval.High {
				sharesCovered++
			}
		}
		strength, wins := 100*float64(covered)/float64(of), 100*float64(sharesCovered)/float64(shares)
		t.Logf("%s: strengths %.1f %% (of %d), share %.3f: %.1f %%", c.name, strength, of, share, wins)
		if strength < 92 || wins < 92 {
			t.Errorf("%s: intervals of 95 %% cover %.1f %% of strengths and %.1f %% of shares", c.name, strength, wins)
		}
	}
}
