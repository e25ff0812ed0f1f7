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
			return o, fault.Usage(fmt.Errorf("%s %q: %q is not a seed", flag, name, number),
				"write seed: and a whole number of at least 0, such as seed:7")
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
	artistOptions
	settings draw.Settings
	pad      bool
}

func (p *originOptions) addFlags(cmd *cobra.Command) {
	p.artistOptions.addFlags(cmd)
	addProjectionFlags(cmd, &p.settings)
	p.settings.NoiseMode = stylegan2.NoiseConst
	addSynthesisFlags(cmd, &p.settings)
	addStrictFlag(cmd, &p.strict)
	addPadFlag(cmd, &p.pad)
}

// editor changes pictures that an artist draws.
type editor struct {
	edit.Artist
	*artist
}

// open checks the options, reads the domain and loads its mapper and prompts; no device yet.
func (p originOptions) open(cmd *cobra.Command, opts *terminal.Options) (*editor, error) {
	var manner draw.Manner
	a, err := p.artistOptions.open(cmd, opts, p.settings.NoProjection, func(m draw.Model) error {
		m.Preprocessor.Pad = p.pad
		plan, err := m.Plan(draw.Spec{Settings: p.settings}, draw.DefaultLimits())
		manner = plan.Manner
		return asFlags(err, nil)
	})
	if err != nil {
		return nil, err
	}
	return &editor{edit.Artist{Model: a.Model, Manner: manner, Redraw: a.Redraw}, a}, nil
}

// start checks the lengths of texts, of which some may be nil, and opens the device.
func (e *editor) start(of ...*texts.Text) error {
	var given []texts.Text
	for _, t := range of {
		if t != nil {
			given = append(given, *t)
		}
	}
	return e.artist.start(given)
}
