package raters

import (
	"fmt"
	"math"

	"illustrator/eval/metrics"
	"illustrator/internal/fault"
)

// Analysis is analysis.json.
type Analysis struct {
	Study   string   `json:"study"`
	Title   string   `json:"title"`
	Ask     Ask      `json:"ask"`
	Rule    Rule     `json:"rule"`
	Raters  []Rater  `json:"raters"`
	Kept    int      `json:"kept"` // raters who are not rejected
	Missing int      `json:"missing"`
	Results []Result `json:"results"`
}

// Result is that of one aspect, by the raters who are kept. Controls and repeats don't count in it.
type Result struct {
	Aspect  Aspect   `json:"aspect"`
	Systems []System `json:"systems"`
	Pairs   []Pair   `json:"pairs"`
	// Agreement is Krippendorff's alpha of the items that several raters judged, with answers as ordinal values.
	Agreement *float64 `json:"agreement,omitempty"`
	// NoAgreement and NoStrengths say why there is none.
	NoAgreement string `json:"no_agreement,omitempty"`
	NoStrengths string `json:"no_strengths,omitempty"`
}

// System holds the judgements of a system.
type System struct {
	Name string `json:"name"`
	// WinRate is the share of its comparisons that it wins, ties as halves.
	WinRate  *metrics.Metric `json:"win_rate,omitempty"`
	Strength *metrics.Metric `json:"strength,omitempty"`
	Rating   *metrics.Metric `json:"rating,omitempty"` // mean, of ratings
}

// Pair holds the comparisons of two systems, ties as halves.
type Pair struct {
	First   string         `json:"first"`
	Second  string         `json:"second"`
	WinRate metrics.Metric `json:"win_rate"` // of the first
	Ties    int            `json:"ties"`
}

var (
	winRate  = metrics.Definition{Name: "win_rate", Unit: metrics.Share, Better: metrics.Higher}
	strength = metrics.Definition{Name: "strength", Better: metrics.Higher}
	rating   = metrics.Definition{Name: "rating", Better: metrics.Higher}
)

// Analyse measures what raters answered.
func Analyse(s *Study, answers []Answers, rule Rule) (*Analysis, error) {
	if err := rule.validate(); err != nil {
		return nil, err
	}
	a := &Analysis{Study: s.ID, Title: s.Title, Ask: s.Ask, Rule: rule, Missing: len(s.Lists) - len(answers)}
	var kept []Answers
	for _, of := range answers {
		rater := rule.judge(s, of)
		a.Raters = append(a.Raters, rater)
		if rater.Rejected == "" {
			kept = append(kept, of)
		}
	}
	if a.Kept = len(kept); a.Kept == 0 {
		return nil, fault.WithCode(fault.Usage(fmt.Errorf("all of %d raters are rejected: of the first, %s", len(a.Raters),
			a.Raters[0].Rejected), "look at the answers, or change the rule"), AllRejected)
	}
	for _, aspect := range s.Aspects {
		result, err := s.result(aspect, kept)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", aspect, err)
		}
		a.Results = append(a.Results, result)
	}
	return a, nil
}

func (s *Study) result(aspect Aspect, kept []Answers) (r Result, err error) {
	r.Aspect = aspect
	values := s.values(aspect, kept)
	if alpha, err := metrics.Agreement(values, metrics.OrdinalLevel); err != nil {
		r.NoAgreement = err.Error()
	} else {
		r.Agreement = &alpha
	}
	judged := s.comparisons(values, kept)
	strengths, err := metrics.StrengthMetrics(strength, len(s.Systems), judged)
	if err != nil {
		r.NoStrengths = err.Error()
	}
	for i, name := range s.Systems {
		system := System{Name: name}
		if own := ofSystem(judged, i); len(own) > 0 {
			m, err := metrics.ShareMetric(winRate, own)
			if err != nil {
				return r, err
			}
			system.WinRate = &m
		}
		if strengths != nil {
			system.Strength = &strengths[i]
		}
		if ratings := s.ratingsOf(i, values, kept); len(ratings) > 0 {
			m, err := metrics.MeanMetric(rating, ratings, 1, scale)
			if err != nil {
				return r, err
			}
			system.Rating = &m
		}
		r.Systems = append(r.Systems, system)
	}
	for second := range s.Systems {
		for first := range second {
			pair := Pair{First: s.Systems[first], Second: s.Systems[second]}
			between := ofSystem(ofSystem(judged, second), first)
			if len(between) == 0 {
				continue
			}
			for _, c := range between {
				if c.Score == 0.5 {
					pair.Ties++
				}
			}
			if pair.WinRate, err = metrics.ShareMetric(winRate, between); err != nil {
				return r, err
			}
			r.Pairs = append(r.Pairs, pair)
		}
	}
	return r, nil
}

