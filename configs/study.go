package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"illustrator/eval/ablation"
	"illustrator/internal/fault"
)

// OpenStudy reads the study at ref: the name of an embedded one or the path of a YAML file. set are further overrides
// of all variants. A domain other than that of the study's base takes its place; "" keeps it.
func OpenStudy(ref, domain string, set []string) (*ablation.Study, error) {
	f, err := open("studies", ref)
	if err != nil {
		return nil, err
	}
	s := &ablation.Study{Pictures: 1}
	if err := decode(f, s); err != nil {
		return nil, err
	}
	s.Base, s.Texts = f.run(s.Base), f.path(s.Texts)
	for i := range s.Groups {
		for j := range s.Groups[i].Variants {
			v := &s.Groups[i].Variants[j]
			v.Base = f.run(v.Base)
		}
	}
	if domain != "" {
		if err := moveStudy(s, domain); err != nil {
			return nil, err
		}
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

// run returns the reference of a run that f names: the name of an embedded one, or where its file is.
func (f file) run(ref string) string {
	if isFile(ref) {
		return f.path(ref)
	}
	return ref
}

// moveStudy moves a study to a domain: to the run of the domain's name, where one is embedded, or to the study's base
// with the domain's networks. Sheets then show the domain's own texts, and no claim is explained: explanations were
// written for the domain of the base.
func moveStudy(s *ablation.Study, domain string) error {
	base, err := OpenRun(s.Base, s.Set)
	if err != nil || base.Domain == domain {
		return err
	}
	from, err := OpenDomain(base.Domain)
	if err != nil {
		return err
	}
	d, err := OpenDomain(domain)
	if err != nil {
		return err
	}
	if slices.Contains(Names("runs"), d.Name) {
		s.Base = d.Name
	}
	s.Set = append(s.Set, "domain="+domain)
	shown := len(s.Show)
	s.Show = nil
	if texts, err := d.Texts(); err == nil {
		for _, text := range texts {
			if len(s.Show) < shown && (len(s.Kinds) == 0 || slices.Contains(s.Kinds, text.Kind)) {
				s.Show = append(s.Show, text.Text)
			}
		}
	} else if s.Texts == "" {
		return err
	}
	// Figures by the features of a domain's CLIP have its name.
	figures := strings.NewReplacer(fmt.Sprintf("(CLIP %s features)", from.Name), fmt.Sprintf("(CLIP %s features)", d.Name))
	for i := range s.Columns {
		s.Columns[i] = figures.Replace(s.Columns[i])
	}
	for i := range s.Chart {
		s.Chart[i] = figures.Replace(s.Chart[i])
	}
	for i := range s.Claims {
		s.Claims[i].Because, s.Claims[i].Metric = ablation.Because{}, figures.Replace(s.Claims[i].Metric)
	}
	return nil
}

// RunOf returns the run that a variant of a study trains by a seed.
func RunOf(s *ablation.Study, v ablation.Variant, seed uint64) (Run, error) {
	run, err := OpenRun(cmp.Or(v.Base, s.Base), slices.Concat(s.Set, v.Set))
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
