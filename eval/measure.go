package eval

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"illustrator/eval/metrics"
	"illustrator/internal/fault"
)

// add measures a figure that is asked for under the name wanted, or notes why it cannot be measured.
func (m *measurement) add(wanted MetricName, name string, measure func() (metrics.Metric, error)) {
	if !m.wants(wanted) {
		return
	}
	reason := m.lacks(m.networks, wanted)
	if reason == "" {
		metric, err := measure()
		if err == nil {
			metric.Name = name
			m.result.Metrics = append(m.result.Metrics, metric)
			return
		}
		reason = strings.TrimPrefix(err.Error(), string(wanted)+": ")
		if hint := fault.HintOf(err); hint != "" {
			reason += " (" + hint + ")"
		}
	}
	m.result.Refused = append(m.result.Refused, Refused{name, reason})
}

// mean adds the mean of a value of each judged picture.
func (m *measurement) mean(wanted MetricName, of metrics.Definition, caveat string,
	value func(pictureScore) (float64, bool)) {
	var samples []metrics.Sample
	for _, s := range m.scores {
		if s.Skipped != "" {
			continue
		}
		if v, ok := value(s); ok {
			samples = append(samples, metrics.Sample{Text: s.Text, Seed: s.Seed, Value: v})
		}
	}
	m.meanOf(wanted, of, caveat, samples)
}

func (m *measurement) meanOf(wanted MetricName, of metrics.Definition, caveat string, samples []metrics.Sample) {
	m.add(wanted, of.Name, func() (metrics.Metric, error) {
		metric, err := metrics.Mean(of, samples)
		if err != nil {
			return metric, err
		}
		m.result.Samples[of.Name] = samples
		if caveat != "" {
			metric = metric.With("%s", caveat)
		}
		return metric, nil
	})
}

// drawSeed chooses the texts that R-precision compares with, and the subsets of KID.
const drawSeed = 0

const flatters = "by the CLIP that was trained with: it flatters"

// measureTexts measures how well pictures match their texts, and how they differ within one.
func (m *measurement) measureTexts(context.Context) error {
	m.mean("clip_similarity", metrics.CLIPSimilarity, flatters,
		func(s pictureScore) (float64, bool) { return s.CLIPSimilarity, true })
	m.mean("clip_score", metrics.CLIPScore, joinCaveats(flatters, m.own.cutCaveat()),
		func(s pictureScore) (float64, bool) {
			return metrics.CLIPScores([]float64{s.PrefixedCosine})[0], true
		})
	m.torchMetrics("", flatters, func(s pictureScore) float64 { return s.CLIPSimilarity })
	if m.Judges.CLIP != nil {
		by := fmt.Sprintf(" (CLIP %s)", m.Judges.CLIPName)
		similarity, score := metrics.CLIPSimilarity, metrics.CLIPScore
		similarity.Name, score.Name = similarity.Name+by, score.Name+by
		m.mean("clip_similarity", similarity, "", func(s pictureScore) (float64, bool) { return *s.Judge, true })
		m.mean("clip_score", score, m.judge.cutCaveat(), func(s pictureScore) (float64, bool) {
			return metrics.CLIPScores([]float64{*s.JudgePrefixed})[0], true
		})
		m.torchMetrics(by, "", func(s pictureScore) float64 { return *s.Judge })
	}
	for _, candidates := range []int{100, 0} {
		m.retrieval(candidates, "", m.own, m.rows.own, flatters)
		if m.Judges.CLIP != nil {
			m.retrieval(candidates, fmt.Sprintf(" (CLIP %s)", m.Judges.CLIPName), m.judge, m.rows.judge, "")
		}
	}
	m.accuracies()
	m.diversity()
	return nil
}

