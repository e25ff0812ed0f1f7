// Package ablation compares variants of one run with each other: a study lists them, each is trained or only drawn by
// several seeds, and what was measured becomes a table with intervals, charts, sheets of pictures and a verdict on each
// claim. It knows how to compare; whoever uses it trains and draws.
package ablation

import (
	"fmt"
	"slices"
	"strings"

	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/internal/fault"
)

// Study is a comparison of variants: "what does each loss do", "which prompt is best". Its YAML has these keys.
type Study struct {
	Title string `yaml:"title"`
	// About says what is compared and why, in paragraphs that the report shows.
	About string `yaml:"about"`
	// Base is the run that all variants change: the name of an embedded one, or the path of a YAML file, relative to the
	// folder of the study's file. Set are overrides of all variants.
	Base string   `yaml:"base"`
	Set  []string `yaml:"set,omitempty"`
	// Train tells a study that trains a mapper for each variant and seed from one that draws with a mapper that is there:
	// the domain's own, or that of the run given on the command line.
	Train bool `yaml:"train"`
	// Manipulate changes the pictures of random z towards the texts (eq. 11) in place of drawing the texts; there is an
	// origin for each seed and picture. Its metrics are fixed, and not listed.
	Manipulate bool `yaml:"manipulate,omitempty"`
	// SharedStages is the number of the base's first stages that are trained once for each seed and mapper, and shared by
	// all variants, which continue with the remaining stages.
	SharedStages int `yaml:"shared_stages,omitempty"`
	// Seeds of the trainings: initial weights, order of the pairs, noise. Without training they choose the pictures
	// of an image prompt, and the noise.
	Seeds []uint64 `yaml:"seeds"`
	// Pictures is the number of pictures of each text and seed.
	Pictures int `yaml:"pictures"`
	// Texts is a file of texts, relative to the folder of the study's file; "" takes the domain's descriptions. Kinds
	// keeps those of some kinds only.
	Texts string   `yaml:"texts,omitempty"`
	Kinds []string `yaml:"kinds,omitempty"`
	// Metrics lists the metrics to measure; Columns the figures that tables show, such as "attribute_accuracy
	// (limited)". No columns: all metrics.
	Metrics []eval.MetricName `yaml:"metrics,omitempty"`
	Columns []string          `yaml:"columns,omitempty"`
	// Chart are the figures that charts show, a panel each; if there are none, the first two columns.
	Chart []string `yaml:"chart,omitempty"`
	// ReferenceSamples is the number of pictures of random z that metrics of sets, such as FID, compare with; 0 means
	// 2,048.
	ReferenceSamples int `yaml:"reference_samples,omitempty"`
	// Reference is the variant that all others are compared with, pair by pair.
	Reference string `yaml:"reference"`
	// Show are the texts whose pictures by each variant the report shows; at most 12.
	Show   []string `yaml:"show,omitempty"`
	Groups []Group  `yaml:"groups"`
	Claims []Claim  `yaml:"claims,omitempty"`
}

// Group is a part of the study with a table and a chart of its own.
type Group struct {
	Name  string `yaml:"name"`
	About string `yaml:"about,omitempty"`
	// Axis names what the variants' x is, such as "α": the chart then has lines over it. Without, variants stand side by
	// side. LogAxis spaces x by its logarithm.
	Axis     string    `yaml:"axis,omitempty"`
	LogAxis  bool      `yaml:"log_axis,omitempty"`
	Variants []Variant `yaml:"variants"`
}

// Variant is one side of a comparison: overrides of the base run, and settings of drawing.
type Variant struct {
	Name string `yaml:"name"`
	// X is the variant's place on the group's axis.
	X *float64 `yaml:"x,omitempty"`
	// Base is the run that the variant trains, in place of the study's, and named in the same way.
	Base string   `yaml:"base,omitempty"`
	Set  []string `yaml:"set,omitempty"`
	Draw Draw     `yaml:"draw,omitempty"`
}

// Claim is a statement on the paper's method that two variants' figures speak for or against.
type Claim struct {
	Text string `yaml:"text" json:"text"`
	// Better is the variant that should do better, Than the other one.
	Better string `yaml:"better" json:"better"`
	Than   string `yaml:"than" json:"than"`
	Metric string `yaml:"metric" json:"metric"`
	// Because explains verdicts. The report has the explanation of its verdict, and no other.
	Because Because `yaml:"because,omitempty" json:"-"`
}

// Because holds an explanation for each verdict that the authors of a study can explain.
type Because struct {
	// Holds explains why the claim holds.
	Holds string `yaml:"holds,omitempty"`
	// Opposite explains why its opposite does.
	Opposite string `yaml:"opposite,omitempty"`
	// Undecided explains why the study shows neither.
	Undecided string `yaml:"undecided,omitempty"`
}

// of is the explanation of a verdict, "" for none.
func (b Because) of(v Verdict) string {
	return map[Verdict]string{Holds: b.Holds, Opposite: b.Opposite, Undecided: b.Undecided}[v]
}

// Variants lists the variants of all groups, each once: a variant that several groups name is the first one's.
func (s *Study) Variants() []Variant {
	var all []Variant
	for _, g := range s.Groups {
		for _, v := range g.Variants {
			if !slices.ContainsFunc(all, func(w Variant) bool { return w.Name == v.Name }) {
				all = append(all, v)
			}
		}
	}
	return all
}

// Shown are the figures that tables show.
func (s *Study) Shown() []string {
	if len(s.Columns) > 0 {
		return s.Columns
	}
	shown := make([]string, len(s.Metrics))
	for i, name := range s.Metrics {
		shown[i] = string(name)
	}
	return shown
}

