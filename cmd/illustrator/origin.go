package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/draw/edit"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// origin is the picture that a command begins with, as a user names it: a text, "seed:N" or a file.
type origin struct {
	name string
	draw.Source
}

// readOrigin reads what flag names. A file is read at once, so that a wrong one is noticed before a device starts.
func readOrigin(ctx context.Context, flag, name string) (origin, error) {
	o := origin{name: name}
	if kind, number, ok := strings.Cut(name, ":"); ok && strings.EqualFold(kind, "seed") {
		seed, err := strconv.ParseUint(number, 10, 64)
		o.Seed = &seed
		if err != nil {
			return o, fault.Usage(fmt.Errorf("%s %q: %q is not a seed", flag, name, number), "write seed: and a whole number of at least 0, such as seed:7")
		}
		return o, nil
	}
	if pictures.Named(name) {
		p, err := pictures.ReadImage(ctx, name)
		if err != nil && fault.HintOf(err) == "" {
			err = fault.Hint(err, "give a %s picture, a text, or seed:N", pictures.Formats)
		}
		if err != nil {
			return o, fmt.Errorf("%s: %w", flag, err)
		}
		o.Image = p
		return o, nil
	}
	text, err := texts.New(name)
	if err != nil {
		return o, fmt.Errorf("%s: %w", flag, err)
	}
	o.Text = &text
	return o, nil
}

// originOptions say how the pictures of origins are drawn, with flags that commands share.
type originOptions struct {
	mapperOptions
	cartoonOptions
	domain   string
	settings draw.Settings
	strict   bool
	pad      bool
}

// addFlags adds the flags; alpha names that of the prompt projection.
func (p *originOptions) addFlags(cmd *cobra.Command, alpha string) {
	addDomainFlag(cmd, &p.domain)
	p.mapperOptions.addFlags(cmd)
	addProjectionFlags(cmd, &p.settings, alpha, "distinctiveness of a text's prompt projection, eq. 3 (default the domain's)")
	p.settings.NoiseMode = stylegan2.NoiseConst
	addSynthesisFlags(cmd, &p.settings)
	p.cartoonOptions.addFlags(cmd)
	addStrictFlag(cmd, &p.strict)
	addPadFlag(cmd, &p.pad)
}

// artist draws origins: a domain with its mapper and prompts, and how pictures are made.
type artist struct {
	edit.Artist
	globals *terminal.Options
	session *session
	options originOptions
}

// open checks the options, reads the domain and loads its mapper and prompts; no device yet.
func (p originOptions) open(cmd *cobra.Command, opts *terminal.Options, alpha string) (*artist, error) {
	a := artist{globals: opts, options: p}
	var err error
	if a.options.domain, err = p.domainOf(cmd, p.domain); err != nil {
		return nil, err
	}
	if a.session, err = readDomain(opts, a.options.domain); err != nil {
		return nil, err
	}
	a.session.networks.Preprocessor.Pad = p.pad
	plan, err := a.session.model().Plan(draw.Spec{Settings: p.settings}, draw.DefaultLimits())
	if err != nil {
		return nil, asFlags(err, map[string]string{"alpha": "--" + alpha})
	}
	a.Manner = plan.Manner
	if err := openCartoon(opts, &a.options.cartoonOptions, a.session); err != nil {
		return nil, err
	}
	a.Redraw = a.options.Redraw
	a.Model, err = a.session.loadModel(cmd.Context(), p.mapperOptions, p.settings.NoProjection)
	return &a, err
}

// start checks the lengths of texts and opens the device.
func (a *artist) start(of ...*texts.Text) error {
	var given []texts.Text
	for _, t := range of {
		if t != nil {
			given = append(given, *t)
		}
	}
	if err := checkLengths(a.globals, a.session, given, a.options.strict); err != nil {
		return err
	}
	return a.session.start()
}
