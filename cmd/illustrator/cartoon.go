package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/cartoon"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/version"
)

// cartoonOptions let a command that draws pictures redraw them in a style. Their zero value leaves pictures as they are.
type cartoonOptions struct {
	cartoon      string // name of a style or path of a network's YAML file
	cartoonScale int
	keepPlain    bool

	opened *cartoon.Style
}

func (c *cartoonOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.cartoon, "cartoon", "", "redraw pictures in a style: "+styleNames()+", or a network's .yaml")
	flags.IntVar(&c.cartoonScale, "cartoon-scale", 1, "enlarge redrawn pictures by this whole number")
}

// addKeepPlainFlag is for commands that redraw.
func (c *cartoonOptions) addKeepPlainFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.keepPlain, "keep-plain", false, "with --cartoon, write the pictures as they were too, into the folder plain")
}

func styleNames() string {
	var names []string
	for _, s := range cartoon.Styles() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// openCartoon opens the style before anything is drawn. A network runs on s's backend.
func (o *globalOptions) openCartoon(c *cartoonOptions, s *session) (err error) {
	if c.cartoon == "" {
		if c.cartoonScale > 1 || c.keepPlain {
			return fault.Usage(errors.New("--cartoon-scale or --keep-plain without --cartoon"), "add --cartoon with a style")
		}
		return nil
	}
	if err := cartoon.CheckScale(c.cartoonScale); err != nil {
		return fmt.Errorf("--cartoon-scale: %w", err)
	}
	if c.opened, err = o.openStyle(c.cartoon, s); err != nil {
		return fmt.Errorf("--cartoon: %w", err)
	}
	return nil
}

// openTextStyles opens the styles that texts name for themselves; c says what else holds for them.
func (o *globalOptions) openTextStyles(c cartoonOptions, of []texts.Text, s *session) (map[string]cartoonOptions, error) {
	styles := map[string]cartoonOptions{}
	for i, t := range of {
		if _, known := styles[t.Style]; known || t.Style == "" {
			continue
		}
		own := c
		own.cartoon = t.Style
		if err := o.openCartoon(&own, s); err != nil {
			return nil, fmt.Errorf("text %d: style %q: %w", i+1, t.Style, err)
		}
		styles[t.Style] = own
	}
	return styles, nil
}

// openStyle opens a style, whose network, if it is one, runs on s's backend.
func (o *globalOptions) openStyle(name string, s *session) (*cartoon.Style, error) {
	return cartoon.Open(name, func() (compute.Backend, error) {
		err := o.start(s)
		return s.networks.Backend, err
	})
}

// apply redraws a picture where a style was opened.
func (c *cartoonOptions) apply(ctx context.Context, img image.Image) (image.Image, error) {
	if c.opened == nil {
		return img, nil
	}
	return c.opened.Draw(ctx, img, c.cartoonScale)
}

// redraw is apply for the picture called name of a folder. It writes the picture as it was, if that is asked for.
func (c *cartoonOptions) redraw(ctx context.Context, folder, name string, img image.Image) (image.Image, error) {
	if c.opened != nil && c.keepPlain {
		plain := filepath.Join(folder, "plain")
		if err := terminal.CreateFolder(plain); err != nil {
			return nil, err
		}
		if err := pictures.WritePNG(filepath.Join(plain, name+".png"), img, []pictures.Meta{{Key: "Software", Value: version.Program()}}); err != nil {
			return nil, err
		}
	}
	return c.apply(ctx, img)
}

// applyAll is apply for pictures of one command, in place.
func (c *cartoonOptions) applyAll(ctx context.Context, images []image.Image) (err error) {
	for i := range images {
		if images[i], err = c.apply(ctx, images[i]); err != nil {
			return err
		}
	}
	return nil
}

// record names the style that was opened; it is empty where there is none.
func (c *cartoonOptions) record() draw.Cartoon {
	if c.opened == nil {
		return draw.Cartoon{}
	}
	return draw.Cartoon{Style: c.opened.Name, SHA256: c.opened.SHA256}
}
