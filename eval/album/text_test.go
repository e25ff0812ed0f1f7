package album

import (
	"testing"

	"illustrator/draw"
)

func TestSummaryText(t *testing.T) {
	share, diversity, loss := 0.5, 0.25, 0.125
	s := Summary{Summary: draw.Summary{Pictures: 1, CLIPSimilarity: 0.3}, Grid: "out/grid.png"}
	want := "1 picture in out, grid out/grid.png\nCLIP similarity 0.300"
	if got := s.Text("out"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	s.Pictures, s.AttributeAccuracy, s.Diversity = 4, &share, &diversity
	s.ByKind = map[string]float64{"open-world": 0.25, "limited": 0.75}
	s.Refined = &draw.Gain{Of: 9, Drawn: 36, Seconds: 2, Before: draw.Means{Semantic: &loss},
		After: draw.Means{Semantic: &loss, Summary: draw.Summary{CLIPSimilarity: 0.5}}}
	want = "4 pictures in out, grid out/grid.png\nCLIP similarity 0.300, named attributes found 50.0 % " +
		"(limited 75.0 %) (open-world 25.0 %), diversity 0.250\n" +
		"Refined by 9 steps: CLIP similarity 0.000 → 0.500, eq. 9 0.125 → 0.125; 36 pictures drawn in 2.0 s"
	if got := s.Text("out"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
