package eval

import (
	"context"
	"errors"

	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// Manipulation asks for the figures of pictures that are changed towards texts by eq. 11. The origins are the pictures of
// random z, one for each seed; each is changed towards each text.
type Manipulation struct {
	Texts []texts.Text
	Seeds []uint64
	// Alpha is eq. 11's; 0 changes nothing, or, where nothing is kept, draws what the mapper makes of the origin.
	Alpha float64
	Keep  pipeline.Keep
	// TextEmbeds [T,E] are the texts', TextPrompt [E] what origins are described by; scaled.
	TextEmbeds, TextPrompt []float32
	Synthesis              pipeline.Synthesis
	Bootstrap              metrics.Bootstrap
	// Folder gets samples.json, for ReadResult; "" keeps nothing.
	Folder string
}

// Figures of a manipulation beside "attribute_accuracy", the share of attributes that texts name and pictures show, and
// "clip_similarity" with the texts.
var (
	// OthersKept is the share of attributes that a text does not name and that are as in the origin, by the classifier.
	OthersKept = metrics.Definition{Name: "others_kept", Unit: "share", Better: metrics.Higher}
	// OriginSimilarity is the cosine of a picture's CLIP embedding with its origin's.
	OriginSimilarity = metrics.Definition{Name: "origin_similarity", Better: metrics.Higher}
)

// Manipulate draws and judges the pictures of m. n has its mapper loaded, and a classifier.
func Manipulate(ctx context.Context, n *pipeline.Networks, m Manipulation, progress func(done, total int)) (*Result, error) {
	if n.Classifier == nil {
		return nil, fault.Usage(errors.New("the domain has no classifier, which says what a manipulation changed"), "name one in the domain's file")
	}
	if err := CheckTexts(*n.Classifier, m.Texts); err != nil {
		return nil, err
	}
	samples := map[string][]metrics.Sample{}
	for i, seed := range m.Seeds {
		if err := m.ofSeed(ctx, n, seed, samples); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(i+1, len(m.Seeds))
		}
	}
	r := &Result{Pictures: len(m.Texts) * len(m.Seeds), Samples: samples}
	for _, of := range []metrics.Definition{metrics.AttributeAccuracy, OthersKept, metrics.CLIPSimilarity, OriginSimilarity} {
		metric, err := metrics.Mean(of, samples[of.Name], m.Bootstrap)
		if err != nil {
			return nil, err
		}
		r.Metrics = append(r.Metrics, metric)
	}
	if m.Folder == "" {
		return r, nil
	}
	return r, r.writeSamples(m.Folder)
}

// ofSeed changes the picture of one seed towards all texts.
func (m Manipulation) ofSeed(ctx context.Context, n *pipeline.Networks, seed uint64, samples map[string][]metrics.Sample) error {
	size, dim := n.Generator.Size, n.CLIP.ProjectionDim
	z := seeds.Z(seed, n.Generator.StyleDim)
	origin, err := n.ZOrigin(ctx, z, seed, m.TextPrompt, m.Synthesis)
	if err != nil {
		return err
	}
	alphas := make([]float64, len(m.Texts))
	for i := range alphas {
		alphas[i] = m.Alpha
	}
	changed, err := n.Manipulate(ctx, pipeline.ManipulateRequest{Origin: origin, TextEmbed: m.TextEmbeds, Alphas: alphas, Keep: m.Keep, Synthesis: m.Synthesis})
	if err != nil {
		return err
	}
	styles, err := n.OriginStyles(ctx, origin, m.Synthesis.TruncationPsi)
	if err != nil {
		return err
	}
	synthesis := m.Synthesis
	synthesis.Keys = []uint64{seed}
	first, err := n.Render(ctx, styles, synthesis)
	if err != nil {
		return err
	}
	seen, err := n.Classify(ctx, append(first, changed.Images...))
	if err != nil {
		return err
	}
	embeds, err := n.EmbedImages(ctx, changed.Images, size, size)
	if err != nil {
		return err
	}
	for t, text := range m.Texts {
		add := func(of metrics.Definition, value float64) {
			samples[of.Name] = append(samples[of.Name], metrics.Sample{Text: t, Seed: seed, Value: value})
		}
		share := func(of metrics.Definition, yes, all int) { // each attribute counts the same
			for i := range all {
				add(of, map[bool]float64{true: 1}[i < yes])
			}
		}
		c := CompareAttributes(*n.Classifier, text, seen[0], seen[t+1])
		share(metrics.AttributeAccuracy, c.Found, c.Named)
		share(OthersKept, c.Kept, c.Others)
		embed := embeds[t*dim : (t+1)*dim]
		add(metrics.CLIPSimilarity, metrics.Cosine(m.TextEmbeds[t*dim:(t+1)*dim], embed))
		add(OriginSimilarity, metrics.Cosine(origin.ImageEmbed, embed))
	}
	return nil
}
