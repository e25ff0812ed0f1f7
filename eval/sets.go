package eval

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"illustrator/data"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

const (
	// mostPairs is how many pictures metrics take whose time grows with their square.
	mostPairs = 20_000
	// mostResampled is up to how many rows, of both sets, such a metric is computed anew for its interval.
	mostResampled = 6000
)

// set is one kind of features of generated and reference pictures.
type set struct {
	name            string
	dim             int
	own, reference  []float32
	missing, caveat string
}

// measureSets compares the pictures with the reference, as sets.
func (m *measurement) measureSets(ctx context.Context) error {
	if !slices.ContainsFunc([]string{"fid", "kid", "cmmd", "precision", "recall", "density", "coverage"}, m.wants) {
		return nil
	}
	reference, caveat, err := m.reference(ctx)
	if err != nil {
		return err
	}
	sets := []set{{name: "CLIP " + m.Domain, dim: m.own.dim, own: m.rows.own, reference: reference.own, caveat: caveat}}
	if e := m.Judges.Inception; e != nil {
		s := set{name: e.Name, dim: e.Dim, own: m.rows.inception, reference: reference.inception, caveat: caveat}
		if len(s.reference) == 0 {
			s.missing = "pairs have CLIP's features only: give a folder of pictures as the reference"
		}
		sets = append(sets, s)
	}
	for _, s := range sets {
		if err := m.measureSet(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// measureSet measures one kind of features. Its name is part of the metrics'.
func (m *measurement) measureSet(ctx context.Context, s set) error {
	own, err := metrics.Rows(s.own, s.dim)
	if err != nil {
		return err
	}
	texts := []int{}
	for _, score := range m.judged() {
		texts = append(texts, score.Text)
	}
	var reference *mat.Dense
	if s.missing == "" {
		if reference, err = metrics.Rows(s.reference, s.dim); err != nil {
			return err
		}
	}
	add := func(wanted, name string, own *mat.Dense, texts []int, measure func(own *mat.Dense) (metrics.Metric, error)) {
		if context.Cause(ctx) != nil {
			return
		}
		m.add(wanted, fmt.Sprintf("%s (%s features)", name, s.name), func() (metrics.Metric, error) {
			if s.missing != "" {
				return metrics.Metric{}, fmt.Errorf("%s", s.missing)
			}
			metric, err := measure(own)
			if err != nil {
				return metric, err
			}
			metric = metric.With("%s", s.caveat)
			if n, _ := own.Dims(); n < len(m.judged()) {
				metric = metric.With("of %d pictures, evenly picked", n)
			}
			if rows := rowsOf(own) + rowsOf(reference); rows > mostResampled || name == "kid" {
				return metric.With("no interval"), nil
			}
			return jackknifed(metric, m.groups(texts), func(keep []int) (float64, error) {
				again, err := measure(metrics.Pick(own, keep))
				return again.Value, err
			})
		})
	}
	add("fid", "fid", own, texts, func(own *mat.Dense) (metrics.Metric, error) { return frechet(own, reference) })
	own, texts = thin(own, texts)
	add("kid", "kid", own, texts, func(own *mat.Dense) (metrics.Metric, error) {
		metric, std, err := metrics.KernelInceptionDistance(own, reference, metrics.Subsets{Seed: m.Bootstrap.Seed})
		return metric.With("standard deviation over subsets %.3g", std), err
	})
	add("kid", "kid_whole", own, texts, func(own *mat.Dense) (metrics.Metric, error) {
		return metrics.KernelInceptionDistanceWhole(own, reference)
	})
	if s.dim == m.own.dim && s.name == "CLIP "+m.Domain {
		add("cmmd", "cmmd", own, texts, func(own *mat.Dense) (metrics.Metric, error) {
			return metrics.CLIPMaximumMeanDiscrepancy(reference, own)
		})
	}
	known := map[*mat.Dense]metrics.ManifoldMetrics{} // one computation gives four
	for _, name := range []string{"precision", "recall", "density", "coverage"} {
		add(name, name, own, texts, func(of *mat.Dense) (metrics.Metric, error) {
			manifold, ok := known[of]
			if !ok {
				var err error
				if manifold, err = metrics.Manifold(reference, of, metrics.Neighbours{}); err != nil {
					return metrics.Metric{}, err
				}
				if of == own {
					known[of] = manifold
				}
			}
			return map[string]metrics.Metric{"precision": manifold.Precision, "recall": manifold.Recall,
				"density": manifold.Density, "coverage": manifold.Coverage}[name], nil
		})
	}
	return context.Cause(ctx)
}

func rowsOf(x *mat.Dense) int {
	n, _ := x.Dims()
	return n
}

func frechet(own, reference *mat.Dense) (metrics.Metric, error) {
	_, dim := own.Dims()
	a, b := metrics.NewMoments(dim), metrics.NewMoments(dim)
	if err := a.Add(own); err != nil {
		return metrics.Metric{}, err
	}
	if err := b.Add(reference); err != nil {
		return metrics.Metric{}, err
	}
	return metrics.FrechetDistance(a, b)
}

// thin picks mostPairs rows evenly, where there are more.
func thin(x *mat.Dense, texts []int) (*mat.Dense, []int) {
	n := rowsOf(x)
	if n <= mostPairs {
		return x, texts
	}
	keep, picked := make([]int, mostPairs), make([]int, mostPairs)
	for i := range keep {
		keep[i] = i * n / mostPairs
		picked[i] = texts[keep[i]]
	}
	return metrics.Pick(x, keep), picked
}

// reference returns the rows of the reference, and what must be said of it.
func (m *measurement) reference(ctx context.Context) (r rows, caveat string, err error) {
	switch {
	case len(m.Reference.Files) > 0:
		r, err = m.referenceFiles(ctx)
		return r, fmt.Sprintf("against %d pictures", len(m.Reference.Files)), err
	case m.Reference.Pairs != "":
		r.own, err = m.referencePairs()
		return r, fmt.Sprintf("against %d pairs", len(r.own)/m.own.dim), err
	}
	r, err = m.ownSamples(ctx)
	return r, fmt.Sprintf("against %d pictures of the generator's own, of random z", m.referenceSamples()), err
}

// referenceSeed is the first seed of the generator's own samples: far from those that pairs are sampled with.
const referenceSeed = 1 << 40

// ownSamples draws the generator's own pictures.
func (m *measurement) ownSamples(ctx context.Context) (r rows, err error) {
	const stage = "Drawing the reference"
	total := m.referenceSamples()
	for from := 0; from < total; from += atOnce {
		synthesis := pipeline.Synthesis{NoiseMode: m.Synthesis.NoiseMode, TruncationPsi: 1}
		if synthesis.NoiseMode == "" {
			synthesis.NoiseMode = "random"
		}
		var z []float32
		for i := from; i < min(from+atOnce, total); i++ {
			synthesis.Keys = append(synthesis.Keys, referenceSeed+uint64(i))
			z = append(z, data.Z(referenceSeed+uint64(i), m.networks.Generator.StyleDim)...)
		}
		more, err := m.drawZ(ctx, z, synthesis)
		if err != nil {
			return r, err
		}
		r.append(more)
		m.Progress(stage, min(from+atOnce, total), total)
	}
	return r, nil
}

func (m *measurement) drawZ(ctx context.Context, z []float32, s pipeline.Synthesis) (r rows, err error) {
	styles, err := m.networks.Styles(ctx, z, s.TruncationPsi)
	if err != nil {
		return r, err
	}
	images, err := m.networks.Render(ctx, styles, s)
	if err != nil {
		return r, err
	}
	return m.features(ctx, images, m.networks.Generator.Size, m.networks.Generator.Size)
}

// features are the rows that sets are compared by.
func (m *measurement) features(ctx context.Context, images []float32, height, width int) (r rows, err error) {
	if r.own, err = m.networks.EmbedImages(ctx, images, height, width); err != nil || m.Judges.Inception == nil {
		return r, err
	}
	r.inception, err = m.Judges.Inception.Features(ctx, images, height, width)
	return r, err
}

// referenceFiles reads pictures, which may differ in size, one by one: no batch is padded to the width of another.
func (m *measurement) referenceFiles(ctx context.Context) (r rows, err error) {
	const stage = "Reading the reference"
	var images []float32
	height, width := 0, 0
	flush := func() error {
		if len(images) == 0 {
			return nil
		}
		more, err := m.features(ctx, images, height, width)
		r.append(more)
		images = images[:0]
		return err
	}
	for i, path := range m.Reference.Files {
		p, err := data.ReadPicture(path)
		if err != nil {
			return r, fault.Hint(fmt.Errorf("reference: %w", err), "take the picture out of the folder, or mend it")
		}
		if p.Height != height || p.Width != width || len(images) == atOnce*3*height*width {
			if err := flush(); err != nil {
				return r, err
			}
		}
		images, height, width = append(images, p.Pixels...), p.Height, p.Width
		m.Progress(stage, i+1, len(m.Reference.Files))
	}
	return r, flush()
}

// referencePairs reads the embeddings of the first pairs.
func (m *measurement) referencePairs() ([]float32, error) {
	pairs, err := data.OpenPairs(m.Reference.Pairs)
	if err != nil {
		return nil, err
	}
	defer pairs.Close()
	if err := pairs.Check(data.PairsMeta{CLIPSHA256: m.networks.Hashes["clip"], EmbedDim: m.own.dim}); err != nil {
		return nil, err
	}
	var embeds []float32
	for batch, err := range pairs.Batches() {
		if err != nil {
			return nil, err
		}
		embeds = append(embeds, batch.ImageEmbeds...)
		if most := m.referenceSamples() * m.own.dim; len(embeds) >= most {
			return embeds[:most], nil
		}
	}
	return embeds, nil
}
