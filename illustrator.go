// Package illustrator draws pictures of descriptions, by the method of the paper "AI Illustrator" (ACM MM 2022): text,
// CLIP text embedding, prompt projection, mapper, StyleGAN2. It is what Go programs import; the command of the same
// name has more.
//
// A Domain holds the networks on one device and is for one goroutine at a time. Errors name what is wrong; an invalid
// field of a Spec is a *FieldError.
package illustrator

import (
	"cmp"
	"context"
	"errors"
	"image"
	"iter"
	"log/slog"

	"github.com/gomlx/compute"

	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
	"illustrator/train/runs"
)

// What a caller asks for. The zero Spec draws one picture of seed 0, as `illustrator generate TEXT` does.
type (
	Spec       = draw.Spec
	Settings   = draw.Settings
	FieldError = draw.FieldError
	// Record says what a picture was drawn from and how well it matches.
	Record = draw.Record
	// Novelty says how far a text lies from a domain's descriptions.
	Novelty = draw.Novelty
	// Pairs is a set of pairs of z and image embedding, read from its files.
	Pairs = pairs.Set
)

// Options choose a mapper and a device.
type Options struct {
	// Run is the folder of a run: its best mapper and its prompts are used in place of the domain's.
	Run string
	// Mapper is the folder of a mapper, in place of the run's or the domain's.
	Mapper string
	// Prompts is a file of prompts, or an image prompt of the official release, in place of the run's or the domain's.
	Prompts string
	// Plugin is the XLA plugin: "cpu", "cuda", or a path; "" is the CPU's.
	Plugin string
	// Log, which may be nil, gets warnings.
	Log *slog.Logger
}

// openDevices opens a plugin. Compiled programs are kept where the command keeps them: $ILLUSTRATOR_PROGRAMS, or in
// the user's cache.
func openDevices(plugin string, devices int, log *slog.Logger) (compute.Backend, error) {
	programs.Use(programs.Chosen(logTo(log)))
	return xla.OpenDevices("xla:"+cmp.Or(plugin, "cpu"), devices)
}

func logTo(log *slog.Logger) *slog.Logger { return cmp.Or(log, slog.New(slog.DiscardHandler)) }

// Domain is a domain's networks with a mapper, on a device.
type Domain struct {
	model    draw.Model
	config   *configs.Domain
	networks *pipeline.Networks
}

// Open opens the domain called ref, an embedded one such as "lorelei" or a YAML file, with its mapper and its prompts.
func Open(ref string, o Options) (*Domain, error) {
	config, networks, err := configs.OpenNetworks(ref)
	if err != nil {
		return nil, err
	}
	d := &Domain{config: config, networks: networks}
	start := func() (err error) {
		if networks.Backend == nil {
			networks.Backend, err = openDevices(o.Plugin, 1, o.Log)
		}
		return err
	}
	choice := runs.Choice{Run: o.Run, Mapper: o.Mapper, Prompts: o.Prompts, Start: start}
	if d.model, err = runs.OpenModel(context.Background(), config, networks, choice); err != nil {
		if networks.Backend != nil {
			networks.Backend.Finalize()
		}
		return nil, err
	}
	return d, start()
}

// Close frees the device.
func (d *Domain) Close() { d.networks.Backend.Finalize() }

// Name returns the domain's name.
func (d *Domain) Name() string { return d.config.Name }

// Size returns the width and height of its pictures.
func (d *Domain) Size() int { return d.networks.Generator.Size }

// Picture is a picture that was drawn.
type Picture struct {
	image.Image
	// Text is the place of its description among those that were given.
	Text   int
	Record Record
	// Z is the generator's input, and ImageEmbedding the mapper's, scaled to length √E.
	Z, ImageEmbedding []float32
}

// WritePNG writes the picture with its record's main fields in the metadata.
func (p Picture) WritePNG(path string) error {
	return pictures.WritePNG(path, p.Image, p.Record.Meta(version.Program()))
}

// Far returns the descriptions that lie far from all that the domain knows; none where the domain has less than 20
// descriptions of its own. It needs no device.
func (d *Domain) Far(descriptions ...string) ([]Novelty, error) {
	known, err := d.config.Known()
	if err != nil {
		return nil, err
	}
	knowledge, err := draw.NewKnowledge(d.networks, known)
	return knowledge.Far(descriptions...), err
}

func (d *Domain) picture(p *draw.Picture) Picture {
	return Picture{
		Image: d.model.Image(p), Text: p.Request, Record: d.model.Record(*p.Recipe).With(p),
		Z: p.Z, ImageEmbedding: p.ImageEmbed,
	}
}

// Draw draws the pictures of descriptions as s says and yields each when it is finished, description by description.
// Its pixels and scores are those of `illustrator generate` with the same flags. An error ends the pictures.
func (d *Domain) Draw(ctx context.Context, s Spec, descriptions ...string) iter.Seq2[Picture, error] {
	return func(yield func(Picture, error) bool) {
		requests, err := d.requests(s, descriptions)
		if err != nil {
			yield(Picture{}, err)
			return
		}
		for p, err := range draw.Run(ctx, []draw.Model{d.model}, requests, draw.Options{Score: true}) {
			if err != nil {
				yield(Picture{}, err)
				return
			}
			if !yield(d.picture(p), nil) {
				return
			}
		}
	}
}

