package main

import (
	"context"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/album"
)

// artistOptions name the domain, the mapper and the style that a command draws with.
type artistOptions struct {
	mapperOptions
	cartoonOptions
	domain string
	strict bool
}

func (p *artistOptions) addFlags(cmd *cobra.Command) {
	addDomainFlag(cmd, &p.domain)
	p.mapperOptions.addFlags(cmd)
	p.cartoonOptions.addFlags(cmd)
}

// artist draws: a domain's model, and the style that pictures are redrawn in.
type artist struct {
	draw.Model
	draw.Redraw
	opts    *terminal.Options
	session *session
	cartoon cartoonOptions
	strict  bool // refuses texts that CLIP does not read to the end
}

// open reads the domain, has check look at what else was given, opens the style and loads the mapper and, unless
// noProjection is set, the prompts.
func (p artistOptions) open(cmd *cobra.Command, opts *terminal.Options, noProjection bool,
	check func(draw.Model) error) (*artist, error) {
	domain, err := p.domainOf(cmd, opts, p.domain)
	if err != nil {
		return nil, err
	}
	s, err := readDomain(opts, domain)
	if err != nil {
		return nil, err
	}
	if err := check(s.model()); err != nil {
		return nil, err
	}
	return p.artist(cmd.Context(), opts, s, noProjection)
}

// artist is open for a domain that was read.
func (p artistOptions) artist(ctx context.Context, opts *terminal.Options, s *session,
	noProjection bool) (*artist, error) {
	if err := openCartoon(opts, &p.cartoonOptions, s); err != nil {
		return nil, err
	}
	model, err := s.loadModel(ctx, p.mapperOptions, noProjection)
	return &artist{model, p.Redraw, opts, s, p.cartoonOptions, p.strict}, err
}

// start checks the lengths of texts and opens the device.
func (a *artist) start(of []texts.Text) error {
	if err := checkLengths(a.opts, a.session, of, a.strict); err != nil {
		return err
	}
	return a.session.start()
}

// album draws and writes an album's texts. All that can be is checked before a device starts.
func (a *artist) album(ctx context.Context, of album.Album) (s album.Summary, err error) {
	if a.Classifier != nil {
		if err := draw.CheckTexts(*a.Classifier, of.Texts); err != nil {
			return s, err
		}
	}
	if of.Redraws, err = openTextStyles(a.opts, a.cartoon, of.Texts, a.session); err != nil {
		return s, err
	}
	if err := a.start(of.Texts); err != nil {
		return s, err
	}
	of.Env, of.Model, of.Redraw = a.opts.Env(), a.Model, a.Redraw
	return of.Draw(ctx)
}
