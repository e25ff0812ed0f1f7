package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Comparison is a rater's judgement of two systems' pictures of one text: 1 where First won, 0 where Second did, 0.5
// for a tie. Raters, texts and systems are counted from 0.
type Comparison struct {
	Rater, Text   int
	First, Second int
	Score         float64
}

// crossing says which rater and which text each observation is of.
type crossing struct{ raters, texts []int }

func crossingOf(of []Comparison) (c crossing) {
	for _, o := range of {
		c.raters, c.texts = append(c.raters, o.Rater), append(c.texts, o.Text)
	}
	return c
}

// StrengthMetrics returns the strengths of systems, as Strengths does, with 95 % intervals for new raters and new
// texts.
//
// The variance is a two-way jackknife: that without each rater in turn, plus that without each text, minus that without
// each rater's judgements of each text, which the first two have in common (Cameron, Gelbach and Miller 2011, Journal
// of Business & Economic Statistics 29:2, with the one-step jackknife of MacKinnon, Nielsen and Webb 2023, Journal of
// Applied Econometrics 38:5, in place of the plain sandwich, which is too narrow for few clusters); never below either
// of the two. The reach is Student's, whose degrees of freedom are Satterthwaite's for the two together.
func StrengthMetrics(of Definition, systems int, judged []Comparison) ([]Metric, error) {
	wins := make([][]float64, systems)
	for i := range wins {
		wins[i] = make([]float64, systems)
	}
	n := make([]int, systems)
	for i, o := range judged {
		if err := o.check(systems); err != nil {
			return nil, fmt.Errorf("%s: judgement %d: %w", of.Name, i, err)
		}
		wins[o.First][o.Second] += o.Score
		wins[o.Second][o.First] += 1 - o.Score
		n[o.First]++
		n[o.Second]++
	}
	strengths, err := Strengths(wins)
	if err != nil {
		return nil, err
	}
	v := crossingOf(judged).variance(newPull(strengths, judged))
	all := make([]Metric, systems)
	for i, s := range strengths {
		all[i] = Metric{Definition: of, Value: s, N: n[i], Caveat: v.caveat()}
		if reach, ok := v.reach(i); ok {
			all[i].Interval = &Interval{Low: s - reach, High: s + reach}
		}
	}
	return all, nil
}

func (o Comparison) check(systems int) error {
	switch {
	case !(o.Score >= 0 && o.Score <= 1):
		return fmt.Errorf("the score is %g", o.Score)
	case o.First == o.Second || min(o.First, o.Second) < 0 || max(o.First, o.Second) >= systems:
		return fmt.Errorf("it compares system %d with %d, of %d", o.First, o.Second, systems)
	}
	return nil
}

// pull says how observations move the strengths: by one step of Newton's method without them.
type pull struct {
	judged        []Comparison
	score, weight []float64 // gradient of each likelihood, and its curvature, along First - Second
	all           *mat.Dense
}

func newPull(strengths []float64, judged []Comparison) *pull {
	p := &pull{judged: judged, all: mat.NewDense(len(strengths), len(strengths), nil)}
	for i := range strengths { // strengths have mean 0: what all have in common is fixed
		for j := range strengths {
			p.all.Set(i, j, 1/float64(len(strengths)))
		}
	}
	for _, o := range judged {
		win := 1 / (1 + math.Exp(strengths[o.Second]-strengths[o.First]))
		p.score, p.weight = append(p.score, o.Score-win), append(p.weight, win*(1-win))
		addCurvature(p.all, o, win*(1-win))
	}
	return p
}

func addCurvature(to *mat.Dense, o Comparison, w float64) {
	for _, i := range []int{o.First, o.Second} {
		for _, j := range []int{o.First, o.Second} {
			if i == j {
				to.Set(i, j, to.At(i, j)+w)
			} else {
				to.Set(i, j, to.At(i, j)-w)
			}
		}
	}
}

// without returns how far the estimates move when these observations are left out; false where they leave none.
func (p *pull) without(group []int) ([]float64, bool) {
	n, _ := p.all.Dims()
	rest, gradient := mat.DenseCopyOf(p.all), mat.NewVecDense(n, nil)
	for _, i := range group {
		o := p.judged[i]
		addCurvature(rest, o, -p.weight[i])
		gradient.SetVec(o.First, gradient.AtVec(o.First)-p.score[i])
		gradient.SetVec(o.Second, gradient.AtVec(o.Second)+p.score[i])
	}
	var step mat.VecDense
	if err := step.SolveVec(rest, gradient); err != nil { // too few are left to join all systems
		return nil, false
	}
	return step.RawVector().Data, true
}

// ShareMetric returns the mean of scores, which are from 0 to 1, with a 95 % interval for new raters and new texts.
// Only Rater, Text and Score of the judgements count.
//
// The interval is Wilson's for as many independent judgements as have the variance that StrengthMetrics explains, but
// never more than there are; so a share of 0 or 1 has an interval too.
func ShareMetric(of Definition, judged []Comparison) (Metric, error) {
	n := float64(len(judged))
	if n == 0 {
		return Metric{}, tooFew(of.Name, 0, 1)
	}
	sum := 0.0
	for i, o := range judged {
		if !(o.Score >= 0 && o.Score <= 1) {
			return Metric{}, fmt.Errorf("%s: judgement %d: the score is %g", of.Name, i, o.Score)
		}
		sum += o.Score
	}
	share := sum / n
	v := crossingOf(judged).variance(meanPull{judged, sum})
	m := Metric{Definition: of, Value: share, N: len(judged), Caveat: v.caveat()}
	if quantile, ok := v.quantile(0); ok {
		effective := n
		if v.total[0] > share*(1-share)/n {
			effective = share * (1 - share) / v.total[0]
		}
		m.Interval = wilson(share, effective, quantile)
	}
	return m, nil
}

