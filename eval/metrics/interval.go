package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Sample is a value measured on one picture, or on one text's pictures. Text and Seed say which; several samples of one
// picture, such as one for each of its attributes, have both in common.
type Sample struct {
	Text  int
	Seed  uint64
	Value float64
}

// fewTexts is below how many texts an interval of skewed scores holds the truth clearly less often than it says:
// TestCoverage has the figures.
const fewTexts = 10

// fewRuns is the number of runs from which on an interval for new runs is about right: two say little of how runs
// differ.
const fewRuns = 3

// Mean returns the mean of samples as the metric that of names, with a 95 % interval for new texts: pictures of one
// text are alike, so the texts are the unit.
func Mean(of Definition, samples []Sample) (Metric, error) {
	return MeanOverRuns(of, [][]Sample{samples})
}

// MeanOverRuns returns the mean of samples of several runs, such as trainings by several seeds, all on the same texts.
// Its 95 % interval is for new texts and new runs at once; that of one run is for new texts alone.
//
// The interval of a share is Wilson's (1927, JASA 22:209) at the number of independent judgements that have the
// variance of the mean (Dean and Pagano 2015, Journal of Survey Statistics and Methodology 3:4); of texts that are all
// alike there are as many as texts. The interval of a score is Student's t, transformed for its skewness (Hall 1992,
// Journal of the Royal Statistical Society B 54:1).
func MeanOverRuns(of Definition, runs [][]Sample) (Metric, error) {
	table, n, err := crossed(of.Name, runs)
	if err != nil {
		return Metric{}, err
	}
	e := table.estimate()
	m := Metric{Definition: of, Value: e.mean, N: n, Caveat: e.caveat()}
	switch {
	case e.texts == 1:
	case of.Unit == Share:
		m.Interval = e.wilson(n)
	default:
		m.Interval = of.cut(e.interval())
	}
	return m, nil
}

// crossedTable has the samples of each text (row) and run (column) summed.
type crossedTable [][]cluster

// cluster is the sum of one text's n samples.
type cluster struct {
	text int
	sum  float64
	n    float64
}

func crossed(what string, runs [][]Sample) (crossedTable, int, error) {
	if len(runs) == 0 {
		return nil, 0, tooFew(what, 0, 1)
	}
	var table crossedTable
	n := 0
	for r, samples := range runs {
		texts, err := byText(what, samples)
		if err != nil {
			if len(runs) > 1 {
				err = fmt.Errorf("run %d: %w", r+1, err)
			}
			return nil, 0, err
		}
		if r == 0 {
			table = make(crossedTable, len(texts))
		}
		if len(texts) != len(table) {
			return nil, 0, fmt.Errorf("%s: run %d has %d texts, the first has %d", what, r+1, len(texts), len(table))
		}
		for t, c := range texts {
			if r > 0 && c.text != table[t][0].text {
				return nil, 0, fmt.Errorf("%s: run %d has no samples of text %d", what, r+1, table[t][0].text)
			}
			table[t] = append(table[t], c)
		}
		n += len(samples)
	}
	return table, n, nil
}

// byText gathers samples by text, in ascending order of texts.
func byText(what string, samples []Sample) ([]cluster, error) {
	if len(samples) == 0 {
		return nil, tooFew(what, 0, 1)
	}
	sorted := slices.SortedStableFunc(slices.Values(samples),
		func(a, b Sample) int { return cmp.Compare(a.Text, b.Text) })
	var c []cluster
	for _, s := range sorted {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			return nil, fmt.Errorf("%s: text %d, seed %d: the value is %g", what, s.Text, s.Seed, s.Value)
		}
		if len(c) == 0 || c[len(c)-1].text != s.Text {
			c = append(c, cluster{text: s.Text})
		}
		c[len(c)-1].sum += s.Value
		c[len(c)-1].n++
	}
	return c, nil
}

// estimate is a mean with what its distribution is known by.
type estimate struct {
	mean, variance float64 // of the mean
	freedom        float64 // degrees of freedom of the variance
	skewness       float64 // of the mean
	texts, runs    int
	alike          bool // all texts have the same mean
}

