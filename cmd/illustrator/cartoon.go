package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/data/cartoon"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
)

// cartoonOptions let a command that draws pictures redraw them in a style.
// Their zero value leaves pictures as they are.
type cartoonOptions struct {
	cartoon string // name of a style or path of a network's YAML file
	draw.Redraw
}

func (c *cartoonOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.cartoon, "cartoon", "",
		"redraw pictures in a style: "+strings.Join(cartoon.Names(), ", ")+", or a network's .yaml")
	flags.IntVar(&c.Scale, "cartoon-scale", 1, "enlarge redrawn pictures by this whole number")
}

// addKeepPlainFlag is for commands that redraw.
func (c *cartoonOptions) addKeepPlainFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.KeepPlain, "keep-plain", false,
		"with --cartoon, write the pictures as they were too, into the folder plain")
}

// openCartoon opens the style before anything is drawn. A network runs on s's backend.
func openCartoon(c *cartoonOptions, s *session) (err error) {
	if c.cartoon == "" {
		if c.Scale > 1 || c.KeepPlain {
			return fault.Usage(errors.New("--cartoon-scale or --keep-plain without --cartoon"), "add --cartoon with a style")
		}
		return nil
	}
	if err := cartoon.CheckScale(c.Scale); err != nil {
		return fmt.Errorf("--cartoon-scale: %w", err)
	}
	if c.Style, err = cartoon.Open(c.cartoon, s.backend); err != nil {
		return fmt.Errorf("--cartoon: %w", err)
	}
	return nil
}

// openTextStyles opens the styles that texts name for themselves; c says what else holds for them.
func openTextStyles(c cartoonOptions, of []texts.Text, s *session) (map[string]draw.Redraw, error) {
	styles := map[string]draw.Redraw{}
	for i, t := range of {
		if _, known := styles[t.Style]; known || t.Style == "" {
			continue
		}
		own := c
		own.cartoon = t.Style
		if err := openCartoon(&own, s); err != nil {
			return nil, fmt.Errorf("text %d: style %q: %w", i+1, t.Style, err)
		}
		styles[t.Style] = own.Redraw
	}
	return styles, nil
}