// MeanMetric returns the mean of scores of any range with a 95 % interval as StrengthMetrics', cut to low and high, the
// range of scores.
func MeanMetric(of Definition, judged []Comparison, low, high float64) (Metric, error) {
	if len(judged) == 0 {
		return Metric{}, tooFew(of.Name, 0, 1)
	}
	sum := 0.0
	for i, o := range judged {
		if !(o.Score >= low && o.Score <= high) {
			return Metric{}, fmt.Errorf("%s: judgement %d: the score is %g", of.Name, i, o.Score)
		}
		sum += o.Score
	}
	v := crossingOf(judged).variance(meanPull{judged, sum})
	m := Metric{Definition: of, Value: sum / float64(len(judged)), N: len(judged), Caveat: v.caveat()}
	if reach, ok := v.reach(0); ok {
		m.Interval = &Interval{Low: max(low, m.Value-reach), High: min(high, m.Value+reach)}
	}
	return m, nil
}

// meanPull says how observations move a mean.
type meanPull struct {
	judged []Comparison
	sum    float64
}

func (p meanPull) without(group []int) ([]float64, bool) {
	n, rest := float64(len(p.judged)), p.sum
	if len(group) == len(p.judged) {
		return nil, false
	}
	for _, i := range group {
		rest -= p.judged[i].Score
	}
	return []float64{rest/(n-float64(len(group))) - p.sum/n}, true
}

// twoWay is the variance of estimates for new raters and texts.
type twoWay struct {
	raters, texts int
	freedom       []float64 // degrees of freedom
	total         []float64
	failed        bool // an estimate rests on one rater or text alone
}

// variance leaves out raters, texts and what they have in common.
func (c crossing) variance(of interface {
	without(group []int) ([]float64, bool)
}) twoWay {
	cells := make([]int, len(c.raters))
	numbers := map[[2]int]int{}
	for i := range cells {
		key := [2]int{c.raters[i], c.texts[i]}
		if _, known := numbers[key]; !known {
			numbers[key] = len(numbers)
		}
		cells[i] = numbers[key]
	}
	byRater, byText := groups(c.raters), groups(c.texts)
	v := twoWay{raters: len(byRater), texts: len(byText)}
	ways := make([][]float64, 3)
	for way, clusters := range [][][]int{byRater, byText, groups(cells)} {
		if len(clusters) == 1 && way < 2 { // nothing is known of its spread
			continue
		}
		for _, group := range clusters {
			move, ok := of.without(group)
			if !ok {
				v.failed = true
				return v
			}
			if ways[way] == nil {
				ways[way] = make([]float64, len(move))
			}
			for i, d := range move {
				ways[way][i] += d * d * float64(len(clusters)-1) / float64(len(clusters))
			}
		}
	}
	for i := range ways[2] {
		at := func(way int) float64 {
			if ways[way] == nil {
				return 0
			}
			return ways[way][i]
		}
		raters, texts := at(0), at(1)
		total := max(raters, texts)
		if ways[0] != nil && ways[1] != nil {
			total = max(total, raters+texts-at(2))
		}
		v.total = append(v.total, total)
		v.freedom = append(v.freedom, satterthwaite(total, raters, float64(v.raters-1), texts, float64(v.texts-1)))
	}
	return v
}

// satterthwaite returns the degrees of freedom of a total whose uncertain parts are the variances a and b
// (Satterthwaite 1946, Biometrics Bulletin 2:6). What they have in common is subtracted from the total and is known far
// better.
func satterthwaite(total, a, freedomA, b, freedomB float64) float64 {
	if total == 0 {
		return max(1, freedomA, freedomB)
	}
	sum := 0.0
	if a > 0 {
		sum += a * a / freedomA
	}
	if b > 0 {
		sum += b * b / freedomB
	}
	return max(1, total*total/sum)
}

// groups are the places of each cluster's observations.
func groups(cluster []int) (all [][]int) {
	at := map[int]int{}
	for i, c := range cluster {
		if _, known := at[c]; !known {
			at[c] = len(all)
			all = append(all, nil)
		}
		all[at[c]] = append(all[at[c]], i)
	}
	return all
}

// quantile returns where the interval of an estimate ends in standard deviations, false where it has none.
func (v twoWay) quantile(i int) (float64, bool) {
	if v.failed || v.raters < 2 && v.texts < 2 {
		return 0, false
	}
	return distuv.StudentsT{Sigma: 1, Nu: v.freedom[i]}.Quantile(0.975), true
}

func (v twoWay) reach(i int) (float64, bool) {
	quantile, ok := v.quantile(i)
	if !ok {
		return 0, false
	}
	return quantile * math.Sqrt(v.total[i]), true
}

func (v twoWay) caveat() string {
	switch {
	case v.failed:
		return "it rests on one rater or one text alone: no interval"
	case v.raters < 2 && v.texts < 2:
		return "one rater and one text give no interval"
	case v.raters < 2:
		return "of one rater: the interval is for new texts alone"
	case v.texts < 2:
		return "of one text: the interval is for new raters alone"
	}
	return ""
}