func (d *Domain) requests(s Spec, descriptions []string) ([]draw.Request, error) {
	given, err := texts.Gather(descriptions, "")
	if err == nil && len(given) == 0 {
		err = errors.New("no description is given")
	}
	if err != nil {
		return nil, err
	}
	return d.model.Requests(s, nil, draw.DefaultLimits(), given...)
}

// Source is a picture to begin with.
type Source struct{ of draw.Source }

// FromText is the picture of a description.
func FromText(description string) Source {
	return Source{draw.Source{Text: &texts.Text{Text: description}}}
}

// FromSeed is the picture of a random z.
func FromSeed(seed uint64) Source { return Source{draw.Source{Seed: &seed}} }

// FromImage is a picture of any size. A picture drawn from it resembles it.
func FromImage(img image.Image) Source { return Source{draw.Source{Image: img}} }

// check returns an error for a source that holds no picture.
func (s Source) check() error {
	switch {
	case s.of.Text != nil:
		_, err := texts.New(s.of.Text.Text)
		return err
	case s.of.Seed == nil && s.of.Image == nil:
		return errors.New("the source is empty: use FromText, FromSeed or FromImage")
	}
	return nil
}

// manner draws sources and their successors with constant noise, so that only styles change.
func (d *Domain) manner() draw.Manner {
	return draw.Manner{Alpha: d.model.Alpha, NoiseMode: draw.ConstNoise, TruncationPsi: 1}
}

// Manipulate moves a picture towards a text (eq. 11), once for each alpha: 0 leaves it, 1 is the whole way. The first
// picture is the origin's own. What the domain's pictures have in common is taken from the text before it is compared.
func (d *Domain) Manipulate(ctx context.Context, from Source, to string, alphas ...float64) ([]Picture, error) {
	target, err := texts.New(to)
	if err != nil {
		return nil, err
	}
	if err := from.check(); err != nil {
		return nil, err
	}
	manner := d.manner()
	origin, first, err := d.model.Origin(ctx, from.of, manner)
	if err != nil {
		return nil, err
	}
	if origin.TextEmbed, err = d.networks.EmbedTextPrompt(ctx, d.config.TextPrompt); err != nil {
		return nil, err
	}
	recipes := make([]draw.Recipe, len(alphas))
	for i, alpha := range alphas {
		manner.Alpha = alpha
		recipes[i] = origin.Toward(target, manner, first.Recipe.Seed)
	}
	return d.pictures(ctx, []*draw.Picture{first}, recipes)
}

// Interpolate draws pictures at equal distances on the straight line in W between two, both included.
func (d *Domain) Interpolate(ctx context.Context, from, to Source, steps int) ([]Picture, error) {
	if steps < 2 {
		remedy := "`steps` must be 2 or more: both ends are included"
		return nil, &FieldError{Code: draw.OutOfRange, Field: "steps", Value: steps, Remedy: remedy}
	}
	var way draw.Way
	for _, end := range []struct {
		of *draw.Recipe
		Source
	}{{&way.From, from}, {&way.To, to}} {
		err := end.check()
		if err == nil {
			*end.of, err = d.model.Begin(ctx, end.Source.of, d.manner())
		}
		if err != nil {
			return nil, err
		}
	}
	return d.pictures(ctx, nil, way.Steps(steps, 0))
}

// pictures draws recipes behind the pictures before them.
func (d *Domain) pictures(ctx context.Context, before []*draw.Picture, recipes []draw.Recipe) ([]Picture, error) {
	if len(recipes) > 0 {
		more, err := d.model.Draw(ctx, recipes...)
		if err != nil {
			return nil, err
		}
		before = append(before, more...)
	}
	all := make([]Picture, len(before))
	for i, p := range before {
		all[i] = d.picture(p)
	}
	return all, nil
}

// EmbedTexts returns the CLIP embeddings of descriptions, scaled to length √E.
func (d *Domain) EmbedTexts(ctx context.Context, descriptions ...string) ([][]float32, error) {
	embeds, err := d.networks.EmbedTexts(ctx, descriptions)
	return d.rows(embeds), err
}

// EmbedImages returns the CLIP embeddings of pictures of any size, scaled to length √E.
func (d *Domain) EmbedImages(ctx context.Context, images ...image.Image) ([][]float32, error) {
	var pixels []float32
	p := d.networks.Preprocessor
	for _, img := range images {
		pixels = append(pixels, p.Fit(img)...)
	}
	if len(images) == 0 {
		return nil, nil
	}
	embeds, err := d.networks.EmbedImages(ctx, pixels, p.Size, p.Size)
	return d.rows(embeds), err
}

func (d *Domain) rows(embeds []float32) [][]float32 {
	dim := d.networks.CLIP.ProjectionDim
	rows := make([][]float32, len(embeds)/dim)
	for i := range rows {
		rows[i] = embeds[i*dim : (i+1)*dim : (i+1)*dim]
	}
	return rows
}

// OpenPairs opens a set of pairs of z and image embedding, as `illustrator pairs` writes it. It is to be closed.
func OpenPairs(folder string) (*Pairs, error) { return pairs.Open(folder) }
