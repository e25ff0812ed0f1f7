package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/configs"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// origin is the picture that a command begins with, as a user names it: a text, "seed:N" or a file.
type origin struct {
	name    string
	text    *texts.Text
	seed    *uint64
	picture *pictures.Picture
}

// readOrigin reads what flag names. A file is read at once, so that a wrong one is noticed before a device starts.
func readOrigin(ctx context.Context, flag, name string) (origin, error) {
	o := origin{name: name}
	if kind, number, ok := strings.Cut(name, ":"); ok && strings.EqualFold(kind, "seed") {
		seed, err := strconv.ParseUint(number, 10, 64)
		o.seed = &seed
		if err != nil {
			return o, fault.Usage(fmt.Errorf("%s %q: %q is no seed", flag, name, number), "write seed: and a whole number of at least 0, such as seed:7")
		}
		return o, nil
	}
	if pictures.Named(name) {
		p, err := pictures.Read(ctx, name)
		if err != nil && fault.HintOf(err) == "" {
			err = fault.Hint(err, "give a %s picture, a text, or seed:N", pictures.Formats)
		}
		if err != nil {
			return o, fmt.Errorf("%s: %w", flag, err)
		}
		o.picture = &p
		return o, nil
	}
	text, err := texts.New(name)
	if err != nil {
		return o, fmt.Errorf("%s: %w", flag, err)
	}
	o.text = &text
	return o, nil
}

// originOptions say how the pictures of origins are drawn, with flags that commands share.
type originOptions struct {
	mapperOptions
	cartoonOptions
	domain, noiseMode    string
	alpha, truncationPsi float64
	noProjection, strict bool
}

// addFlags adds the flags; alpha names that of the prompt projection.
func (p *originOptions) addFlags(cmd *cobra.Command, alpha string) {
	addDomainFlag(cmd, &p.domain)
	p.mapperOptions.addFlags(cmd)
	cmd.Flags().Float64Var(&p.alpha, alpha, 0, "distinctiveness of a text's prompt projection, eq. 3 (default the domain's)")
	cmd.Flags().BoolVar(&p.noProjection, "no-projection", false, "use text embeddings as they are, without prompts")
	addSynthesisFlags(cmd, &p.noiseMode, &p.truncationPsi, stylegan2.NoiseConst)
	p.cartoonOptions.addFlags(cmd)
	addStrictFlag(cmd, &p.strict)
}

// artist draws origins: a domain with its mapper and prompts, and how pictures are made.
type artist struct {
	*session
	globals   *globalOptions
	options   originOptions
	synthesis pipeline.Synthesis
	prompts   *pipeline.Prompts // nil without projection
}

// open checks the options, reads the domain and loads its mapper and prompts; no device yet.
func (p originOptions) open(cmd *cobra.Command, o *globalOptions, alpha string) (*artist, error) {
	a := artist{globals: o, options: p}
	var err error
	if a.synthesis, err = parseSynthesis(p.noiseMode, p.truncationPsi); err != nil {
		return nil, err
	}
	if a.options.domain, err = p.domainOf(cmd, p.domain); err != nil {
		return nil, err
	}
	if a.session, err = o.readDomain(a.options.domain); err != nil {
		return nil, err
	}
	if !cmd.Flags().Changed(alpha) {
		a.options.alpha = a.domain.Alpha
	}
	if err := configs.CheckAlpha("--"+alpha, a.options.alpha); err != nil {
		return nil, err
	}
	if err := o.openCartoon(&a.options.cartoonOptions, a.session); err != nil {
		return nil, err
	}
	a.prompts, err = a.loadMapperAndPrompts(p.mapperOptions, p.noProjection)
	return &a, err
}

// embed embeds one text [E] after its length was checked.
func (a *artist) embed(ctx context.Context, text texts.Text) ([]float32, error) {
	return a.globals.embedTexts(ctx, a.session, []texts.Text{text}, a.options.strict)
}

// origin finds the origin's embedding and z. The text to compare with is the caller's to set, where it matters.
func (a *artist) origin(ctx context.Context, o origin) (pipeline.Origin, error) {
	if err := a.globals.start(a.session); err != nil {
		return pipeline.Origin{}, err
	}
	switch {
	case o.seed != nil:
		return a.networks.ZOrigin(ctx, seeds.Z(*o.seed, a.networks.Generator.StyleDim), *o.seed, nil, a.synthesis)
	case o.picture != nil:
		return a.networks.PictureOrigin(ctx, o.picture.Pixels, o.picture.Height, o.picture.Width, nil)
	}
	embed, err := a.embed(ctx, *o.text)
	if err != nil {
		return pipeline.Origin{}, err
	}
	return a.networks.TextOrigin(ctx, embed, a.prompts, a.options.alpha)
}

// meta is what a picture drawn by the artist carries.
func (a *artist) meta(description string, more ...pictures.Meta) []pictures.Meta {
	meta := []pictures.Meta{{Key: "Description", Value: description}, {Key: "Software", Value: version.Program()}, {Key: "Domain", Value: a.domain.Name}}
	return slices.Concat(meta, more, hashesOf(a.networks.Hashes), a.options.cartoonInfo().meta())
}

// pictures turns a generator's batch [N,3,Size,Size] into pictures.
func (a *artist) pictures(images []float32) ([]pictures.Picture, error) {
	return pictures.Split(images, a.networks.Generator.Size, a.networks.Generator.Size)
}
