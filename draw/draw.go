// Package draw is the only way from a text to a picture.
//
// A Spec holds what a caller asks for; most of its fields may be left out. Model.Plan checks it against Limits and
// returns a Plan, in which every field has a value. A Plan makes Recipes: a Recipe holds all that one picture follows
// from. Batch draws Recipes of any plans together, one stage after the other: text embeddings, projection (eq. 3, eq.
// 11), z, styles, pictures, scores. A row that several recipes share is computed once, so one text of eight seeds is
// embedded and mapped once.
//
// A Work follows the recipes of one request from Batch to the pictures that its client gets: it keeps the best
// candidates, has them refined, and has them drawn a last time. It never calls the device. Run drives the Works of a
// command one after the other, with few pictures in memory; package serve/queue drives those of many clients, and
// shares batches between them.
//
// Two other shapes were weighed. A queue inside the command, as in the server, would make one scheduler; but its
// batches depend on time, and the last digits on its batches. Functions of single stages, which each caller joins, let
// defaults and checks of command and server diverge.
//
// A picture's last digits depend on how many rows are computed together (2e-5 of an embedding of length 11, on a CPU).
// Run's batches follow from its requests and Options.AtOnce alone, so the same call gives the same bits.
package draw

import (
	"cmp"
	"context"
	"image"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/models/clip"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Model is a domain's networks with a mapper, ready to draw.
type Model struct {
	Name   string // that requests choose it by
	Domain string
	Alpha  float64 // eq. 3's, where a Spec gives none
	*pipeline.Networks
	Prompts pipeline.Prompts // of eq. 3; not needed without projection
	// Known returns the domain's descriptions, which WarnFar compares texts with; nil is a domain without any.
	Known func() ([]texts.Text, error)
}

// Manner says how a picture is drawn from its text and its seed.
type Manner struct {
	// Alpha is eq. 3's, or eq. 11's where a recipe has an Origin.
	Alpha float64
	// NoProjection maps the text's embedding as it is, without eq. 3.
	NoProjection  bool
	NoiseMode     NoiseMode // "" is random
	TruncationPsi float64
	Diversity     Diversity
	// Layers below InjectIndex take the style of the seed's random z, the others the predicted one.
	InjectIndex int
	// Spread, from 0 to 1, mixes the seed's random z into the predicted one, as spreadZ does.
	Spread float64
}

func (m Manner) noise() NoiseMode { return cmp.Or(m.NoiseMode, stylegan2.NoiseRandom) }

// Recipe holds all that one picture follows from.
type Recipe struct {
	Model int // index of the models
	Text  texts.Text
	// Tokens are Text as CLIP reads it; nil has Text tokenized.
	Tokens *clip.Encoding
	// TextEmbed [E] is the text's scaled embedding; nil has Text embedded.
	TextEmbed []float32
	// ImageEmbed [E] is what the mapper takes; nil is the text's embedding after eq. 3, or eq. 11 where there is an
	// Origin.
	ImageEmbed []float32
	// Z [Z] is what the styles come from, and Spread is not used; nil is what the mapper predicts.
	Z []float32
	// Origin is the picture that is moved towards Text; nil draws Text itself.
	Origin *Origin
	Manner
	// Seed is the noise key, and the seed of the random z that InjectIndex and Spread draw on.
	Seed uint64
	// Offset [Z], which may be nil, is added to W: what a refinement changed of the picture that this one comes from.
	Offset []float32
	// Way, where it is not nil, draws the picture at At of it, from 0 to 1, with the noise of Seed; what is above is
	// not used.
	Way *Way
	At  float64
	// Score asks how well the picture matches Text.
	Score bool
	// Attributes asks what the domain's classifier, which there must be, sees of all attributes.
	Attributes bool
	// Refine is the number of steps that z is refined by after the picture was drawn, 0 for none.
	Refine int

	embed   bool // asks for the picture's embedding alone
	request int  // of Run's
}

// Way is the straight line in W from one picture to another.
type Way struct{ From, To Recipe }

// Steps returns the recipes of n pictures at equal distances on the way, both ends included. All have the noise of
// seed: only the styles change.
func (w *Way) Steps(n int, seed uint64) []Recipe {
	steps := make([]Recipe, n)
	for i := range steps {
		steps[i] = Recipe{Model: w.From.Model, Way: w, At: float64(i) / float64(n-1), Seed: seed}
		steps[i].Manner = w.From.Manner
	}
	return steps
}

// Origin is the picture that eq. 11 begins with.
type Origin struct {
	// Text says what the picture shows, TextEmbed [E] is its scaled embedding, CTE_origin; nil has Text embedded.
	Text      string
	TextEmbed []float32
	// ImageEmbed [E] is CIE_origin, scaled. Where it is nil, it is the embedding of Pixels [3,Side,Side]; 0 is the
	// generator's size.
	ImageEmbed, Pixels []float32
	Side               int
	// Z [Z] is what the picture was drawn from, which KeepW needs; nil where it is not known.
	Z    []float32
	Keep Keep
}

// Picture is a picture that was drawn.
type Picture struct {
	Recipe *Recipe
	// Index is the picture's place among those that the client gets, Place among the recipes, and Request that of its
	// request among Run's.
	Index, Place, Request int

	Pixels     []float32 // [3,Size,Size] in about [-1,1]
	TextEmbed  []float32 // [E]; nil where nothing needed it
	ImageEmbed []float32 // [E], what the mapper took; nil of a way and of a z that was given
	Embed      []float32 // [E] of the picture itself, where Score was asked for
	Z          []float32 // [Z] that it was drawn from; nil of a way
	Styles     []float32 // [L,Z], those of all layers
	Score      *Score    // where it was asked for
	Seen       []int     // index of the value of each attribute of the classifier, where it looked
	// Candidates are those that it was chosen from, in their order.
	Candidates []Candidate
	// Refined says what a refinement did, and Offset [Z] what it changed in W.
	Refined *Refined
	Offset  []float32

	w       []float32 // [Z], the style that all layers have
	seconds float64   // its share of the device's time
	first   *Score    // before a refinement
	rank    int       // among those that were kept of a choice
}

// Image returns the picture of m as an image.
func (m Model) Image(p *Picture) image.Image {
	size := m.Generator.Size
	return pictures.Picture{Width: size, Height: size, Pixels: p.Pixels}.Image()
}

// Draw draws one batch of recipes of this model alone.
func (m Model) Draw(ctx context.Context, recipes ...Recipe) ([]*Picture, error) {
	return Batch(ctx, []Model{m}, pointers(recipes))
}

func pointers(recipes []Recipe) []*Recipe {
	all := make([]*Recipe, len(recipes))
	for i := range recipes {
		all[i] = &recipes[i]
	}
	return all
}