// Validate reports the first invalid field. Runs and domains check their own fields.
func (s *Study) Validate() error {
	switch {
	case s.Title == "":
		return fault.Field("title", fault.Words("missing"), "a few words")
	case s.Base == "":
		return fault.Field("base", fault.Words("missing"), "a run: an embedded one or the path of a YAML file")
	case len(s.Seeds) == 0 || len(s.Seeds) > 1000:
		return fault.Field("seeds", fault.Words(fmt.Sprintf("a list of %d", len(s.Seeds))), "a list of 1 to 1000 numbers")
	case s.Pictures < 1 || s.Pictures > 1000:
		return fault.Field("pictures", s.Pictures, "from 1 to 1000")
	case s.SharedStages < 0 || s.SharedStages > 0 && !s.Train:
		return fault.Field("shared_stages", s.SharedStages,
			"0, or the number of first stages to share in a study with train: true")
	case s.ReferenceSamples < 0 || s.ReferenceSamples == 1:
		return fault.Field("reference_samples", s.ReferenceSamples, "0 (which means 2048) or at least 2")
	case s.Manipulate && len(s.Metrics) > 0:
		return fault.Field("metrics", s.Metrics, "left out of a study with manipulate: true, which measures what it can")
	case s.Manipulate && len(s.Columns) == 0:
		return fault.Field("columns", fault.Words("empty"),
			"a list of attribute_accuracy, others_kept, clip_similarity, origin_similarity")
	case len(s.Metrics) == 0 && !s.Manipulate:
		return fault.Field("metrics", fault.Words("empty"), "a list of %s", eval.MetricNames())
	case len(s.Show) > 12:
		return fault.Field("show", fault.Words(fmt.Sprintf("a list of %d", len(s.Show))),
			"at most 12 texts, so that a sheet is readable")
	}
	for i, seed := range s.Seeds {
		if slices.Contains(s.Seeds[:i], seed) {
			return fault.Field("seeds", s.Seeds, "different numbers")
		}
	}
	if err := s.validateVariants(); err != nil {
		return err
	}
	return s.validateNames()
}

func (s *Study) validateVariants() error {
	known, folders := map[string]Variant{}, map[string]string{} // by name; names by folder
	for i, g := range s.Groups {
		field := fmt.Sprintf("groups[%d]", i)
		if g.Name == "" || len(g.Variants) == 0 {
			return fault.Usage(fmt.Errorf("%s has no name or no variants", field), "give it both")
		}
		for j, v := range g.Variants {
			field := fmt.Sprintf("%s.variants[%d]", field, j)
			first, again := known[v.Name]
			if again && !v.empty() {
				return fault.Usage(fmt.Errorf("%s: a variant called %q is there already", field, v.Name),
					"give it another name, or its name alone to show it again")
			}
			switch {
			case v.Name == "":
				return fault.Usage(fmt.Errorf("%s has no name", field), "name it by what it changes")
			case !again && folders[texts.Slug(v.Name)] != "":
				return fault.Usage(fmt.Errorf("%s: %q and %q have one folder, %s", field, folders[texts.Slug(v.Name)], v.Name,
					texts.Slug(v.Name)), "give names that differ in letters or digits")
			case v.Base != "" && (!s.Train || s.SharedStages > 0):
				return fault.Usage(fmt.Errorf("%s (%s) has a base of its own", field, v.Name),
					"leave it out, or use train: true without shared_stages")
			case len(v.Set) > 0 && !s.Train:
				return fault.Usage(fmt.Errorf("%s (%s) sets %s, but the study does not train", field, v.Name, v.Set[0]),
					"use `draw`, or train: true")
			case g.Axis != "" && v.X == nil:
				return fault.Usage(fmt.Errorf("%s (%s) has no x", field, v.Name), "give its place on the axis %q", g.Axis)
			case s.Manipulate && !v.Draw.onlyMaps():
				return fault.Usage(fmt.Errorf("%s (%s): a study with manipulate: true moves the mapper's pictures", field, v.Name),
					"leave spread, best_of, refine, retrieval and optimization out")
			case g.LogAxis && *v.X <= 0:
				return fault.Usage(fmt.Errorf("%s (%s): x is %g", field, v.Name, *v.X), "x must be above 0 on a logarithmic axis")
			}
			if err := v.Draw.validate(); err != nil {
				return fmt.Errorf("%s (%s): draw.%w", field, v.Name, err)
			}
			if !again {
				first = v
			}
			known[v.Name], folders[texts.Slug(v.Name)] = first, v.Name
		}
	}
	if len(known) == 0 {
		return fault.Usage(fmt.Errorf("groups is empty"), "list the variants to compare")
	}
	return nil
}

// empty reports whether v has a name and a place alone: it then stands for the variant of that name before it.
func (v Variant) empty() bool { return v.Base == "" && len(v.Set) == 0 && v.Draw == Draw{} }

func (s *Study) validateNames() error {
	var names []string
	for _, v := range s.Variants() {
		names = append(names, v.Name)
	}
	variant := func(field, name string) error {
		if slices.Contains(names, name) {
			return nil
		}
		hint := "the variants are " + strings.Join(names, ", ")
		if near := fault.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return fault.Usage(fmt.Errorf("%s: the variant %q does not exist", field, name), "%s", hint)
	}
	if err := variant("reference", s.Reference); err != nil {
		return err
	}
	for _, name := range s.Metrics {
		if err := fault.CheckChoice("metrics", name); err != nil {
			return err
		}
	}
	for i, c := range s.Claims {
		field := fmt.Sprintf("claims[%d]", i)
		if c.Text == "" || c.Metric == "" {
			return fault.Usage(fmt.Errorf("%s has no text or no metric", field), "give it both")
		}
		for _, side := range []string{c.Better, c.Than} {
			if err := variant(field, side); err != nil {
				return err
			}
		}
	}
	return nil
}
