package main

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

type interpolateOptions struct {
	originOptions
	steps int
	fps   float64
	out   string
	begin []origin // of both ends
}

// maxSteps is how many pictures an interpolation has at most: they are held in memory.
const maxSteps = 1000

func newInterpolateCommand(opts *terminal.Options) *cobra.Command {
	var p interpolateOptions
	cmd := &cobra.Command{
		Use:   "interpolate A B",
		Short: "Go from one picture to another",
		Long: `Draws pictures at equal distances on the straight line in W from A to B, both included. Each is a text, seed:N (the
picture of illustrator render --seeds N), or a picture file, whose CLIP embedding is mapped to z: the picture drawn is like it.

--out takes a strip (.png), an animation (.gif or .apng), or a folder, which gets single pictures and strip.png. What was
drawn is in the metadata, but for GIF, and in a JSON file beside it.`,
		Example: `  illustrator interpolate "a wizard with a white beard" "a girl with pink hair" --out strip.png
  illustrator interpolate seed:3 portrait.png --steps 24 --out way.apng`,
		Args: terminal.ExactArgs(2, "both ends, such as seed:1 seed:2"),
		RunE: func(cmd *cobra.Command, args []string) error { return runInterpolate(cmd, opts, p, args) },
	}
	p.addFlags(cmd, "alpha")
	flags := cmd.Flags()
	flags.IntVar(&p.steps, "steps", 8, "pictures, both ends included")
	flags.Float64Var(&p.fps, "fps", 8, "pictures a second of an animation")
	flags.StringVarP(&p.out, "out", "o", "interpolation", ".png, .gif or .apng file, or a folder")
	return cmd
}

func runInterpolate(cmd *cobra.Command, opts *terminal.Options, p interpolateOptions, args []string) error {
	if p.steps < 2 || p.steps > maxSteps {
		return fault.Field("--steps", p.steps, "from 2 to %d, both ends included", maxSteps)
	}
	if !(p.fps >= 0.1 && p.fps <= 50) {
		return fault.Field("--fps", p.fps, "from 0.1 to 50")
	}
	for i, arg := range args {
		o, err := readOrigin(cmd.Context(), []string{"A", "B"}[i], arg)
		if err != nil {
			return err
		}
		p.begin = append(p.begin, o)
	}
	if err := p.checkOut(); err != nil {
		return err
	}
	a, err := p.open(cmd, opts, "alpha")
	if err != nil {
		return err
	}
	return a.interpolate(cmd.Context(), p)
}

func (p interpolateOptions) checkOut() error {
	switch ext := strings.ToLower(filepath.Ext(p.out)); {
	case p.isFile(), ext == ".jpg", ext == ".jpeg", ext == ".webp", ext == ".mp4", ext == ".webm":
		return terminal.CheckOutputFile(p.out, append([]string{".png"}, pictures.AnimationExtensions...)...)
	}
	return terminal.CheckOutputFolder(p.out)
}

// isFile reports whether one file is written, not a folder.
func (p interpolateOptions) isFile() bool {
	ext := strings.ToLower(filepath.Ext(p.out))
	return ext == ".png" || slices.Contains(pictures.AnimationExtensions, ext)
}

func (a *retoucher) interpolate(ctx context.Context, p interpolateOptions) error {
	if err := a.start(textsOf(p.begin...)); err != nil {
		return err
	}
	var way draw.Way
	for i, end := range []*draw.Recipe{&way.From, &way.To} {
		r, err := a.Begin(ctx, p.begin[i].Source, a.manner)
		if err != nil {
			return err
		}
		*end = r
	}
	drawn, err := a.Draw(ctx, way.Steps(p.steps, 0)...)
	if err != nil {
		return err
	}
	frames, err := a.images(ctx, drawn)
	if err != nil {
		return err
	}
	if err := a.writeInterpolation(p, frames); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.opts.Stdout, p.out)
	return err
}

// interpolationInfo is the JSON beside an interpolation.
type interpolationInfo struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	Steps int      `json:"steps"`
	Alpha *float64 `json:"alpha"` // of texts; null without projection
	drawnBy
	Files []string `json:"files"`
}

func (a *retoucher) writeInterpolation(p interpolateOptions, frames []image.Image) error {
	from, to := p.begin[0].name, p.begin[1].name
	info := interpolationInfo{
		From: from, To: to, Steps: p.steps, Alpha: a.projectionAlpha(), drawnBy: a.drawnBy(), Files: []string{filepath.Base(p.out)},
	}
	meta := a.meta(from+" → "+to, pictures.Meta{Key: "Steps", Value: fmt.Sprint(p.steps)})
	strip, besides := p.out, strings.TrimSuffix(p.out, filepath.Ext(p.out))+".json"
	switch ext := strings.ToLower(filepath.Ext(p.out)); {
	case slices.Contains(pictures.AnimationExtensions, ext):
		if err := pictures.WriteAnimation(p.out, frames, time.Duration(float64(time.Second)/p.fps), meta); err != nil {
			return err
		}
		return jsonfile.Write(besides, info)
	case !p.isFile():
		if err := terminal.CreateFolder(p.out); err != nil {
			return err
		}
		strip, besides, info.Files = filepath.Join(p.out, "strip.png"), filepath.Join(p.out, "interpolation.json"), []string{"strip.png"}
		for i, frame := range frames {
			name := fmt.Sprintf("step%04d.png", i)
			if err := pictures.WritePNG(filepath.Join(p.out, name), frame, meta); err != nil {
				return err
			}
			info.Files = append(info.Files, name)
		}
	}
	labels := make([]string, len(frames))
	labels[0], labels[len(labels)-1] = from, to
	sheet, err := pictures.Strip(frames, labels, nil)
	if err != nil {
		return err
	}
	if err := pictures.WritePNG(strip, sheet, meta); err != nil {
		return err
	}
	return jsonfile.Write(besides, info)
}
