package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/draw/edit"
	"illustrator/internal/fault"
)

type interpolateOptions struct {
	originOptions
	steps int
	fps   float64
	out   string
}

// maxSteps limits the pictures of an interpolation: they are held in memory.
const maxSteps = 1000

func newInterpolateCommand(opts *terminal.Options) *cobra.Command {
	var p interpolateOptions
	cmd := &cobra.Command{
		Use:   "interpolate A B",
		Short: "Go from one picture to another",
		Long: `Draws pictures at equal distances on the straight line in W from A to B, both included. Each is a text,
seed:N (the picture of illustrator render --seeds N), or a picture file, whose CLIP embedding is mapped to z: the
picture drawn is like it.

--out takes a strip (.png), an animation (.gif or .apng), or a folder, which gets single pictures and strip.png. What
was drawn is in the metadata, but for GIF, and in a JSON file beside it. A warning names a text that lies far from the
domain's descriptions.`,
		Example: `  illustrator interpolate "a wizard with a white beard" "a girl with a flower" --out strip.png
  illustrator interpolate seed:3 examples/picture.png --steps 24 --out way.apng`,
		Args: terminal.ExactArgs(2, "both ends, such as seed:1 seed:2"),
		RunE: func(cmd *cobra.Command, args []string) error { return runInterpolate(cmd, opts, p, args) },
	}
	p.addFlags(cmd)
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
	var ends [2]draw.Source
	for i, arg := range args {
		var err error
		if ends[i], err = edit.ReadSource(cmd.Context(), arg); err != nil {
			return fmt.Errorf("%s: %w", []string{"A", "B"}[i], err)
		}
	}
	if err := p.checkOut(); err != nil {
		return err
	}
	a, err := p.open(cmd, opts)
	if err != nil {
		return err
	}
	way := edit.Way{From: args[0], To: args[1], Steps: p.steps, PerSecond: p.fps, Out: p.out}
	if way.Far, err = a.start(ends[0].Text, ends[1].Text); err != nil {
		return err
	}
	if err := a.Interpolate(cmd.Context(), way, ends[0], ends[1]); err != nil {
		return err
	}
	return opts.Println(p.out)
}

func (p interpolateOptions) checkOut() error {
	if edit.IsFile(p.out) {
		return terminal.CheckOutputFile(p.out)
	}
	return terminal.CheckOutputFolder(p.out, append([]string{".png"}, pictures.AnimationExtensions...)...)
}