func joinCaveats(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func (t *embedded) cutCaveat() string {
	if t.cut == 0 {
		return ""
	}
	return fmt.Sprintf("%d prefixed texts are longer than CLIP's context and cut", t.cut)
}

// torchMetrics is a mean that is cut at 0; the interval is that of the mean, cut in the same way.
func (m *measurement) torchMetrics(by, caveat string, cosine func(pictureScore) float64) {
	of := metrics.CLIPScoreTorchMetrics
	of.Name += by
	m.mean("clip_score_torchmetrics", of, caveat, func(s pictureScore) (float64, bool) {
		return 100 * cosine(s), true
	})
	for i := range m.result.Metrics {
		if metric := &m.result.Metrics[i]; metric.Name == of.Name {
			metric.Value = max(0, metric.Value)
			if metric.Interval != nil {
				metric.Interval = &metrics.Interval{Low: max(0, metric.Interval.Low), High: max(0, metric.Interval.High)}
			}
		}
	}
}

// judged are the scores that have rows, in the rows' order.
func (m *measurement) judged() []pictureScore {
	return slices.DeleteFunc(slices.Clone(m.scores), func(s pictureScore) bool { return s.Skipped != "" })
}

// retrieval measures R-precision among a number of texts, by a CLIP's embeddings of texts and images; 0 are all.
func (m *measurement) retrieval(candidates int, by string, texts embedded, images []float32, caveat string) {
	of := metrics.RPrecision
	of.Name = fmt.Sprintf("%s_1_of_%d%s", of.Name, cmp.Or(candidates, len(m.Texts)), by)
	if candidates == 0 && len(m.Texts) == 100 || !m.wants("r_precision") {
		return
	}
	judged := m.judged()
	own := make([]int, len(judged))
	for i, s := range judged {
		own[i] = s.Text
	}
	credits, err := m.credits(own, candidates, texts, images)
	if err != nil {
		m.add("r_precision", of.Name, func() (metrics.Metric, error) { return metrics.Metric{}, err })
		return
	}
	samples := make([]metrics.Sample, len(judged))
	for i, s := range judged {
		samples[i] = metrics.Sample{Text: s.Text, Seed: s.Seed, Value: credits[i]}
	}
	m.meanOf("r_precision", of, caveat, samples)
}

func (m *measurement) credits(own []int, candidates int, texts embedded, images []float32) ([]float64, error) {
	x, err := metrics.Rows(images, texts.dim)
	if err != nil {
		return nil, err
	}
	y, err := metrics.Rows(texts.plain, texts.dim)
	if err != nil {
		return nil, err
	}
	return metrics.RPrecisions(x, y, own, candidates, drawSeed)
}

// accuracies measures the share of named attributes that are seen: of all, of each attribute, of texts that name so
// many, and of each kind of text.
func (m *measurement) accuracies() {
	const name = "attribute_accuracy"
	var all []metrics.Judgement
	byKind := map[string][]metrics.Judgement{}
	for _, s := range m.scores {
		for _, a := range slices.Sorted(maps.Keys(s.Attributes)) {
			j := metrics.Judgement{Text: s.Text, Seed: s.Seed, Attribute: a, Correct: s.Attributes[a].Correct}
			all = append(all, j)
			if kind := m.Texts[s.Text].Kind; kind != "" {
				byKind[kind] = append(byKind[kind], j)
			}
		}
	}
	var accuracy metrics.Accuracies
	m.add(name, name, func() (_ metrics.Metric, err error) {
		if len(all) == 0 {
			return metrics.Metric{}, fmt.Errorf("the classifier takes pictures of %d×%[1]d pixels, these have others",
				m.networks.Classifier.ImageSize)
		}
		accuracy, err = metrics.Accuracy(all)
		m.result.Samples[name] = judgementSamples(all)
		if without := len(m.Texts) - count(m.Texts, named); without > 0 {
			accuracy.Overall = accuracy.Overall.With("%d of %d texts have no labels", without, len(m.Texts))
		}
		return accuracy.Overall, err
	})
	of := func(what string, metric metrics.Metric) {
		m.add(name, fmt.Sprintf("%s (%s)", name, what), func() (metrics.Metric, error) { return metric, nil })
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		definition := metrics.AttributeAccuracy
		definition.Name = fmt.Sprintf("%s (%s)", name, kind)
		m.meanOf(name, definition, "", judgementSamples(byKind[kind]))
	}
	for _, a := range slices.Sorted(maps.Keys(accuracy.ByAttribute)) {
		of(a, accuracy.ByAttribute[a])
	}
	for _, n := range slices.Sorted(maps.Keys(accuracy.ByNamed)) {
		of(fmt.Sprintf("%d named", n), accuracy.ByNamed[n])
	}
}

func count[T any](of []T, is func(T) bool) (n int) {
	for _, v := range of {
		if is(v) {
			n++
		}
	}
	return n
}

func judgementSamples(judgements []metrics.Judgement) []metrics.Sample {
	samples := make([]metrics.Sample, len(judgements))
	for i, j := range judgements {
		samples[i] = metrics.Sample{Text: j.Text, Seed: j.Seed}
		if j.Correct {
			samples[i].Value = 1
		}
	}
	return samples
}

// diversity measures how the pictures of one text differ.
func (m *measurement) diversity() {
	judged := m.judged()
	texts := make([]int, len(judged))
	for i, s := range judged {
		texts[i] = s.Text
	}
	images, err := metrics.Rows(m.rows.own, m.own.dim)
	var samples []metrics.Sample
	if err == nil && m.wants("diversity") {
		samples, err = metrics.Diversities(images, texts)
	}
	if err != nil {
		m.add("diversity", "diversity", func() (metrics.Metric, error) { return metrics.Metric{}, err })
	} else {
		m.meanOf("diversity", metrics.Diversity, "", samples)
	}
	m.lpipsDiversity(judged)
	m.add("vendi_score", metrics.VendiScore.Name, func() (metrics.Metric, error) {
		vendi, err := metrics.Vendi(images)
		if err != nil {
			return vendi, err
		}
		return m.vendiInterval(vendi, images, texts)
	})
}

// vendiInterval needs the kernel of each group once, however many pictures there are.
func (m *measurement) vendiInterval(vendi metrics.Metric, images *mat.Dense, texts []int) (metrics.Metric, error) {
	groups := m.groups(texts)
	kernels := make([]*metrics.Kernel, len(groups))
	for i, rows := range groups {
		kernels[i] = metrics.CosineKernel(metrics.Pick(images, rows))
	}
	return jackknifed(vendi, groups, func(without int, _ []int) (float64, error) {
		all := &metrics.Kernel{}
		for i, k := range kernels {
			if i != without {
				all = all.Plus(k)
			}
		}
		m, err := all.Vendi()
		return m.Value, err
	})
}

func (m *measurement) lpipsDiversity(judged []pictureScore) {
	of, caveat := metrics.LPIPSDiversity, ""
	if m.Judges.LPIPS != nil {
		of.Name = fmt.Sprintf("%s (%s)", of.Name, m.Judges.LPIPS.Name)
	}
	var samples []metrics.Sample
	pictures, pairs := map[int]int{}, 0
	for _, s := range judged {
		for _, d := range s.LPIPS {
			samples = append(samples, metrics.Sample{Text: s.Text, Seed: s.Seed, Value: d})
		}
		pairs += pictures[s.Text]
		pictures[s.Text]++
	}
	if len(samples) < pairs {
		caveat = fmt.Sprintf("of each picture and up to %d before it: %d of %d pairs", neighbours, len(samples), pairs)
	}
	m.meanOf("lpips_diversity", of, caveat, samples)
}

// order sorts the figures as names are, those of one name as they were measured.
func (m *measurement) order() {
	place := func(name string) int {
		for i := len(names) - 1; i >= 0; i-- { // the longer of two names that begin alike comes later
			if strings.HasPrefix(name, names[i]) {
				return i
			}
		}
		return len(names)
	}
	slices.SortStableFunc(m.result.Metrics,
		func(a, b metrics.Metric) int { return cmp.Compare(place(a.Name), place(b.Name)) })
	slices.SortStableFunc(m.result.Refused,
		func(a, b Refused) int { return cmp.Compare(place(a.Metric), place(b.Metric)) })
}
