package eval

import (
	"context"
	"errors"
	"slices"

	"illustrator/eval/metrics"
	"illustrator/internal/vectors"
)

// ofMapper are the metrics of what the mapper gets and returns.
var ofMapper = []MetricName{"input_similarity", "z_distance", "z_mean", "z_std"}

// measureLatents measures the embeddings that the mapper gets for the texts, and the z that it predicts.
func (m *measurement) measureLatents(ctx context.Context) error {
	if len(m.Files) > 0 || m.Artist != nil || !slices.ContainsFunc(ofMapper, m.wants) {
		return m.noLatents(errors.New(""), ofMapper...) // refuses by lacks, where asked for
	}
	defer m.fixRows(len(m.Texts))()
	embeds, err := m.own.plain, error(nil)
	if !m.NoProjection {
		if embeds, err = m.networks.Project(ctx, embeds, m.Prompts, m.Alpha); err != nil {
			return err
		}
	}
	m.inputSimilarity(embeds)
	if m.z, err = m.networks.MapToZ(ctx, embeds); err != nil {
		return err
	}
	z, err := metrics.Rows(m.z, m.networks.Generator.StyleDim)
	if err != nil {
		return err
	}
	latents, err := metrics.LatentStatistics(z)
	if err != nil {
		return m.noLatents(err, "z_distance", "z_mean", "z_std")
	}
	m.result.Latents = &latents
	n := len(m.Texts)
	m.add("z_distance", "z_distance", func() (metrics.Metric, error) {
		distance := latents.Distance
		groups := m.groups(identity(n))
		return jackknifed(distance, groups, func(_ int, keep []int) (float64, error) {
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
		m.add(MetricName(moment.name), moment.name, func() (metrics.Metric, error) {
			metric := metrics.Metric{Definition: metrics.Definition{Name: moment.name}, Value: moment.of(latents), N: n}
			return jackknifed(metric, m.groups(identity(n)), func(_ int, keep []int) (float64, error) {
				l, err := metrics.LatentStatistics(metrics.Pick(z, keep))
				return moment.of(l), err
			})
		})
	}
	return nil
}

// inputSimilarity measures how near the embedding that the mapper gets lies to that of the picture that it leads to. In
// training it gets pictures' embeddings alone.
func (m *measurement) inputSimilarity(embeds []float32) {
	dim := m.own.dim
	var samples []metrics.Sample
	for i, s := range m.judged() {
		input, picture := embeds[s.Text*dim:(s.Text+1)*dim], m.rows.own[i*dim:(i+1)*dim]
		samples = append(samples, metrics.Sample{Text: s.Text, Seed: s.Seed, Value: vectors.Cosine(input, picture)})
	}
	m.meanOf("input_similarity", metrics.InputSimilarity, "", samples)
}

func (m *measurement) noLatents(reason error, names ...MetricName) error {
	for _, name := range names {
		m.add(name, string(name), func() (metrics.Metric, error) { return metrics.Metric{}, reason })
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
