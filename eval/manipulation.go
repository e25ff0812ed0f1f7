package eval

import (
	"context"
	"errors"

	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/internal/vectors"
	"illustrator/models/pipeline"
)

// Manipulation asks for the figures of pictures that are changed towards texts by eq. 11. The origins are the pictures
// of random z, one for each seed; each is changed towards each text.
type Manipulation struct {
	Texts []texts.Text
	Seeds []uint64
	// Alpha is eq. 11's; 0 changes nothing, or, where nothing is kept, draws what the mapper makes of the origin.
	Alpha float64
	Keep  draw.Keep
	// TextEmbeds [T,E] are the texts', TextPrompt [E] what origins are described by; scaled.
	TextEmbeds, TextPrompt []float32
	Synthesis              pipeline.Synthesis // of origins and pictures
	// Folder gets samples.json, for ReadResult; "" keeps nothing.
	Folder string
}

// Figures of a manipulation beside "attribute_accuracy", the share of attributes that texts name and pictures show, and
// "clip_similarity" with the texts.
var (
	// OthersKept is the share of attributes that a text does not name and that are as in the origin, by the classifier.
	OthersKept = metrics.Definition{Name: "others_kept", Unit: metrics.Share, Better: metrics.Higher}
	// OriginSimilarity is the cosine of a picture's CLIP embedding with its origin's.
	OriginSimilarity = metrics.Definition{Name: "origin_similarity", Better: metrics.Higher}
)

// manipulationFigures are all of them, in the order of results.
var manipulationFigures = []metrics.Definition{metrics.AttributeAccuracy, OthersKept, metrics.CLIPSimilarity,
	OriginSimilarity}

// ManipulationFigures lists the names of a manipulation's figures.
func ManipulationFigures() (names []string) {
	for _, of := range manipulationFigures {
		names = append(names, of.Name)
	}
	return names
}

// Manipulate draws and judges the pictures of m. n has its mapper loaded, and a classifier.
func Manipulate(ctx context.Context, n *pipeline.Networks, m Manipulation, progress func(done, total int)) (*Result,
	error) {
	if n.Classifier == nil {
		return nil, fault.Usage(errors.New("the domain has no classifier, which says what a manipulation changed"),
			"name one in the domain's file")
	}
	if err := draw.CheckTexts(*n.Classifier, m.Texts); err != nil {
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
	for _, of := range manipulationFigures {
		metric, err := metrics.Mean(of, samples[of.Name])
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
func (m Manipulation) ofSeed(ctx context.Context, n *pipeline.Networks, seed uint64,
	samples map[string][]metrics.Sample) error {
	model, dim := draw.Model{Networks: n}, n.CLIP.ProjectionDim
	manner := draw.Manner{NoiseMode: m.Synthesis.NoiseMode, TruncationPsi: m.Synthesis.TruncationPsi}
	origin, first, err := model.Origin(ctx, draw.Source{Seed: &seed}, manner)
	if err != nil {
		return err
	}
	origin.TextEmbed, origin.Keep, manner.Alpha = m.TextPrompt, m.Keep, m.Alpha
	recipes := make([]draw.Recipe, len(m.Texts))
	for t, text := range m.Texts {
		recipes[t] = origin.Toward(text, manner, seed)
		recipes[t].TextEmbed, recipes[t].Attributes = m.TextEmbeds[t*dim:(t+1)*dim], true
	}
	changed, err := model.Draw(ctx, recipes...)
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
		c := draw.CompareAttributes(*n.Classifier, text, first.Seen, changed[t].Seen)
		share(metrics.AttributeAccuracy, c.Found, c.Named)
		share(OthersKept, c.Kept, c.Others)
		add(metrics.CLIPSimilarity, changed[t].Score.CLIPSimilarity)
		add(OriginSimilarity, vectors.Cosine(origin.ImageEmbed, changed[t].Embed))
	}
	return nil
}
