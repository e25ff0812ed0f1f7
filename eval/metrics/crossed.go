package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// fewRuns is below how many runs an interval over runs is rough: two runs can be drawn in three ways only.
const fewRuns = 5

// MeanOverRuns returns the mean of samples of several runs, such as trainings by several seeds, all on the same texts.
//
// The interval is for new texts and new runs at once: both are resampled, and every picture counts as often as its
// text and its run were drawn together (the pigeonhole bootstrap, Owen 2007, The Annals of Applied Statistics 1:2). Its
// width counts what is left beside texts and runs up to three times, so it is rather too wide than too narrow. One run
// gives Mean's interval, which is for new texts alone.
func MeanOverRuns(of Definition, runs [][]Sample, b Bootstrap) (Metric, error) {
	if len(runs) == 1 {
		m, err := Mean(of, runs[0], b)
		return m.With("of one run"), err
	}
	table, n, err := crossed(of.Name, runs)
	if err != nil {
		return Metric{}, err
	}
	m := Metric{Definition: of, Value: table.mean(nil, nil), N: n}
	m.Interval, m.Caveat, err = table.interval(b)
	return m, err
}

// CompareRuns returns how much a's mean is above b's, run by run and sample by sample: run i of both must share texts
// and seeds. P is as Compare's, of texts: runs count as they are. The interval is as MeanOverRuns', so that a
// difference whose interval excludes 0 holds for new texts and new runs.
func CompareRuns(a, b [][]Sample, boot Bootstrap) (Difference, error) {
	if len(a) != len(b) {
		return Difference{}, fmt.Errorf("comparison: %d runs cannot be paired with %d", len(a), len(b))
	}
	if len(a) == 1 {
		return Compare(a[0], b[0], boot)
	}
	paired := make([][]Sample, len(a))
	var all []Sample
	for r := range a {
		var err error
		if paired[r], err = pair(a[r], b[r]); err != nil {
			return Difference{}, fmt.Errorf("run %d: %w", r+1, err)
		}
		all = append(all, paired[r]...)
	}
	table, n, err := crossed("comparison", paired)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{Value: table.mean(nil, nil), N: n}
	if d.Interval, d.Caveat, err = table.interval(boot); err != nil {
		return Difference{}, err
	}
	texts, err := byText("comparison", all)
	if err != nil {
		return Difference{}, err
	}
	draws, _ := boot.resamples() // interval has checked it
	d.P, d.BootstrapP = texts.signFlip(draws, boot.Seed), texts.bootstrapP(draws, boot.Seed)
	return d, nil
}

// MeanOfRuns is the mean of a figure that each run has one of, such as FID, with the interval of Student's t for new
// runs. Runs that are all alike give the interval that the figure has by itself.
func MeanOfRuns(runs []Metric) (Metric, error) {
	if len(runs) == 0 {
		return Metric{}, tooFew("mean of runs", 0, 1)
	}
	m := runs[0]
	if len(runs) == 1 {
		return m.With("of one run"), nil
	}
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = r.Value
	}
	mean, deviation := stat.MeanStdDev(values, nil)
	if deviation == 0 { // a figure that no run changes: what it says of new texts is all that is known
		return m.With("the same in all %d runs", len(runs)), nil
	}
	n := float64(len(runs))
	half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * deviation / math.Sqrt(n)
	m.Value, m.Interval = mean, &Interval{Low: mean - half, High: mean + half}
	return m.With("the interval is over %d runs, on the same texts", len(runs)), nil
}

// CompareOfRuns returns how much a's figures are above b's, run by run, for a figure that each run has one of: the
// paired t-test, whose interval and P are for new runs on the same texts. One run, or runs that all differ by the same,
// give no interval, and P 1.
func CompareOfRuns(a, b []Metric) (Difference, error) {
	if len(a) != len(b) || len(a) == 0 {
		return Difference{}, fmt.Errorf("comparison: %d runs cannot be paired with %d", len(a), len(b))
	}
	paired := make([]Metric, len(a))
	for i := range a {
		paired[i].Value = a[i].Value - b[i].Value
	}
	m, err := MeanOfRuns(paired)
	d := Difference{Value: m.Value, Interval: m.Interval, N: len(a), P: 1, BootstrapP: 1, Caveat: m.Caveat}
	if m.Interval == nil || err != nil {
		return d, err
	}
	t := distuv.StudentsT{Sigma: 1, Nu: float64(len(a) - 1)}
	half := (m.Interval.High - m.Interval.Low) / 2
	d.P = 2 * t.Survival(math.Abs(m.Value)/half*t.Quantile(0.975))
	d.BootstrapP = d.P
	return d, nil
}

// crossedTable has the samples of each text (row) and run (column) summed.
type crossedTable [][]cluster

func crossed(what string, runs [][]Sample) (crossedTable, int, error) {
	if len(runs) == 0 {
		return nil, 0, tooFew(what, 0, 1)
	}
	var table crossedTable
	n := 0
	for r, samples := range runs {
		texts, err := byText(what, samples)
		if err != nil {
			return nil, 0, fmt.Errorf("run %d: %w", r+1, err)
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

// mean is the mean of all samples, each as often as its text and its run were drawn; nil draws everything once.
func (t crossedTable) mean(texts, runs []int) float64 {
	sum, n := 0.0, 0.0
	times := func(counts []int, i int) float64 {
		if counts == nil {
			return 1
		}
		return float64(counts[i])
	}
	for i, row := range t {
		if of := times(texts, i); of > 0 {
			for r, c := range row {
				w := of * times(runs, r)
				sum, n = sum+w*c.sum, n+w*c.n
			}
		}
	}
	return sum / n
}

func (t crossedTable) interval(b Bootstrap) (*Interval, string, error) {
	draws, err := b.resamples()
	if err != nil {
		return nil, "", err
	}
	caveat := ""
	if len(t[0]) < fewRuns {
		caveat = fmt.Sprintf("from %d runs, below %d: the interval is rough", len(t[0]), fewRuns)
	}
	if len(t) < fewTexts {
		caveat = join(caveat, fmt.Sprintf("from %d texts, below %d: the interval is too narrow", len(t), fewTexts))
	}
	r := rand.New(rand.NewPCG(b.Seed, 2))
	means, texts, runs := make([]float64, draws), make([]int, len(t)), make([]int, len(t[0]))
	for i := range means {
		for _, counts := range [][]int{texts, runs} {
			clear(counts)
			for range counts {
				counts[r.IntN(len(counts))]++
			}
		}
		means[i] = t.mean(texts, runs)
	}
	slices.Sort(means)
	return &Interval{stat.Quantile(0.025, stat.LinInterp, means, nil), stat.Quantile(0.975, stat.LinInterp, means, nil)},
		caveat, nil
}
