package studies

import (
	"slices"
	"strings"

	"illustrator/configs"
)

// judgeName names the figures of the domain's judge: "clip_similarity (CLIP judge)".
const judgeName = "judge"

// takeJudge notes the CLIP that judges, and leaves its columns out of the study where the domain names none.
func (s *Study) takeJudge(domain *configs.Domain) {
	if s.judge = domain.Judge; s.judge != "" {
		return
	}
	byJudge := func(name string) bool { return strings.HasSuffix(name, "(CLIP "+judgeName+")") }
	s.judgeless = slices.ContainsFunc(slices.Concat(s.Columns, s.Chart), byJudge)
	s.Columns, s.Chart = slices.DeleteFunc(s.Columns, byJudge), slices.DeleteFunc(s.Chart, byJudge)
}

// withoutJudge stands in the report where the study has columns of a judge, and the domain names none.
const withoutJudge = "none: the domain's file names no `judge`, a CLIP that no mapper is trained with; its columns " +
	"are absent"
