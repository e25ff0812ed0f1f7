package main

import (
	"context"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/album"
	"illustrator/models/pipeline"
)

// artistOptions name the domain, the mapper and the style that a command draws with.
type artistOptions struct {
	mapperOptions
	cartoonOptions
	domain string
	strict bool // refuses texts that CLIP does not read to the end
}

func (p *artistOptions) addFlags(cmd *cobra.Command) {
	addDomainFlag(cmd, &p.domain)
	p.mapperOptions.addFlags(cmd)
	p.cartoonOptions.addFlags(cmd)
}

// artist draws with a domain's model.
type artist struct {
	draw.Model
	artistOptions
	opts    *terminal.Options
	session *session
}

// read reads the domain. The artist's model has no mapper before load, so that a command can first check all else that
// it was given.
func (p artistOptions) read(cmd *cobra.Command, opts *terminal.Options) (*artist, error) {
	domain, err := p.domainOf(cmd, opts, p.domain)
	if err != nil {
		return nil, err
	}
	s, err := readDomain(opts, domain)
	if err != nil {
		return nil, err
	}
	return p.artist(opts, s), nil
}

// artist is read for a domain that was read.
func (p artistOptions) artist(opts *terminal.Options, s *session) *artist {
	return &artist{s.model(), p, opts, s}
}

// load opens the style, and loads the mapper and, unless noProjection is set, the prompts.
func (a *artist) load(ctx context.Context, noProjection bool) (err error) {
	if err := openCartoon(&a.cartoonOptions, a.session); err != nil {
		return err
	}
	a.Model, err = a.session.loadModel(ctx, a.mapperOptions, noProjection)
	return err
}

// start checks the lengths of texts, finds those that lie far from the domain's descriptions, and opens the device.
func (a *artist) start(of []texts.Text) (tokens pipeline.Tokens, far []draw.Novelty, err error) {
	if tokens, err = checkLengths(a.opts, a.Networks, of, a.strict); err != nil {
		return nil, nil, err
	}
	if far, err = a.WarnFar(a.opts.Log, of); err != nil {
		return nil, nil, err
	}
	return tokens, far, a.session.start()
}

// album draws and writes an album, whose folder is its own. All that can be is checked before a device starts.
func (a *artist) album(ctx context.Context, of album.Album) (s album.Summary, err error) {
	given := draw.Texts(of.Requests)
	if of.Redraws, err = openTextStyles(a.cartoonOptions, given, a.session); err != nil {
		return s, err
	}
	if of.Tokens, of.Far, err = a.start(given); err != nil {
		return s, err
	}
	of.Env, of.Model, of.Redraw = a.opts.Env(), a.Model, a.Redraw
	return of.Draw(ctx)
}
