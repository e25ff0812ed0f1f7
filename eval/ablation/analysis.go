package ablation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"illustrator/eval"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
)

// Outcome holds the result of one variant and seed.
type Outcome struct {
	Variant string
	Seed    uint64
	Result  *eval.Result // nil where it failed
	Failed  string       // why
	Seconds float64
	// Pictures are those of Study.Show, PNG files.
	Pictures [][]byte
}

// Analysis holds a study's results.
type Analysis struct {
	Study *Study
	// Rows are the variants in their order.
	Rows []*Row
}

// Row holds a variant's figures.
type Row struct {
	Variant
	// Done and Failed are its outcomes, in the order of the study's seeds.
	Done, Failed []Outcome
	// Figures are the means over seeds, by name. Against are their differences from the reference's, on the seeds that
	// both have; nil in the reference itself.
	Figures map[string]metrics.Metric
	Against map[string]Difference
}

// Difference is a paired difference with its probability adjusted for all of a column's comparisons.
type Difference struct {
	metrics.Difference
	// Adjusted is P by Holm's method over all variants.
	Adjusted float64
}

// level is the probability below which an adjusted P is significant.
const level = 0.05

// significant reports whether the adjusted probability is below 0.05. The interval then excludes 0 too: it is of the
// same test, before the adjustment.
func (d Difference) significant() bool { return d.N > 0 && d.Adjusted < level }

// Analyse compares the outcomes of a study. Variants without any, or whose outcomes all failed, have rows without
// figures.
func Analyse(s *Study, outcomes []Outcome) (*Analysis, error) {
	a := &Analysis{Study: s}
	for _, v := range s.Variants() {
		row := &Row{Variant: v, Figures: map[string]metrics.Metric{}}
		for _, seed := range s.Seeds {
			i := slices.IndexFunc(outcomes, func(o Outcome) bool { return o.Variant == v.Name && o.Seed == seed })
			switch {
			case i < 0:
			case outcomes[i].Result == nil:
				row.Failed = append(row.Failed, outcomes[i])
			default:
				row.Done = append(row.Done, outcomes[i])
			}
		}
		for _, name := range row.names() {
			figure, err := row.figure(name)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", name, v.Name, err)
			}
			row.Figures[name] = figure
		}
		a.Rows = append(a.Rows, row)
	}
	return a, a.compareAll()
}

// names are the figures that all outcomes of a row have.
func (r *Row) names() []string {
	if len(r.Done) == 0 {
		return nil
	}
	var names []string
	for _, m := range r.Done[0].Result.Metrics {
		if !slices.ContainsFunc(r.Done[1:], func(o Outcome) bool { _, ok := o.Result.Metric(m.Name); return !ok }) {
			names = append(names, m.Name)
		}
	}
	return names
}

// figure is the mean of a figure over the row's outcomes.
func (r *Row) figure(name string) (metrics.Metric, error) {
	runs, samples := runsOf(r.Done, name)
	if samples == nil {
		return metrics.MeanOfRuns(runs)
	}
	return metrics.MeanOverRuns(runs[0].Definition, samples)
}

// runsOf returns a figure of each outcome, and its samples where it is a mean of some.
func runsOf(outcomes []Outcome, name string) (runs []metrics.Metric, samples [][]metrics.Sample) {
	for _, o := range outcomes {
		m, _ := o.Result.Metric(name)
		runs = append(runs, m)
		if s := o.Result.Samples[name]; len(s) > 0 {
			samples = append(samples, s)
		}
	}
	if len(samples) < len(runs) || name == metrics.CLIPScoreTorchMetrics.Name { // its mean is cut at 0
		samples = nil
	}
	return runs, samples
}

// row returns the row of a variant.
func (a *Analysis) row(variant string) *Row {
	return a.Rows[slices.IndexFunc(a.Rows, func(r *Row) bool { return r.Name == variant })]
}

// compareAll compares each row with the reference, and adjusts probabilities within each figure.
func (a *Analysis) compareAll() error {
	reference := a.row(a.Study.Reference)
	adjust := map[string][]*Row{}
	for _, row := range a.Rows {
		if row == reference {
			continue
		}
		row.Against = map[string]Difference{}
		for name := range row.Figures {
			if _, ok := reference.Figures[name]; !ok {
				continue
			}
			d, err := a.compare(row, reference, name)
			if err != nil {
				return fmt.Errorf("%s of %s and %s: %w", name, row.Name, reference.Name, err)
			}
			if d.N > 0 {
				row.Against[name] = Difference{Difference: d}
				adjust[name] = append(adjust[name], row)
			}
		}
	}
	for name, rows := range adjust {
		p := make([]float64, len(rows))
		for i, row := range rows {
			p[i] = row.Against[name].P
		}
		for i, adjusted := range metrics.Holm(p) {
			d := rows[i].Against[name]
			d.Adjusted = adjusted
			rows[i].Against[name] = d
		}
	}
	return nil
}

