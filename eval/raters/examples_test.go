package raters

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"illustrator/internal/jsonfile"
)

var update = flag.Bool("update", false, "write the example of a study with simulated raters")

// TestExample exports the study of the examples again, and compares it with the one that their answers belong to. With
// -update it writes both: the answers are those of simulated raters, of whom the last one guesses.
func TestExample(t *testing.T) {
	t.Chdir("../..")
	const folder = "examples/judged"
	out := t.TempDir()
	o := Options{Ask: Pairs, Aspects: []Aspect{Match, Quality}, Raters: 5, Items: 8, Controls: 5, Repeats: 2, Overlap: 5}
	sources := Sources([]string{folder + "/first", folder + "/second"})
	if _, err := Export(context.Background(), sources, o, out); err != nil {
		t.Fatal(err)
	}
	s, err := ReadStudy(out)
	if err != nil {
		t.Fatal(err)
	}
	answers := filepath.Join(folder, "answers")
	if *update {
		for _, path := range []string{answers, filepath.Join(folder, "study")} {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.write(filepath.Join(folder, "study")); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 0))
		for rater := 1; rater <= o.Raters; rater++ {
			who := simulated{strengths: []float64{0.8, -0.8}, tie: 0.1}
			if rater == o.Raters {
				who = simulated{strengths: []float64{0, 0}, careless: 1}
			}
			path := filepath.Join(answers, fmt.Sprintf("answers-rater-%d.json", rater))
			if err := jsonfile.Write(path, who.answer(s, rater, r)); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept, err := ReadStudy(filepath.Join(folder, "study"))
	if err != nil {
		t.Fatal(err)
	}
	if kept.ID != s.ID {
		t.Errorf("the example is study %s, and its pictures give %s: run this test with -update", kept.ID, s.ID)
	}
	a, err := AnalyseFiles(filepath.Join(folder, "study"), []string{answers}, DefaultRule())
	if err != nil {
		t.Fatal(err)
	}
	if a.Kept != 4 || a.Raters[4].Rejected == "" || a.Results[0].Systems[0].WinRate.Value < 0.5 {
		t.Errorf("%+v", a)
	}
}
