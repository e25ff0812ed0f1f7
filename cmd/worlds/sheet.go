package main

import (
	"fmt"
	"image"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/cmd/worlds/scene"
	"illustrator/data/pictures"
	"illustrator/internal/fault"
)

// sheet holds the flags of `worlds sheet`.
type sheet struct {
	options
	count, columns, size int
	path                 string
}

func newSheetCommand() *cobra.Command {
	var s sheet
	cmd := &cobra.Command{
		Use:   "sheet",
		Short: "Draw pictures of random scenes with captions in one sheet",
		Example: `  worlds sheet --domain chapel --out chapel.png
  worlds sheet --count 8 --columns 8 --seed 2`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.draw(); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), s.path)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&s.domains, "domain", nil, "domains to draw (default: all)")
	flags.IntVar(&s.count, "count", 24, "pictures of each domain")
	flags.IntVar(&s.columns, "columns", 8, "pictures in a row")
	flags.IntVar(&s.size, "size", 64, "height and width of a picture in pixels")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of scenes and captions")
	flags.StringVar(&s.path, "out", "sheet.png", "the PNG file to write")
	return cmd
}

// draw writes the sheet.
func (s *sheet) draw() error {
	const largest = 1024
	for _, limit := range []struct {
		flag       string
		value, max int
	}{{"--count", s.count, largest}, {"--columns", s.columns, largest}, {"--size", s.size, largest}} {
		if limit.value < 1 || limit.value > limit.max {
			return fault.Field(limit.flag, limit.value, "1 to %d", limit.max)
		}
	}
	chosen, err := s.choose()
	if err != nil {
		return err
	}
	var drawings []image.Image
	var captions []string
	for _, d := range chosen {
		latent, err := scene.NewLatent(d)
		if err != nil {
			return err
		}
		for i := range s.count {
			random := latent.Sample(s.seed, i).Scene
			drawings = append(drawings, d.Render(random, s.size))
			captions = append(captions, d.Caption(random, scene.Random(s.seed+1, i)))
		}
	}
	const cell = 128 // points
	grid, err := pictures.Grid(drawings, captions, s.columns, pictures.GridOptions{CellSize: cell})
	if err != nil {
		return err
	}
	return pictures.WritePNG(s.path, grid, nil)
}
