package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"illustrator/eval/metrics"
	"illustrator/internal/fault"
)

// add measures a figure that is asked for under the name wanted, or notes why it cannot be measured.
func (m *measurement) add(wanted, name string, measure func() (metrics.Metric, error)) {
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
		reason = strings.TrimPrefix(err.Error(), wanted+": ")
		if hint := fault.HintOf(err); hint != "" {
			reason += " (" + hint + ")"
		}
	}
	m.result.Refused = append(m.result.Refused, Refused{name, reason})
}

// mean adds the mean of a value of each judged picture.
func (m *measurement) mean(wanted string, of metrics.Definition, caveat string, value func(PictureScore) (float64, bool)) {
	var samples []metrics.Sample
	for _, s := range m.scores {
		if v, ok := value(s); ok && s.Skipped == "" {
			samples = append(samples, metrics.Sample{Text: s.Text, Seed: s.Seed, Value: v})
		}
	}
	m.meanOf(wanted, of, caveat, samples)
}

func (m *measurement) meanOf(wanted string, of metrics.Definition, caveat string, samples []metrics.Sample) {
	m.add(wanted, of.Name, func() (metrics.Metric, error) {
		metric, err := metrics.Mean(of, samples, m.Bootstrap)
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

const flatters = "by the CLIP that was trained with: it flatters"

// measureTexts measures how well pictures match their texts, and how they differ within one.
func (m *measurement) measureTexts(context.Context) error {
	m.mean("clip_similarity", metrics.CLIPSimilarity, flatters, func(s PictureScore) (float64, bool) { return s.CLIPSimilarity, true })
	m.mean("clip_score", metrics.CLIPScore, joinCaveats(flatters, m.own.cutCaveat()), func(s PictureScore) (float64, bool) {
		return metrics.CLIPScores([]float64{s.PrefixedCosine})[0], true
	})
	m.torchMetrics()
	if m.Judges.CLIP != nil {
		by := fmt.Sprintf(" (CLIP %s)", m.Judges.CLIPName)
		similarity, score := metrics.CLIPSimilarity, metrics.CLIPScore
		similarity.Name, score.Name = similarity.Name+by, score.Name+by
		m.mean("clip_similarity", similarity, "", func(s PictureScore) (float64, bool) { return *s.Judge, true })
		m.mean("clip_score", score, m.judge.cutCaveat(), func(s PictureScore) (float64, bool) {
			return metrics.CLIPScores([]float64{*s.JudgePrefixed})[0], true
		})
	}
	m.retrieval(100)
	m.retrieval(0)
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
func (m *measurement) torchMetrics() {
	of := metrics.CLIPScoreTorchMetrics
	m.mean(of.Name, of, flatters, func(s PictureScore) (float64, bool) { return 100 * s.CLIPSimilarity, true })
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
func (m *measurement) judged() []PictureScore {
	return slices.DeleteFunc(slices.Clone(m.scores), func(s PictureScore) bool { return s.Skipped != "" })
}

// retrieval measures R-precision among so many texts; 0 are all.
func (m *measurement) retrieval(candidates int) {
	of := metrics.RPrecision
	of.Name = fmt.Sprintf("%s_1_of_%d", of.Name, cmp.Or(candidates, len(m.Texts)))
	if candidates == 0 && len(m.Texts) == 100 || !m.wants("r_precision") {
		return
	}
	judged := m.judged()
	own := make([]int, len(judged))
	for i, s := range judged {
		own[i] = s.Text
	}
	credits, err := m.credits(own, candidates)
	if err != nil {
		m.add("r_precision", of.Name, func() (metrics.Metric, error) { return metrics.Metric{}, err })
		return
	}
	samples := make([]metrics.Sample, len(judged))
	for i, s := range judged {
		samples[i] = metrics.Sample{Text: s.Text, Seed: s.Seed, Value: credits[i]}
	}
	m.meanOf("r_precision", of, flatters, samples)
}

func (m *measurement) credits(own []int, candidates int) ([]float64, error) {
	images, err := metrics.Rows(m.rows.own, m.own.dim)
	if err != nil {
		return nil, err
	}
	texts, err := metrics.Rows(m.own.plain, m.own.dim)
	if err != nil {
		return nil, err
	}
	return metrics.RPrecisions(images, texts, own, candidates, m.Bootstrap.Seed)
}

// accuracies measures the share of named attributes that are seen: of all, of each attribute, of texts that name so many,
// and of each kind of text.
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
			return metrics.Metric{}, fmt.Errorf("the classifier takes pictures of %d×%[1]d pixels, these have others", m.networks.Classifier.ImageSize)
		}
		accuracy, err = metrics.Accuracy(all, m.Bootstrap)
		m.result.Samples[name] = judgementSamples(all)
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
	lpips := metrics.Definition{Name: "lpips_diversity", Better: metrics.Higher}
	if m.Judges.LPIPS != nil {
		lpips.Name = fmt.Sprintf("%s (%s)", lpips.Name, m.Judges.LPIPS.Name)
	}
	m.mean("lpips_diversity", lpips, "between neighbouring seeds of a text", func(s PictureScore) (float64, bool) {
		if s.LPIPS == nil {
			return 0, false
		}
		return *s.LPIPS, true
	})
	m.add("vendi_score", metrics.VendiScore.Name, func() (metrics.Metric, error) {
		vendi, err := metrics.Vendi(images)
		return vendi.With("no interval"), err
	})
}

// measureLatents measures the z that the mapper predicts for the texts.
func (m *measurement) measureLatents(ctx context.Context) error {
	if len(m.Files) > 0 || !m.wants("z_distance") && !m.wants("z_mean") && !m.wants("z_std") {
		return m.noLatents(errors.New("")) // refuses by lacks, where asked for
	}
	embeds, err := m.own.plain, error(nil)
	if m.Prompts != nil {
		if embeds, err = m.networks.Project(ctx, embeds, *m.Prompts, m.Alpha); err != nil {
			return err
		}
	}
	if m.z, err = m.networks.MapToZ(ctx, embeds); err != nil {
		return err
	}
	z, err := metrics.Rows(m.z, m.networks.Generator.StyleDim)
	if err != nil {
		return err
	}
	latents, err := metrics.LatentStatistics(z)
	if err != nil {
		return m.noLatents(err)
	}
	m.result.Latents = &latents
	n := len(m.Texts)
	m.add("z_distance", "z_distance", func() (metrics.Metric, error) {
		distance := latents.Distance
		groups := m.groups(identity(n))
		return jackknifed(distance, groups, func(keep []int) (float64, error) {
			l, err := metrics.LatentStatistics(metrics.Pick(z, keep))
			return l.Distance.Value, err
		})
	})
	for _, moment := range []struct {
		name string
		of   func(metrics.Latents) float64
	}{
		{"z_mean", func(l metrics.Latents) float64 { return l.Mean }},
		{"z_std", func(l metrics.Latents) float64 { return l.Std }},
	} {
		m.add(moment.name, moment.name, func() (metrics.Metric, error) {
			metric := metrics.Metric{Definition: metrics.Definition{Name: moment.name}, Value: moment.of(latents), N: n}
			return jackknifed(metric, m.groups(identity(n)), func(keep []int) (float64, error) {
				l, err := metrics.LatentStatistics(metrics.Pick(z, keep))
				return moment.of(l), err
			})
		})
	}
	return nil
}

func (m *measurement) noLatents(reason error) error {
	for _, name := range []string{"z_distance", "z_mean", "z_std"} {
		m.add(name, name, func() (metrics.Metric, error) { return metrics.Metric{}, reason })
	}
	return nil
}

func identity(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// order sorts the figures as Names are, those of one name as they were measured.
func (m *measurement) order() {
	place := func(name string) int {
		for i := len(Names) - 1; i >= 0; i-- { // the longer of two names that begin alike comes later
			if strings.HasPrefix(name, Names[i]) {
				return i
			}
		}
		return len(Names)
	}
	slices.SortStableFunc(m.result.Metrics, func(a, b metrics.Metric) int { return cmp.Compare(place(a.Name), place(b.Name)) })
	slices.SortStableFunc(m.result.Refused, func(a, b Refused) int { return cmp.Compare(place(a.Metric), place(b.Metric)) })
}
