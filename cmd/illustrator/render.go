package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

type renderOptions struct {
	domain, z, w, seeds, noiseMode, out string
	truncationPsi                       float64
}

func newRenderCommand(opts *globalOptions) *cobra.Command {
	var r renderOptions
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Render pictures from Z, W or seeds",
		Long: `Renders pictures of z [N,Z], of w [N,Z] or [N,L,Z] (one style a layer), or of seeds, and writes them as float32
[N,3,H,W] in about [-1,1] (.npy, or .safetensors as tensor "images"), or as PNGs into a folder. Arrays are read from
.npy or .safetensors files.`,
		Example: `  illustrator render --seeds 0-7 --out pictures/
  illustrator render --domain lorelei --z z.npy --noise-mode const --out pictures.npy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRender(cmd.Context(), opts, r) },
	}
	addDomainFlag(cmd, &r.domain)
	flags := cmd.Flags()
	flags.StringVar(&r.z, "z", "", "array file of z")
	flags.StringVar(&r.w, "w", "", "array file of w")
	flags.StringVar(&r.seeds, "seeds", "", "seeds, such as 0,1,4-6")
	flags.StringVarP(&r.out, "out", "o", "pictures", ".npy or .safetensors file, or a folder for PNGs")
	addSynthesisFlags(cmd, &r.noiseMode, &r.truncationPsi, stylegan2.NoiseConst)
	return cmd
}

func addSynthesisFlags(cmd *cobra.Command, noiseMode *string, psi *float64, mode stylegan2.NoiseMode) {
	cmd.Flags().StringVar(noiseMode, "noise-mode", string(mode), "the generator's noise: const, random or none")
	cmd.Flags().Float64Var(psi, "truncation-psi", 1, "pull W towards its mean: 1 is no truncation, 0 the mean picture")
}

// parseSynthesis checks the flags of addSynthesisFlags.
func parseSynthesis(noiseMode string, psi float64) (pipeline.Synthesis, error) {
	mode, err := stylegan2.ParseNoiseMode(noiseMode)
	if err != nil {
		return pipeline.Synthesis{}, err
	}
	if !(psi >= -2 && psi <= 2) {
		return pipeline.Synthesis{}, fault.Usage(fmt.Errorf("--truncation-psi is %g", psi), "--truncation-psi must be from -2 to 2; 1 is no truncation")
	}
	return pipeline.Synthesis{NoiseMode: mode, TruncationPsi: psi}, nil
}

func runRender(ctx context.Context, opts *globalOptions, r renderOptions) error {
	given := 0
	for _, source := range []string{r.z, r.w, r.seeds} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		return fault.Usage(fmt.Errorf("%d of --z, --w and --seeds are given", given), "give one of them")
	}
	synthesis, err := parseSynthesis(r.noiseMode, r.truncationPsi)
	if err != nil {
		return err
	}
	s, err := opts.openDomain(r.domain)
	if err != nil {
		return err
	}
	styles, keys, err := r.styles(ctx, s)
	if err != nil {
		return err
	}
	synthesis.Keys = keys
	images, err := s.networks.Render(ctx, styles, synthesis)
	if err != nil {
		return err
	}
	size := s.networks.Generator.Size
	if data.IsArrayPath(r.out) {
		err = data.WriteArray(r.out, &data.Array{Name: "images", Shape: []int{len(keys), 3, size, size}, Data: images})
	} else {
		err = r.writePNGs(s, images, keys)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(opts.stdout, r.out)
	return err
}

// styles returns the styles [N,L,Z] that are asked for, and a noise key for each: its seed, or its row.
func (r renderOptions) styles(ctx context.Context, s *session) (styles []float32, keys []uint64, err error) {
	layers, dim := s.networks.Generator.NumLayers(), s.networks.Generator.StyleDim
	if r.seeds != "" {
		if keys, err = data.ParseSeeds(r.seeds); err != nil {
			return nil, nil, err
		}
		var z []float32
		for _, seed := range keys {
			z = append(z, data.Z(seed, dim)...)
		}
		styles, err = s.networks.Styles(ctx, z, r.truncationPsi)
		return styles, keys, err
	}
	path := r.z + r.w
	a, err := data.ReadArray(path, "")
	if err != nil {
		return nil, nil, err
	}
	bad := func(want string) error {
		return fault.Usage(fmt.Errorf("%s has shape %v", path, a.Shape), "domain %s takes %s", s.domain.Name, want)
	}
	rows := 0
	if len(a.Shape) > 0 {
		rows = a.Shape[0]
	}
	for i := range rows {
		keys = append(keys, uint64(i))
	}
	flat := len(a.Shape) == 2 && a.Shape[1] == dim
	switch {
	case rows == 0:
		return nil, nil, bad("at least one row")
	case r.z != "" && !flat:
		return nil, nil, bad(fmt.Sprintf("z of shape [N,%d]", dim))
	case r.z != "":
		styles, err = s.networks.Styles(ctx, a.Data, r.truncationPsi)
		return styles, keys, err
	case r.truncationPsi != 1:
		return nil, nil, fault.Usage(fmt.Errorf("--truncation-psi %g with --w", r.truncationPsi), "truncate w yourself, or give --z")
	case flat:
		for i := range rows {
			for range layers {
				styles = append(styles, a.Data[i*dim:(i+1)*dim]...)
			}
		}
		return styles, keys, nil
	case len(a.Shape) == 3 && a.Shape[1] == layers && a.Shape[2] == dim:
		return a.Data, keys, nil
	}
	return nil, nil, bad(fmt.Sprintf("w of shape [N,%d] or [N,%d,%d]", dim, layers, dim))
}

func (r renderOptions) writePNGs(s *session, images []float32, keys []uint64) error {
	if err := createFolder(r.out); err != nil {
		return err
	}
	size := s.networks.Generator.Size
	pictures, err := data.SplitPictures(images, size, size)
	if err != nil {
		return err
	}
	name := "row"
	if r.seeds != "" {
		name = "seed"
	}
	for i, p := range pictures {
		meta := []data.Meta{
			{Key: "Software", Value: createdBy()}, {Key: "Domain", Value: s.domain.Name},
			{Key: name, Value: fmt.Sprint(keys[i])}, {Key: "Generator-SHA256", Value: s.networks.Hashes["generator"]},
		}
		if err := data.WritePNG(filepath.Join(r.out, fmt.Sprintf("%s%04d.png", name, keys[i])), p.Image(), meta); err != nil {
			return err
		}
	}
	return nil
}
