package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/data/arrays"
	"illustrator/data/seeds"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

type renderOptions struct {
	domain, z, w, seeds, out string
	mixZ                     string
	inject                   int
	draw.Settings
}

func newRenderCommand(opts *terminal.Options) *cobra.Command {
	var r renderOptions
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Render pictures from Z, W or seeds",
		Long: `Renders pictures of z [N,Z], of w [N,Z] or [N,L,Z] (one style a layer), or of seeds, and writes them as float32
[N,3,H,W] in about [-1,1] (.npy, or .safetensors as tensor "images"), or as PNGs into a folder. Arrays are read from
.npy, .npz or .safetensors files; of several arrays in a file, "z" or "w" is taken, or NAME of FILE:NAME.

--mix-z takes the styles of the layers below --inject-index from z of its own: one row for all pictures, or one for
each.`,
		Example: `  illustrator render --seeds 0-7 --out pictures
  illustrator render --domain lorelei --z examples/z.npy --noise-mode const --out pictures.npy
  illustrator render --z examples/z.npy --mix-z examples/other-z.npy --inject-index 2 --out mixed`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRender(cmd.Context(), opts, r) },
	}
	addDomainFlag(cmd, &r.domain)
	flags := cmd.Flags()
	flags.StringVar(&r.z, "z", "", "array file of z")
	flags.StringVar(&r.w, "w", "", "array file of w")
	flags.StringVar(&r.seeds, "seeds", "", "seeds, such as 0,1,4-6")
	flags.StringVar(&r.mixZ, "mix-z", "", "array file of z that the first layers take their styles from")
	flags.IntVar(&r.inject, "inject-index", draw.DefaultInject, "number of first layers that take the styles of --mix-z")
	flags.StringVarP(&r.out, "out", "o", "pictures", ".npy or .safetensors file, or a folder for PNGs")
	r.NoiseMode = stylegan2.NoiseConst
	addSynthesisFlags(cmd, &r.Settings)
	return cmd
}

// synthesisOf checks the flags of addSynthesisFlags.
func synthesisOf(s draw.Settings) (pipeline.Synthesis, error) {
	m, err := s.Synthesis()
	return pipeline.Synthesis{NoiseMode: m.NoiseMode, TruncationPsi: m.TruncationPsi}, hints.AsFlags(err)
}

func runRender(ctx context.Context, opts *terminal.Options, r renderOptions) error {
	given := 0
	for _, source := range []string{r.z, r.w, r.seeds} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		return fault.Usage(fmt.Errorf("%d of --z, --w and --seeds are given", given), "give one of them")
	}
	synthesis, err := synthesisOf(r.Settings)
	if err != nil {
		return err
	}
	if arrays.IsPath(r.out) {
		err = terminal.CheckOutputFile(r.out)
	} else {
		err = terminal.CheckOutputFolder(r.out, ".npy", ".safetensors")
	}
	if err != nil {
		return err
	}
	s, err := readDomain(opts, r.domain)
	if err != nil {
		return err
	}
	from, name, err := r.read(s.model())
	if err == nil {
		from, err = r.mix(s.model(), from)
	}
	if err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	if arrays.IsPath(r.out) {
		err = from.WriteArray(ctx, s.networks, r.out, synthesis)
	} else {
		err = from.WriteFiles(ctx, s.env, s.model(), r.out, name, synthesis)
	}
	if err != nil {
		return err
	}
	return opts.Println(r.out)
}

// read reads and checks what is to be rendered; name is that of a row.
func (r renderOptions) read(m draw.Model) (from draw.Latents, name string, err error) {
	switch {
	case r.seeds != "":
		list, err := seeds.Parse(r.seeds)
		if err != nil {
			return from, "", fmt.Errorf("--%w", err)
		}
		return draw.SeedLatents(m.Networks, list), "seed", nil
	case r.z != "":
		from, err = m.ReadZ(r.z)
	default:
		from, err = m.ReadW(r.w)
		if err == nil && r.TruncationPsi != nil && *r.TruncationPsi != 1 {
			err = fault.Usage(fmt.Errorf("--truncation-psi %g with --w", *r.TruncationPsi),
				"truncate w yourself, or give --z")
		}
	}
	return from, "row", err
}

// mix has the first layers take the styles of --mix-z.
func (r renderOptions) mix(m draw.Model, from draw.Latents) (draw.Latents, error) {
	if r.mixZ != "" {
		mixed, err := m.Mix(from, r.mixZ, r.inject)
		return mixed, hints.AsFlags(err)
	}
	if r.inject != draw.DefaultInject {
		return from, fault.Usage(fmt.Errorf("--inject-index is %d", r.inject),
			"give --mix-z, the array that the first layers take their styles from")
	}
	return from, nil
}
