package configs

import (
	"fmt"
	"slices"

	"illustrator/eval/ablation"
	"illustrator/internal/fault"
)

// OpenStudy reads the study at ref: the name of an embedded one or the path of a YAML file. set are further overrides
// of all variants.
func OpenStudy(ref string, set []string) (*ablation.Study, error) {
	f, err := open("studies", ref)
	if err != nil {
		return nil, err
	}
	s := &ablation.Study{Pictures: 1}
	if err := decode(f, s); err != nil {
		return nil, err
	}
	s.Set = append(s.Set, set...)
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	for _, v := range s.Variants() {
		if _, err := RunOf(s, v, s.Seeds[0]); err != nil {
			return nil, fmt.Errorf("%s: variant %q: %w", f.name, v.Name, err)
		}
	}
	return s, nil
}

// RunOf returns the run that a variant of a study trains by a seed.
func RunOf(s *ablation.Study, v ablation.Variant, seed uint64) (Run, error) {
	run, err := OpenRun(s.Base, slices.Concat(s.Set, v.Set))
	if err != nil {
		return run, err
	}
	run.Seed = seed
	if n := len(run.Train.Stages); s.SharedStages >= n {
		return run, fault.Usage(fmt.Errorf("shared_stages is %d; run %s has %d stages", s.SharedStages, s.Base, n),
			"share fewer: at least one must be left to the variants")
	}
	return run, nil
}

// Split returns the run of the first stages, and the one that continues from there: its Init is for the caller to set.
func (r Run) Split(stages int) (first, rest Run) {
	first, rest = r, r
	first.Train.Stages = r.Train.Stages[:stages]
	rest.Train.Stages = r.Train.Stages[stages:]
	return first, rest
}
