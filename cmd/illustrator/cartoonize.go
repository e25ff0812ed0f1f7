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
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

type cartoonizeOptions struct {
	style, out, sheet string
	scale             int
	list, asJSON      bool
}

func newCartoonizeCommand(opts *globalOptions) *cobra.Command {
	var c cartoonizeOptions
	cmd := &cobra.Command{
		Use:   "cartoonize PICTURE...",
		Short: "Redraw pictures as cartoons",
		Long: `Redraws pictures of any size, files or all of a folder, and writes NAME-STYLE.png for each. The same
picture gives the same drawing; lengths follow its size, so that small and large pictures look alike. Pictures are turned upright
as their EXIF says. Files that cannot be read are left out and listed (exit code 3).

` + styleList() + `
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
		Example: `  illustrator cartoonize portrait.jpg --style comic --out cartoons
  illustrator cartoonize pictures --style halftone --scale 8 --out cartoons
  illustrator cartoonize photo.webp --style animegan.yaml --out cartoons
  illustrator cartoonize pictures --sheet styles.png`,
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

func styleList() string {
	var b strings.Builder
	for _, s := range cartoon.Styles() {
		fmt.Fprintf(&b, "  %-11s %s\n", s.Name, s.Description)
	}
	return b.String()
}

func runCartoonize(ctx context.Context, opts *globalOptions, c cartoonizeOptions, args []string) error {
	if c.list {
		_, err := fmt.Fprint(opts.stdout, styleList())
		return err
	}
	if len(args) == 0 {
		return fault.Usage(errors.New("no picture is given"), "give pictures or folders, such as illustrator cartoonize portrait.jpg --style comic")
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
		if fault.HintOf(err) == "" {
			err = fault.Hint(err, "give %s pictures, or a folder of them", pictures.Formats)
		}
		return err
	}
	if c.sheet != "" {
		return opts.styleSheet(ctx, c.sheet, paths)
	}
	if err := terminal.CheckOutputFolder(c.out); err != nil {
		return err
	}
	result, err := opts.cartoonize(ctx, c, style, paths)
	if err != nil {
		return err
	}
	if c.asJSON {
		err = jsonfile.Print(opts.stdout, result)
	} else {
		_, err = fmt.Fprintf(opts.stdout, "%d of %d pictures in %s, style %s\n", len(result.Pictures), len(paths), c.out, c.style)
	}
	if err == nil && len(result.Skipped) > 0 {
		err = fmt.Errorf("%d of %d pictures: %w", len(result.Pictures), len(paths), fault.ErrPartial)
	}
	return err
}

// cartoonized is what `illustrator cartoonize --json` prints.
type cartoonized struct {
	Style    string           `json:"style"`
	SHA256   string           `json:"sha256,omitempty"` // of a network
	Pictures []cartoonPicture `json:"pictures"`
	Skipped  []skippedPicture `json:"skipped"`
}

type cartoonPicture struct {
	Source string `json:"source"`
	File   string `json:"file"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

type skippedPicture struct {
	Source string `json:"source"`
	Error  string `json:"error"`
}

// cartoonize redraws picture files one by one: they may be more than memory holds.
func (o *globalOptions) cartoonize(ctx context.Context, c cartoonizeOptions, style *cartoon.Style, paths []string) (cartoonized, error) {
	result := cartoonized{Style: style.Name, SHA256: style.SHA256, Pictures: []cartoonPicture{}, Skipped: []skippedPicture{}}
	bar := o.NewProgress("Redrawing pictures", len(paths))
	defer bar.Done()
	names := map[string]int{}
	var last error
	for i, path := range paths {
		img, err := pictures.ReadImage(ctx, path)
		if err == nil {
			var drawn *image.NRGBA
			if drawn, err = style.Draw(ctx, img, c.scale); err == nil {
				if err := terminal.CreateFolder(c.out); err != nil {
					return result, err
				}
				file := filepath.Join(c.out, cartoonName(names, path, style.Name)+".png")
				if err := pictures.WritePNG(file, drawn, redrawnMeta(path, style)); err != nil {
					return result, err
				}
				result.Pictures = append(result.Pictures, cartoonPicture{path, file, drawn.Rect.Dx(), drawn.Rect.Dy()})
			}
		}
		if ctx.Err() != nil {
			return result, context.Cause(ctx)
		}
		if err != nil {
			if len(paths) == 1 {
				return result, err
			}
			last = err
			o.log.Warn("left out: " + err.Error())
			result.Skipped = append(result.Skipped, skippedPicture{path, err.Error()})
		}
		bar.Set(i+1, "")
	}
	if len(result.Pictures) == 0 {
		return result, fmt.Errorf("none of %d pictures could be redrawn; the last: %w", len(paths), last)
	}
	return result, nil
}

// cartoonName names a drawing after its picture and style. Pictures of one name, of several folders or kinds, get a number.
func cartoonName(names map[string]int, path, style string) string {
	base := func(p string) string { return strings.TrimSuffix(filepath.Base(p), filepath.Ext(p)) }
	name := base(path) + "-" + base(style)
	names[name]++
	if n := names[name]; n > 1 {
		return fmt.Sprintf("%s-%d", name, n)
	}
	return name
}

// redrawnMeta is the metadata of a drawing: its picture's, where that has any, and the style.
func redrawnMeta(path string, style *cartoon.Style) []pictures.Meta {
	var meta []pictures.Meta
	if strings.EqualFold(filepath.Ext(path), ".png") {
		meta, _ = pictures.ReadPNGMeta(path) // a picture without readable texts is redrawn all the same
	}
	return append(meta, append([]pictures.Meta{{Key: "Software", Value: version.Program()}, {Key: "Source", Value: filepath.Base(path)}}, draw.Cartoon{Style: style.Name, SHA256: style.SHA256}.Meta()...)...)
}

const (
	maxSheetPictures = 24
	sheetCell        = 192 // pixels of the longer side
)

// styleSheet writes a sheet with a row for each picture and a column for each style.
func (o *globalOptions) styleSheet(ctx context.Context, out string, paths []string) error {
	if err := terminal.CheckOutputFile(out, ".png"); err != nil {
		return err
	}
	if len(paths) > maxSheetPictures {
		return fault.Usage(fmt.Errorf("%d pictures for one sheet", len(paths)), "give at most %d", maxSheetPictures)
	}
	bar := o.NewProgress("Redrawing pictures", len(paths))
	defer bar.Done()
	styles := cartoon.Styles()
	var cells []image.Image
	for i, path := range paths {
		img, err := pictures.ReadImage(ctx, path)
		if err != nil {
			return err
		}
		size := img.Bounds().Size()
		longer := max(size.X, size.Y)
		size = image.Pt(max(1, size.X*sheetCell/longer), max(1, size.Y*sheetCell/longer))
		cells = append(cells, cartoon.Enlarged(img, size))
		for _, s := range styles {
			style, err := cartoon.Open(s.Name, nil)
			if err != nil {
				return err
			}
			drawn, err := style.DrawAt(ctx, img, size)
			if err != nil {
				return err
			}
			cells = append(cells, drawn)
		}
		bar.Set(i+1, "")
	}
	headers := []string{"as it is"}
	for _, s := range styles {
		headers = append(headers, s.Name)
	}
	sheet, err := pictures.Grid(cells, nil, len(headers), pictures.GridOptions{ColumnHeaders: headers, CellSize: sheetCell / 2, Scale: 2})
	if err != nil {
		return err
	}
	if err := pictures.WritePNG(out, sheet, []pictures.Meta{{Key: "Software", Value: version.Program()}}); err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.stdout, out)
	return err
}