// compare returns how much x's figure is above y's, on the seeds that both have; N is 0 where there are none.
func (a *Analysis) compare(x, y *Row, name string) (metrics.Difference, error) {
	ofX, ofY := shared(x.Done, y.Done), shared(y.Done, x.Done)
	if len(ofX) == 0 {
		return metrics.Difference{}, nil
	}
	runsX, samplesX := runsOf(ofX, name)
	runsY, samplesY := runsOf(ofY, name)
	if samplesX == nil || samplesY == nil {
		return metrics.CompareOfRuns(runsX, runsY)
	}
	return metrics.CompareRuns(runsX[0].Definition, samplesX, samplesY)
}

// shared are the outcomes of one row whose seeds another has too.
func shared(of, with []Outcome) []Outcome {
	var both []Outcome
	for _, o := range of {
		if slices.ContainsFunc(with, func(w Outcome) bool { return w.Seed == o.Seed }) {
			both = append(both, o)
		}
	}
	return both
}

// Verdict compares a claim with the figures.
type Verdict string

// The verdicts.
const (
	Holds     Verdict = "Holds here"
	Opposite  Verdict = "The opposite holds here"
	Undecided Verdict = "Undecided"
	Unknown   Verdict = "Not measured"
)

// Judgement is a claim with what speaks for or against it.
type Judgement struct {
	Claim
	Label   string  `json:"label"` // the metric's full name
	Verdict Verdict `json:"verdict"`
	Because string  `json:"because,omitempty"` // the claim's explanation of this verdict
	// Difference is Better's figure above Than's.
	Difference metrics.Difference `json:"difference"`
	Unit       string             `json:"unit,omitempty"` // of the test: what it takes as drawn at random
	// Adjusted is the difference's P by Holm's method over the Claims that were measured. It decides the verdict.
	Adjusted float64 `json:"p_adjusted"`
	Claims   int     `json:"claims"`
	// Detectable is the smallest true difference that the study finds with a chance of Power, whatever the other claims'
	// P; nil where the figures don't tell it.
	Detectable *float64       `json:"detectable,omitempty"`
	Power      float64        `json:"power,omitempty"`
	Direction  metrics.Better `json:"direction,omitempty"` // in which the metric improves
}

// Judge judges all claims. A claim holds, or its opposite does, where its P, adjusted for all claims together, is below
// 0.05; it is undecided otherwise.
func (a *Analysis) Judge() ([]Judgement, error) {
	var all []Judgement
	var measured []int
	var p []float64
	for i, c := range a.Study.Claims {
		j, err := a.judge(c)
		if err != nil {
			return nil, err
		}
		if all = append(all, j); j.Verdict == Undecided {
			measured, p = append(measured, i), append(p, j.Difference.P)
		}
	}
	for i, adjusted := range metrics.Holm(p) {
		j := &all[measured[i]]
		j.Adjusted, j.Claims, j.Unit = adjusted, len(p), j.Difference.Unit()
		if smallest, ok := j.Difference.Detectable(level / float64(len(p))); ok {
			j.Detectable, j.Power = &smallest, metrics.Power
		}
		if (Difference{j.Difference, adjusted}).significant() {
			j.Verdict = Opposite
			if (j.Difference.Value > 0) == (j.Direction == metrics.Higher) {
				j.Verdict = Holds
			}
		}
		j.Because = j.Claim.Because.of(j.Verdict)
	}
	return all, nil
}

// judge compares the two variants of a claim: it is undecided, or unknown where there is nothing to compare.
func (a *Analysis) judge(c Claim) (Judgement, error) {
	j := Judgement{Claim: c, Label: metrics.Label(c.Metric), Verdict: Unknown}
	better, than := a.row(c.Better), a.row(c.Than)
	figure, measured := better.Figures[c.Metric]
	if _, ok := than.Figures[c.Metric]; !ok || !measured {
		return j, nil
	}
	if figure.Better == "" {
		return j, fault.Usage(fmt.Errorf("claim %q: %s only describes: no direction of it is better", c.Text, c.Metric),
			"name a metric that has one, such as attribute_accuracy")
	}
	var err error
	if j.Difference, err = a.compare(better, than, c.Metric); err != nil {
		return j, fmt.Errorf("claim %q: %w", c.Text, err)
	}
	if j.Direction = figure.Better; j.Difference.N > 0 {
		j.Verdict = Undecided
	}
	return j, nil
}

// CheckColumns returns an error if no row has a figure that the study's tables or charts name.
func (a *Analysis) CheckColumns() error {
	known := map[string]bool{}
	for _, row := range a.Rows {
		for name := range row.Figures {
			known[name] = true
		}
	}
	for _, name := range slices.Concat(a.Study.Columns, a.Study.Chart) {
		if known[name] || len(known) == 0 {
			continue
		}
		names := slices.Sorted(maps.Keys(known))
		hint := "what was measured is " + strings.Join(names, ", ")
		if near := fault.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return fault.Usage(fmt.Errorf("columns or chart: %q was not measured", name), "%s", hint)
	}
	return nil
}
