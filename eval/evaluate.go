package eval

import (
	"context"
	"fmt"
	"slices"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/features"
	"illustrator/models/pipeline"
)

// Request asks for the figures of pictures: of texts and seeds that are drawn, or of files.
type Request struct {
	// Domain names the training encoder's features in the names of metrics.
	Domain string
	Texts  []texts.Text
	// Seeds, Prompts and Manner say how pictures are drawn. Not used with Files.
	Seeds   []uint64
	Prompts pipeline.Prompts
	draw.Manner
	// Artist draws the pictures, in place of the mapper that is loaded; nil is that mapper.
	Artist Artist
	// Files are pictures to judge, in place of drawing. Their texts are places in Texts.
	Files []File

	// Metrics are those to measure; none means all that can be measured.
	Metrics   []MetricName
	Judges    Judges
	Reference Reference

	// TextEmbeds are the texts', where EmbedTexts has made them.
	TextEmbeds *TextEmbeds

	// Keep is a folder in which scores.jsonl, features.f32 and the reference's features are kept as pictures are judged,
	// and samples.json in the end; the same request resumes from it. "" keeps nothing.
	Keep string
	// Picture, which may be nil, is given each picture that is judged, whose pixels are the caller's for the call only.
	// It is called before the picture's score is kept: a resumed evaluation gives only those that it had not kept.
	Picture func(text int, seed uint64, p pictures.Picture) error
	// Progress, which may be nil, gets each stage's progress.
	Progress func(stage string, done, total int)
}

// Artist draws a picture of each recipe, which has a Text, a TextEmbed, a Manner and a Seed.
type Artist interface {
	Draw(ctx context.Context, recipes ...draw.Recipe) ([]*draw.Picture, error)
}

// File is a picture on disk.
type File struct {
	Path string
	Text int
	Seed uint64
	// Generator is the SHA-256 of the one that drew it, Domain its domain's name, where they are known.
	Generator, Domain string
	// Skip says why the picture is not to be judged; "" judges it.
	Skip string
}

// Judging is the stage in which pictures are drawn and judged, for Request.Progress.
const Judging = "Judging pictures"

// Judges are networks beside the domain's own that pictures are judged by; all may be nil.
type Judges struct {
	// CLIP is another CLIP: its similarity does not flatter what was trained on the domain's. Only its CLIP is used.
	CLIP     *pipeline.Networks
	CLIPName string
	// Inception makes further features for FID and its like.
	Inception *features.Extractor
	// LPIPS measures how different two pictures of one text look.
	LPIPS *features.Distance
}

// Evaluate draws or reads the pictures of r and measures them. n has its mapper loaded, unless pictures are read. A
// metric that the pictures cannot give is listed as refused; the others go on.
//
// Pictures pass in batches. Memory holds each one's embedding, and those by the judges' CLIP and Inception: E
// floats a picture, twice that in float64 while a metric is computed, and its scores. With 100,000 pictures of E = 512
// that is 0.6 GB, and the process peaks at 2.2 GB (TestMemory).
func Evaluate(ctx context.Context, n *pipeline.Networks, r Request) (*Result, error) {
	if err := r.Check(n); err != nil {
		return nil, err
	}
	m := newMeasurement(n, r)
	for _, step := range []func(context.Context) error{m.embedTexts, m.gather, m.measureTexts, m.measureLatents,
		m.measureSets} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	m.order()
	if r.Keep != "" {
		if err := m.result.writeSamples(r.Keep); err != nil {
			return nil, err
		}
	}
	return m.result, nil
}

// Check returns an error for a request that is a mistake, before anything is computed.
func (r *Request) Check(n *pipeline.Networks) error {
	for _, name := range r.Metrics {
		if err := fault.CheckChoice("metrics", name); err != nil {
			return err
		}
	}
	if len(r.Texts) == 0 {
		return fault.WithCode(fault.Usage(fmt.Errorf("no text is given to evaluate"), "give texts"), NoTexts)
	}
	if len(r.Files) == 0 && len(r.Seeds) == 0 {
		return fault.Usage(fmt.Errorf("no seed is given to draw with"), "give seeds such as 0-3")
	}
	if err := r.checkGenerator(n); err != nil {
		return err
	}
	if n.Classifier != nil {
		if err := draw.CheckTexts(*n.Classifier, r.Texts); err != nil {
			return err
		}
	}
	if r.Reference.Pairs != "" && r.Reference.Features == nil {
		pairs, err := r.openPairs(n)
		if err != nil {
			return fmt.Errorf("reference: %w", err)
		}
		if err := pairs.Close(); err != nil {
			return err
		}
	}
	if f := r.Reference.Features; f != nil {
		if err := f.check(r.referenceNetworks(n)); err != nil {
			return err
		}
	}
	if e := r.TextEmbeds; e != nil {
		if err := e.check(r, n); err != nil {
			return err
		}
	}
	for _, name := range r.Metrics {
		if reason := r.lacks(n, name); reason != "" {
			return fault.Usage(fmt.Errorf("%s cannot be measured: %s", name, reason),
				"leave it out of the metrics, or give what it needs")
		}
	}
	return nil
}

// checkGenerator refuses pictures of another domain's generator: the reference and the classifier are not theirs.
func (r *Request) checkGenerator(n *pipeline.Networks) error {
	for _, f := range r.Files {
		if have, want := f.Generator, n.Hashes["generator"]; have != "" && want != "" && have != want {
			err := fault.Usage(fmt.Errorf("%s was drawn by generator %.12s of domain %s; domain %s has %.12s", f.Path, have,
				f.Domain, r.Domain, want), "name the domain that drew the pictures")
			return fault.WithCode(err, OtherDomain)
		}
	}
	return nil
}

// lacks says what a metric needs and the request does not have, or "".
func (r *Request) lacks(n *pipeline.Networks, metric MetricName) string {
	switch metric {
	case "attribute_accuracy":
		if n.Classifier == nil {
			return "the domain has no classifier"
		}
		if !slices.ContainsFunc(r.Texts, named) {
			return "no text has labels of its attributes"
		}
	case "lpips_diversity":
		if r.Judges.LPIPS == nil {
			return "no LPIPS is given"
		}
	}
	if len(r.Files) > 0 && slices.Contains(ofMapper, metric) {
		return "files of pictures don't have the z that they were drawn from"
	}
	if r.Artist != nil && slices.Contains(ofMapper, metric) {
		return "the pictures are not drawn from the z that the mapper predicts"
	}
	return ""
}

// ComparesSets reports whether a metric is asked for that compares with the reference.
func (r *Request) ComparesSets() bool {
	return slices.ContainsFunc([]MetricName{"fid", "kid", "cmmd", "precision", "recall", "density", "coverage"}, r.wants)
}

// wants reports whether a metric is asked for.
func (r *Request) wants(name MetricName) bool {
	return len(r.Metrics) == 0 || slices.Contains(r.Metrics, name)
}

func named(t texts.Text) bool { return len(t.Attributes) > 0 }
