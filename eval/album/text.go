package album

import (
	"fmt"
	"maps"
	"slices"

	"illustrator/draw"
)

// Text words the summary of the pictures in a folder.
func (s Summary) Text(folder string) string {
	pictures := fmt.Sprintf("%d pictures", s.Pictures)
	if s.Pictures == 1 {
		pictures = "1 picture"
	}
	line := fmt.Sprintf("%s in %s, grid %s\nCLIP similarity %.3f", pictures, folder, s.Grid, s.CLIPSimilarity)
	if s.AttributeAccuracy != nil {
		line += fmt.Sprintf(", named attributes found %.1f %%", 100**s.AttributeAccuracy)
		for _, kind := range slices.Sorted(maps.Keys(s.ByKind)) {
			line += fmt.Sprintf(" (%s %.1f %%)", kind, 100*s.ByKind[kind])
		}
	}
	if s.Diversity != nil {
		line += fmt.Sprintf(", diversity %.3f", *s.Diversity)
	}
	if s.BestOf != nil {
		line += "\n" + gainLine(fmt.Sprintf("Best of %d", s.BestOf.Of), s.BestOf)
	}
	if s.Refined != nil {
		line += "\n" + gainLine(fmt.Sprintf("Refined by %d steps", s.Refined.Of), s.Refined)
	}
	return line
}

// gainLine words a gain, such as "Best of 8: CLIP similarity 0.510 → 0.541".
func gainLine(what string, g *draw.Gain) string {
	line := fmt.Sprintf("%s: CLIP similarity %.3f → %.3f", what, g.Before.CLIPSimilarity, g.After.CLIPSimilarity)
	if g.Before.Semantic != nil {
		line += fmt.Sprintf(", eq. 9 %.3f → %.3f", *g.Before.Semantic, *g.After.Semantic)
	}
	if g.Before.AttributeAccuracy != nil {
		line += fmt.Sprintf(", named attributes found %.1f → %.1f %%", 100**g.Before.AttributeAccuracy,
			100**g.After.AttributeAccuracy)
	}
	return line + fmt.Sprintf("; %d pictures drawn in %.1f s", g.Drawn, g.Seconds)
}
