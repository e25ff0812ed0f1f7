package studies

import (
	"fmt"
	"strings"

	"illustrator/configs"
	"illustrator/eval/ablation"
)

// rehearsal says that a study has fewer seeds, pairs or steps than the file at ref asks for, "" where it has not.
func rehearsal(ref, domain string, s *ablation.Study) (string, error) {
	full, err := configs.OpenStudy(ref, domain, nil)
	if err != nil {
		return "", err
	}
	var less []string
	compare := func(what string, have, want int) {
		if have < want {
			less = append(less, fmt.Sprintf("%d of %d %s", have, want, what))
		}
	}
	compare("seeds", len(s.Seeds), len(full.Seeds))
	have, err := configs.RunOf(s, s.Variants()[0], s.Seeds[0])
	if err != nil {
		return "", err
	}
	want, err := configs.RunOf(full, full.Variants()[0], full.Seeds[0])
	if err != nil {
		return "", err
	}
	compare("pairs", have.Pairs.Rows, want.Pairs.Rows)
	if s.Train {
		for i := range min(len(have.Train.Stages), len(want.Train.Stages)) {
			compare(fmt.Sprintf("steps of stage %q", want.Train.Stages[i].Name), have.Train.Stages[i].Schedule.Steps,
				want.Train.Stages[i].Schedule.Steps)
		}
	}
	if len(less) == 0 {
		return "", nil
	}
	return "This is a rehearsal: it has " + strings.Join(less, ", ") + ". Its verdicts are not those of the study.", nil
}
