package main

import (
	"fmt"
	"io"
	"math"
	"testing"

	"illustrator/cmd/terminal"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// origins of each target in BenchmarkManipulate.
const benchOrigins = 8

// BenchmarkManipulate measures manipulation on the embedded domain: the descriptions of limited words that name one or two
// attributes are targets, for pictures of other seeds, and of the descriptions that name two or more. "changed" is the share
// of named attributes, not there before, that the classifier finds; "kept" the share of others that it sees as before; "own"
// that of the attributes of the origin's text that the target does not name; "pixels" the mean distance from the origin, of
// values from -1 to 1. Times mean nothing here:
//
//	go test ./cmd/illustrator -run - -bench Manipulate -benchtime 1x
func BenchmarkManipulate(b *testing.B) {
	m := newManipulateBench(b)
	for _, c := range []struct {
		name string
		text bool // an origin of a text, not of a seed
		own  bool // CTE_origin is that text, not the text prompt
		keep pipeline.Keep
	}{
		{"seed", false, false, pipeline.KeepNothing}, {"seed", false, false, pipeline.KeepW}, {"seed", false, false, pipeline.KeepZ},
		{"text", true, false, pipeline.KeepNothing}, {"text-own", true, true, pipeline.KeepNothing},
	} {
		b.Run(c.name+"/keep-"+string(c.keep), func(b *testing.B) {
			for b.Loop() {
				tallies := make([]manipulateTally, len(m.alphas))
				for i := range benchOrigins * len(m.targets) {
					m.measure(b, i, c.text, c.own, c.keep, tallies)
				}
				for a, t := range tallies {
					t.report(b, m.alphas[a])
				}
			}
		})
	}
}

type manipulateBench struct {
	*artist
	prompt, targetEmbeds []float32
	targets, texts       []texts.Text
	textEmbeds           []float32
	alphas               []float64
}

func newManipulateBench(b *testing.B) *manipulateBench {
	o := newGlobalOptions(terminal.NewOptions("illustrator", io.Discard, io.Discard))
	s, err := o.readDomain("lorelei")
	if err != nil {
		b.Fatal(err)
	}
	m := &manipulateBench{artist: &artist{session: s, globals: o}, alphas: []float64{0, 0.5, 0.75, 1, 1.25, 1.5}}
	m.options.alpha, m.synthesis = s.domain.Alpha, pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, TruncationPsi: 1}
	if err := s.loadMapper(mapperOptions{}); err != nil {
		b.Fatal(err)
	}
	prompts, err := s.loadPrompts("")
	if err != nil {
		b.Fatal(err)
	}
	m.prompts, m.prompt = &prompts.Prompts, prompts.Text
	all, err := s.descriptions()
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range all {
		if t.Kind == "limited" && len(t.Attributes) <= 2 {
			m.targets = append(m.targets, t)
		}
		if t.Kind == "limited" && len(t.Attributes) >= 2 {
			m.texts = append(m.texts, t)
		}
	}
	if m.targetEmbeds, err = o.embedTexts(b.Context(), s, m.targets, true); err != nil {
		b.Fatal(err)
	}
	if m.textEmbeds, err = o.embedTexts(b.Context(), s, m.texts, true); err != nil {
		b.Fatal(err)
	}
	return m
}

// manipulateTally counts what the classifier sees at one alpha.
type manipulateTally struct {
	changed, toChange, kept, others, own, ownNamed int
	pixels                                         float64
	pictures                                       int
}

func (t manipulateTally) report(b *testing.B, alpha float64) {
	share := func(name string, part, of int) {
		if of > 0 {
			b.ReportMetric(float64(part)/float64(of), name+fmt.Sprintf("@%g", alpha))
		}
	}
	share("changed", t.changed, t.toChange)
	share("kept", t.kept, t.others)
	share("own", t.own, t.ownNamed)
	b.ReportMetric(t.pixels/float64(t.pictures), "pixels"+fmt.Sprintf("@%g", alpha))
}

// measure manipulates case i.
func (m *manipulateBench) measure(b *testing.B, i int, ofText, own bool, keep pipeline.Keep, tallies []manipulateTally) {
	ctx, n, target, dim := b.Context(), m.networks, m.targets[i/benchOrigins], m.networks.CLIP.ProjectionDim
	var from pipeline.Origin
	var text texts.Text
	var err error
	if ofText {
		at := (7*i + i/benchOrigins) % len(m.texts)
		text = m.texts[at]
		from, err = n.TextOrigin(ctx, m.textEmbeds[at*dim:(at+1)*dim], m.prompts, m.options.alpha)
	} else {
		from, err = n.ZOrigin(ctx, seeds.Z(uint64(5000+i), n.Generator.StyleDim), 0, nil, m.synthesis)
	}
	if err != nil {
		b.Fatal(err)
	}
	if !own {
		from.TextEmbed = m.prompt
	}
	out, err := n.Manipulate(ctx, pipeline.ManipulateRequest{
		Origin: from, TextEmbed: m.targetEmbeds[i/benchOrigins*dim : (i/benchOrigins+1)*dim], Alphas: m.alphas, Keep: keep, Synthesis: m.synthesis,
	})
	if err != nil {
		b.Fatal(err)
	}
	first, err := m.originPicture(ctx, origin{}, from)
	if err != nil {
		b.Fatal(err)
	}
	seen, err := n.Classify(ctx, append(first.Pixels[:len(first.Pixels):len(first.Pixels)], out.Images...))
	if err != nil {
		b.Fatal(err)
	}
	for a := range tallies {
		tallies[a].add(m, target, text, seen[0], seen[1+a])
		for p, v := range first.Pixels {
			tallies[a].pixels += math.Abs(float64(out.Images[a*len(first.Pixels)+p]-v)) / float64(len(first.Pixels))
		}
	}
}

func (t *manipulateTally) add(m *manipulateBench, target, text texts.Text, before, after []int) {
	t.pictures++
	for i, attribute := range m.networks.Classifier.Attributes {
		is := func(text texts.Text, seen []int) (named, right bool) {
			one := texts.Text{Attributes: map[string][]string{}}
			if accepted, ok := text.Attributes[attribute.Name]; ok {
				one.Attributes[attribute.Name] = accepted
			}
			c := eval.CompareAttributes(*m.networks.Classifier, one, seen, seen)
			return c.Named > 0, c.Found > 0
		}
		named, already := is(target, before)
		switch _, now := is(target, after); {
		case named && !already:
			t.toChange++
			if now {
				t.changed++
			}
		case !named:
			t.others++
			if before[i] == after[i] {
				t.kept++
			}
			if own, right := is(text, after); own {
				t.ownNamed++
				if right {
					t.own++
				}
			}
		}
	}
}
