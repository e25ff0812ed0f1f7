package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/cartoon"
	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/version"
)

type cartoonizeOptions struct {
	style, out, sheet string
	scale             int
	list, asJSON      bool
}

func newCartoonizeCommand(opts *terminal.Options) *cobra.Command {
	var c cartoonizeOptions
	var styles strings.Builder
	_ = printStyles(&styles)
	cmd := &cobra.Command{
		Use:   "cartoonize PICTURE...",
		Short: "Redraw pictures as cartoons",
		Long: `Redraws pictures of any size, files or all of a folder, and writes NAME-STYLE.png for each. The same picture
gives the same drawing; lengths follow its size, so that small and large pictures look alike. Pictures are turned
upright as their EXIF says. Files that cannot be read are left out and listed (exit code 3).

` + styles.String() + `
Another style is an image-to-image network: an ONNX file and a YAML file that says how pictures go in and come out.

  network: animegan.onnx    # its path, relative to this file
  layout: NHWC              # or NCHW, the default
  channels: RGB             # the default, or BGR
  range: [-1, 1]            # what black and white are
  mean: [0, 0, 0]           # then (x - mean) / std, in the network's order of channels; 0 and 1 are the defaults
  std: [1, 1, 1]
  output_range: [-1, 1]     # what black and white are in its pictures
  size_multiple: 32         # height and width are continued to a multiple of this (default 1)
  max_side: 1024            # the network sees larger pictures scaled down (default 1024)`,
		Example: `  illustrator cartoonize examples/picture.png --style comic --out cartoons
  illustrator cartoonize examples/photos --style halftone --scale 8 --out cartoons
  illustrator cartoonize examples/picture.png --style examples/style/network.yaml --out cartoons
  illustrator cartoonize examples/photos --sheet styles.png`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runCartoonize(cmd.Context(), opts, c, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.style, "style", "comic", "style, or a network's .yaml")
	flags.StringVarP(&c.out, "out", "o", "cartoons", "folder to write")
	flags.IntVar(&c.scale, "scale", 1, "enlarge by this whole number: lines and dots of small pictures need it")
	flags.StringVar(&c.sheet, "sheet", "", "PNG file: one sheet of the pictures in all styles, in place of --out")
	flags.BoolVar(&c.list, "list", false, "list the styles")
	flags.BoolVar(&c.asJSON, "json", false, "print the result as JSON")
	return cmd
}

func printStyles(w io.Writer) error {
	var rows [][]string
	for _, s := range cartoon.Styles() {
		rows = append(rows, []string{"  " + s.Name, s.Description})
	}
	return terminal.PrintTable(w, rows)
}

func runCartoonize(ctx context.Context, opts *terminal.Options, c cartoonizeOptions, args []string) error {
	if c.list {
		return printStyles(opts.Stdout)
	}
	if len(args) == 0 {
		return fault.Usage(errors.New("no picture is given"),
			"give pictures or folders, such as illustrator cartoonize photo.jpg --style comic")
	}
	if err := cartoon.CheckScale(c.scale); err != nil {
		return fmt.Errorf("--scale: %w", err)
	}
	style, err := cartoon.Open(c.style, func() (compute.Backend, error) { return opts.OpenBackend(1) })
	if err != nil {
		return fmt.Errorf("--style: %w", err)
	}
	paths, err := pictures.Paths(args...)
	if err != nil {
		return fault.Suggest(err, "give %s pictures, or a folder of them", pictures.Formats)
	}
	if c.sheet != "" {
		return writeSheet(ctx, opts, c.sheet, paths)
	}
	if err := terminal.CheckOutputFolder(c.out); err != nil {
		return err
	}
	result, err := redrawFiles(ctx, opts, c, style, paths)
	if err != nil {
		return err
	}
	err = opts.PrintResult(c.asJSON, result, fmt.Sprintf("%d of %d pictures in %s, style %s",
		len(result.Pictures), len(paths), c.out, c.style))
	if err == nil {
		err = pictures.Partial(len(result.Pictures), result.Skipped)
	}
	return err
}

func redrawFiles(ctx context.Context, opts *terminal.Options, c cartoonizeOptions, style *cartoon.Style,
	paths []string) (cartoon.Redrawn, error) {
	bar := opts.NewProgress("Redrawing pictures", len(paths))
	defer bar.Done()
	return style.RedrawFiles(ctx, paths, cartoon.Files{
		Folder: c.out, Scale: c.scale,
		Meta:     func(source string) []pictures.Meta { return redrawnMeta(source, style) },
		Progress: func(done int) { bar.Set(done, "") },
	})
}

// redrawnMeta is added to the metadata of a picture that is redrawn.
func redrawnMeta(path string, style *cartoon.Style) []pictures.Meta {
	return append([]pictures.Meta{{Key: "Software", Value: version.Program()},
		{Key: "Source", Value: filepath.Base(path)}}, draw.Cartoon{Style: style.Name, SHA256: style.SHA256}.Meta()...)
}

// writeSheet writes a sheet of the pictures in all styles.
func writeSheet(ctx context.Context, opts *terminal.Options, out string, paths []string) error {
	if err := terminal.CheckOutputFile(out, ".png"); err != nil {
		return err
	}
	bar := opts.NewProgress("Redrawing pictures", len(paths))
	defer bar.Done()
	sheet, skipped, err := cartoon.Sheet(ctx, paths, func(done int) { bar.Set(done, "") })
	if err != nil {
		return err
	}
	if err := pictures.WritePNG(out, sheet, []pictures.Meta{{Key: "Software", Value: version.Program()}}); err != nil {
		return err
	}
	if err := opts.Println(out); err != nil {
		return err
	}
	return pictures.Partial(len(paths)-len(skipped), skipped)
}