// values returns the raters' answers about each item, [raters][items]: the share that the first picture wins, or a
// rating;
// NaN where nothing was answered, for controls, and for repeats, of which the first answer counts.
func (s *Study) values(aspect Aspect, kept []Answers) [][]float64 {
	values := make([][]float64, len(kept))
	for r, of := range kept {
		values[r] = make([]float64, len(s.Items))
		for i := range values[r] {
			values[r][i] = math.NaN()
		}
		for _, answer := range of.Answers {
			q := s.Lists[of.Rater-1][answer.Question-1]
			switch {
			case q.Aspect != aspect || q.Repeat || s.Items[q.Item].Control != "":
			case s.Ask == Pairs:
				values[r][q.Item] = answer.first(q)
			default:
				values[r][q.Item] = float64(answer.Rating)
			}
		}
	}
	return values
}

// comparisons are the judgements of two systems' pictures of one text. Of ratings, a rater's two of one text are
// compared.
func (s *Study) comparisons(values [][]float64, kept []Answers) (judged []metrics.Comparison) {
	if s.Ask == Ratings {
		return s.ratingComparisons(values, kept)
	}
	for r, of := range kept {
		for i, v := range values[r] {
			if item := s.Items[i]; !math.IsNaN(v) {
				judged = append(judged, metrics.Comparison{Rater: of.Rater, Text: item.Text, First: item.Pictures[0].System,
					Second: item.Pictures[1].System, Score: v})
			}
		}
	}
	return judged
}

func (s *Study) ratingComparisons(values [][]float64, kept []Answers) (judged []metrics.Comparison) {
	type place struct{ text, copy int }
	var order []place
	items := map[place][]int{}
	for i, item := range s.Items {
		at := place{item.Text, item.Copy}
		if items[at] == nil {
			order = append(order, at)
		}
		items[at] = append(items[at], i)
	}
	for r, of := range kept {
		for _, at := range order {
			for n, second := range items[at] {
				for _, first := range items[at][:n] {
					d := values[r][first] - values[r][second]
					if math.IsNaN(d) {
						continue
					}
					score := 0.5
					if d != 0 {
						score = (1 + d/math.Abs(d)) / 2
					}
					judged = append(judged, metrics.Comparison{Rater: of.Rater, Text: at.text, Score: score,
						First: s.Items[first].Pictures[0].System, Second: s.Items[second].Pictures[0].System})
				}
			}
		}
	}
	return judged
}

// ratingsOf are the ratings of a system's pictures.
func (s *Study) ratingsOf(system int, values [][]float64, kept []Answers) (all []metrics.Comparison) {
	if s.Ask != Ratings {
		return nil
	}
	for r, of := range kept {
		for i, v := range values[r] {
			if item := s.Items[i]; !math.IsNaN(v) && item.Pictures[0].System == system {
				all = append(all, metrics.Comparison{Rater: of.Rater, Text: item.Text, Score: v})
			}
		}
	}
	return all
}

// ofSystem are the comparisons with a system, which stands first in them.
func ofSystem(judged []metrics.Comparison, system int) (own []metrics.Comparison) {
	for _, c := range judged {
		if c.Second == system {
			c.First, c.Second, c.Score = c.Second, c.First, 1-c.Score
		}
		if c.First == system {
			own = append(own, c)
		}
	}
	return own
}

// AnalyseFiles measures the answers in files, of a study that was exported to a folder.
func AnalyseFiles(folder string, paths []string, rule Rule) (*Analysis, error) {
	s, err := ReadStudy(folder)
	if err != nil {
		return nil, err
	}
	answers, err := ReadAnswers(s, paths...)
	if err != nil {
		return nil, err
	}
	return Analyse(s, answers, rule)
}
