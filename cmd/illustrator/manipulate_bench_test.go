package main

import (
	"fmt"
	"io"
	"math"
	"testing"

	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/models/stylegan2"
)

// origins of each target in BenchmarkManipulate.
const benchOrigins = 8

// BenchmarkManipulate measures manipulation on Lorelei: the descriptions of limited words that name one or
// two attributes are targets, for pictures of other seeds, and of the descriptions that name two or more. "changed" is
// the share of named attributes, not there before, that the classifier finds; "kept" the share of others that it sees
// as before; "own" that of the attributes of the origin's text that the target does not name; "pixels" the mean
// distance from the origin, of values from -1 to 1. Times mean nothing here:
//
//	go test ./cmd/illustrator -run - -bench Manipulate -benchtime 1x
func BenchmarkManipulate(b *testing.B) {
	m := newManipulateBench(b)
	for _, c := range []struct {
		name string
		text bool // an origin of a text, not of a seed
		own  bool // CTE_origin is that text, not the text prompt
		keep draw.Keep
	}{
		{"seed", false, false, draw.KeepNothing}, {"seed", false, false, draw.KeepW},
		{"text", true, false, draw.KeepNothing}, {"text-own", true, true, draw.KeepNothing},
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
	draw.Model
	prompt         string
	targets, texts []texts.Text
	alphas         []float64
}

func newManipulateBench(b *testing.B) *manipulateBench {
	o := terminal.NewOptions("illustrator", io.Discard, io.Discard)
	s, err := readDomain(o, "lorelei")
	if err != nil {
		b.Fatal(err)
	}
	m := &manipulateBench{prompt: s.domain.TextPrompt, alphas: []float64{0, 0.5, 0.75, 1, 1.25, 1.5}}
	if m.Model, err = s.loadModel(b.Context(), mapperOptions{}, false); err != nil {
		b.Fatal(err)
	}
	if err := s.start(); err != nil {
		b.Fatal(err)
	}
	all, err := s.domain.Texts()
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
func (m *manipulateBench) measure(b *testing.B, i int, ofText, own bool, keep draw.Keep, tallies []manipulateTally) {
	ctx, target, about := b.Context(), m.targets[i/benchOrigins], texts.Text{Text: m.prompt}
	manner := draw.Manner{Alpha: m.Alpha, NoiseMode: stylegan2.NoiseConst, TruncationPsi: 1}
	seed := uint64(5000 + i)
	source, text := draw.Source{Seed: &seed}, texts.Text{}
	if ofText {
		text = m.texts[(7*i+i/benchOrigins)%len(m.texts)]
		source = draw.Source{Text: &text}
	}
	if own {
		about = text
	}
	from, first, err := m.Origin(ctx, source, manner)
	if err != nil {
		b.Fatal(err)
	}
	from.Text, from.Keep = about.Text, keep
	var recipes []draw.Recipe
	for _, alpha := range m.alphas {
		manner.Alpha = alpha
		r := from.Toward(target, manner, 0)
		r.Attributes = true
		recipes = append(recipes, r)
	}
	changed, err := m.Draw(ctx, recipes...)
	if err != nil {
		b.Fatal(err)
	}
	for a, p := range changed {
		tallies[a].add(m, target, text, first.Seen, p.Seen)
		for k, v := range first.Pixels {
			tallies[a].pixels += math.Abs(float64(p.Pixels[k]-v)) / float64(len(first.Pixels))
		}
	}
}

func (t *manipulateTally) add(m *manipulateBench, target, text texts.Text, before, after []int) {
	t.pictures++
	for i, attribute := range m.Classifier.Attributes {
		is := func(text texts.Text, seen []int) (named, right bool) {
			one := texts.Text{Attributes: map[string][]string{}}
			if accepted, ok := text.Attributes[attribute.Name]; ok {
				one.Attributes[attribute.Name] = accepted
			}
			c := draw.CompareAttributes(*m.Classifier, one, seen, seen)
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
