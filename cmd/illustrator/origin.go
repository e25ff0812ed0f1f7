package main

import (
	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/draw/edit"
	"illustrator/models/stylegan2"
)

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
	a, err := p.read(cmd, opts)
	if err != nil {
		return nil, err
	}
	a.Preprocessor.Pad = p.pad
	plan, err := a.Plan(draw.Spec{Settings: p.settings}, draw.DefaultLimits())
	if err != nil {
		return nil, hints.AsFlags(err)
	}
	if err := a.load(cmd.Context(), p.settings.NoProjection); err != nil {
		return nil, err
	}
	return &editor{edit.Artist{Model: a.Model, Manner: plan.Manner, Redraw: a.Redraw}, a}, nil
}

// start checks texts, of which some may be nil, opens the device, and returns those that lie far from the domain's.
func (e *editor) start(of ...*texts.Text) (far []draw.Novelty, err error) {
	var given []texts.Text
	for _, t := range of {
		if t != nil && t.Text != e.session.domain.TextPrompt {
			given = append(given, *t)
		}
	}
	_, far, err = e.artist.start(given)
	return far, err
}