// estimate takes texts and runs as drawn at random. The variance of the mean is that of the two-way analysis of
// variance, (MS texts + MS runs - MS rest) / cells, and never less than texts or runs alone give it; its degrees of
// freedom are Satterthwaite's (1946, Biometrics Bulletin 2:6). With one run it is the variance between texts. Samples
// count alike, so a text with more of them counts more: deviations are those of the ratio of sums, to first order.
func (t crossedTable) estimate() estimate {
	texts, runs := float64(len(t)), float64(len(t[0]))
	sum, n := 0.0, 0.0
	for _, row := range t {
		for _, c := range row {
			sum, n = sum+c.sum, n+c.n
		}
	}
	e := estimate{mean: sum / n, texts: len(t), runs: len(t[0]), freedom: texts - 1}
	ofText, ofRun := make([]float64, len(t)), make([]float64, len(t[0])) // mean deviations
	deviation := func(c cluster) float64 { return (c.sum - e.mean*c.n) * texts * runs / n }
	for i, row := range t {
		for r, c := range row {
			ofText[i] += deviation(c) / runs
			ofRun[r] += deviation(c) / texts
		}
	}
	rest, squares, cubes, ofRuns, size := 0.0, 0.0, 0.0, 0.0, 0.0
	for i, row := range t {
		for r, c := range row {
			rest += square(deviation(c) - ofText[i] - ofRun[r])
			size = max(size, math.Abs(c.sum))
		}
		squares += square(ofText[i])
		cubes += ofText[i] * square(ofText[i])
	}
	if e.alike = math.Sqrt(squares) <= 1e-12*size; e.texts == 1 {
		return e
	}
	msTexts := runs * squares / (texts - 1)
	total := msTexts
	if runs > 1 {
		for _, d := range ofRun {
			ofRuns += square(d)
		}
		msRuns, msRest := texts*ofRuns/(runs-1), rest/((texts-1)*(runs-1))
		total = max(msTexts+msRuns-msRest, msTexts, msRuns)
		if total > 0 {
			e.freedom = square(total) /
				(square(msTexts)/(texts-1) + square(msRuns)/(runs-1) + square(msRest)/((texts-1)*(runs-1)))
		}
	}
	if e.variance = total / (texts * runs); e.texts > 2 && e.variance > 0 && !e.alike {
		e.skewness = cubes / ((texts - 1) * (texts - 2) * texts) / math.Pow(e.variance, 1.5)
	}
	return e
}

func square(x float64) float64 { return x * x }

func (e estimate) caveat() string {
	var caveat string
	switch {
	case e.texts == 1:
		caveat = "one text gives no interval"
	case e.texts < fewTexts:
		caveat = fmt.Sprintf("from %d texts, below %d: the interval is too narrow if scores are skewed", e.texts, fewTexts)
	}
	if e.runs > 1 && e.runs < fewRuns {
		caveat = join(caveat, fmt.Sprintf("from %d runs, below %d: the interval is too narrow", e.runs, fewRuns))
	}
	if e.alike && e.texts > 1 {
		caveat = join(caveat, "all texts are alike")
	}
	return caveat
}

func (e estimate) student() distuv.StudentsT { return distuv.StudentsT{Sigma: 1, Nu: e.freedom} }

// reach returns the end of a 95 % interval of Student's t.
func (e estimate) reach() float64 { return e.student().Quantile(0.975) }

// interval returns the means for which Hall's transformation of Student's t stays within the reach.
func (e estimate) interval() *Interval {
	deviation, reach := math.Sqrt(e.variance), e.reach()
	return &Interval{e.mean - deviation*e.untransform(reach), e.mean - deviation*e.untransform(-reach)}
}

// p is the two-sided probability of a mean as far from 0 if the true one is 0: below 0.05 where 0 is outside of
// interval. Texts that are all alike have no variance: theirs is the probability that all have one sign.
func (e estimate) p() float64 {
	switch {
	case e.mean == 0 || e.texts == 1:
		return 1
	case e.variance == 0 || e.alike && e.runs == 1:
		return math.Pow(2, 1-float64(e.texts))
	}
	return 2 * e.student().Survival(math.Abs(e.transform(e.mean/math.Sqrt(e.variance))))
}

// transform is Hall's cubic of a studentized mean, which takes its skewness away; untransform is its inverse.
func (e estimate) transform(t float64) float64 {
	return t + e.skewness*t*t/3 + square(e.skewness)*t*t*t/27 + e.skewness/6
}

func (e estimate) untransform(y float64) float64 {
	if math.Abs(e.skewness) < 1e-9 {
		return y
	}
	return 3 / e.skewness * (math.Cbrt(1+e.skewness*(y-e.skewness/6)) - 1)
}

// wilson is the interval of a share of n samples.
func (e estimate) wilson(n int) *Interval {
	independent := float64(e.texts)
	if spread := e.mean * (1 - e.mean); e.variance > 0 && spread > 0 && !e.alike {
		independent = min(spread/e.variance, float64(n))
	}
	return wilson(e.mean, independent, e.reach())
}

// wilson is the interval of a share of independent judgements; reach is where it ends in standard deviations.
func wilson(share, independent, reach float64) *Interval {
	t := square(reach) / independent
	middle := (share + t/2) / (1 + t)
	half := math.Sqrt(t*share*(1-share)+t*t/4) / (1 + t)
	return &Interval{min(max(0, middle-half), share), max(min(1, middle+half), share)}
}
