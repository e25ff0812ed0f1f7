package eval

import (
	"fmt"
	"strings"
	"testing"

	"illustrator/models/features"
)

// All pairs of a text are compared up to 8 pictures; beyond that those at most 7 apart, and the figure says so.
func TestPerceptualDiversityTakesAllPairs(t *testing.T) {
	if got := fmt.Sprint(neighbouring([]int{0, 0, 0, 1, 1, 2})); got != "[[1 0] [2 1] [2 0] [4 3]]" {
		t.Errorf("pairs %s", got)
	}
	for pictures, want := range map[int]string{8: "", 9: "of each picture and up to 7 before it: 35 of 36 pairs"} {
		m := newMeasurement(nil, Request{Metrics: []MetricName{"lpips_diversity"},
			Judges: Judges{LPIPS: &features.Distance{Name: "test"}}})
		texts := make([]int, pictures)
		for i := range pictures {
			m.scores = append(m.scores, pictureScore{Seed: uint64(i)})
		}
		sum := 0.0
		pairs := neighbouring(texts)
		for _, p := range pairs {
			m.scores[p[0]].LPIPS = append(m.scores[p[0]].LPIPS, float64(p[0]+p[1]))
			sum += float64(p[0] + p[1])
		}
		m.lpipsDiversity(m.judged())
		got := m.result.Metrics[0]
		if got.Name != "lpips_diversity (test)" || got.N != len(pairs) || got.Value != sum/float64(len(pairs)) ||
			strings.Contains(got.Caveat, "pairs") != (want != "") || !strings.Contains(got.Caveat, want) {
			t.Errorf("%d pictures: %+v", pictures, got)
		}
	}
}
