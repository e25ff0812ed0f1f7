package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/arrays"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

type renderOptions struct {
	domain, z, w, seeds, out string
	draw.Settings
}

func newRenderCommand(opts *globalOptions) *cobra.Command {
	var r renderOptions
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Render pictures from Z, W or seeds",
		Long: `Renders pictures of z [N,Z], of w [N,Z] or [N,L,Z] (one style a layer), or of seeds, and writes them as float32
[N,3,H,W] in about [-1,1] (.npy, or .safetensors as tensor "images"), or as PNGs into a folder. Arrays are read from
.npy, .npz or .safetensors files; of several arrays in a file, "z" or "w" is taken, or NAME of FILE:NAME.`,
		Example: `  illustrator render --seeds 0-7 --out pictures
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
	r.NoiseMode = stylegan2.NoiseConst
	addSynthesisFlags(cmd, &r.Settings)
	return cmd
}

// synthesisOf checks the flags of addSynthesisFlags.
func synthesisOf(s draw.Settings) (pipeline.Synthesis, error) {
	m, err := s.Synthesis()
	return pipeline.Synthesis{NoiseMode: m.NoiseMode, TruncationPsi: m.TruncationPsi}, asFlags(err, nil)
}

// renderAtOnce is the number of pictures that are rendered before they are written: few are held in memory.
const renderAtOnce = 32

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
	synthesis, err := synthesisOf(r.Settings)
	if err != nil {
		return err
	}
	check := terminal.CheckOutputFolder
	if arrays.IsPath(r.out) {
		check = func(path string) error { return terminal.CheckOutputFile(path) }
	}
	if err := check(r.out); err != nil {
		return err
	}
	s, err := opts.readDomain(r.domain)
	if err != nil {
		return err
	}
	from, err := r.read(s)
	if err != nil {
		return err
	}
	if err := opts.start(s); err != nil {
		return err
	}
	if arrays.IsPath(r.out) {
		err = r.writeArray(ctx, s, from, synthesis)
	} else {
		err = r.writePNGs(ctx, opts, s, from, synthesis)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(opts.stdout, r.out)
	return err
}

// origins are what pictures are rendered from: z [N,Z] or the styles of all layers [N,L,Z], and the noise key of each, its
// seed or its row.
type origins struct {
	z, styles []float32
	keys      []uint64
}

// read reads and checks what is to be rendered.
func (r renderOptions) read(s *session) (origins, error) {
	dim, layers := s.networks.Generator.StyleDim, s.networks.Generator.NumLayers()
	var from origins
	if r.seeds != "" {
		list, err := seeds.Parse(r.seeds)
		if err != nil {
			return from, fmt.Errorf("--%w", err)
		}
		for _, seed := range list {
			from.z = append(from.z, seeds.Z(seed, dim)...)
		}
		from.keys = list
		return from, nil
	}
	path, name := r.z, "z"
	if r.w != "" {
		path, name = r.w, "w"
	}
	a, err := readArray(path, name)
	if err != nil {
		return from, err
	}
	want := fmt.Sprintf("z of shape [N,%d]", dim)
	if r.w != "" {
		want = fmt.Sprintf("w of shape [N,%d] or [N,%d,%d]", dim, layers, dim)
	}
	flat := len(a.Shape) == 2 && a.Shape[1] == dim
	layered := r.w != "" && len(a.Shape) == 3 && a.Shape[1] == layers && a.Shape[2] == dim
	if len(a.Data) == 0 || !flat && !layered {
		return from, fault.Usage(fmt.Errorf("%s has shape %v", path, a.Shape), "domain %s takes %s, with at least one row", s.domain.Name, want)
	}
	for i := range a.Shape[0] {
		from.keys = append(from.keys, uint64(i))
	}
	switch {
	case r.z != "":
		from.z = a.Data
	case r.TruncationPsi != nil && *r.TruncationPsi != 1:
		return from, fault.Usage(fmt.Errorf("--truncation-psi %g with --w", *r.TruncationPsi), "truncate w yourself, or give --z")
	case layered:
		from.styles = a.Data
	default:
		for i := range from.keys {
			from.styles = append(from.styles, slices.Repeat(a.Data[i*dim:(i+1)*dim], layers)...)
		}
	}
	return from, nil
}

// render draws the pictures of rows [first,last).
func (from origins) render(ctx context.Context, s *session, first, last int, synthesis pipeline.Synthesis) (images []float32, err error) {
	dim := s.networks.Generator.StyleDim
	styles := from.styles
	if from.z != nil {
		if styles, err = s.networks.Styles(ctx, from.z[first*dim:last*dim], synthesis.TruncationPsi); err != nil {
			return nil, err
		}
	} else {
		width := s.networks.Generator.NumLayers() * dim
		styles = styles[first*width : last*width]
	}
	synthesis.Keys = from.keys[first:last]
	return s.networks.Render(ctx, styles, synthesis)
}

func (r renderOptions) writeArray(ctx context.Context, s *session, from origins, synthesis pipeline.Synthesis) error {
	images, err := from.render(ctx, s, 0, len(from.keys), synthesis)
	if err != nil {
		return err
	}
	size := s.networks.Generator.Size
	return arrays.Write(r.out, &arrays.Array{Name: "images", Shape: []int{len(from.keys), 3, size, size}, Data: images})
}

// writePNGs renders and writes few pictures at a time: all of them may be more than memory holds.
func (r renderOptions) writePNGs(ctx context.Context, opts *globalOptions, s *session, from origins, synthesis pipeline.Synthesis) error {
	if err := terminal.CreateFolder(r.out); err != nil {
		return err
	}
	name := "row"
	if r.seeds != "" {
		name = "seed"
	}
	bar := opts.NewProgress("Rendering pictures", len(from.keys))
	defer bar.Done()
	size := s.networks.Generator.Size
	for first := 0; first < len(from.keys); first += renderAtOnce {
		last := min(first+renderAtOnce, len(from.keys))
		images, err := from.render(ctx, s, first, last, synthesis)
		if err != nil {
			return err
		}
		drawings, err := pictures.Split(images, size, size)
		if err != nil {
			return err
		}
		for i, p := range drawings {
			key := from.keys[first+i]
			meta := []pictures.Meta{
				{Key: "Software", Value: version.Program()}, {Key: "Domain", Value: s.domain.Name},
				{Key: name, Value: fmt.Sprint(key)}, {Key: "generator-SHA256", Value: s.networks.Hashes["generator"]},
			}
			if err := pictures.WritePNG(filepath.Join(r.out, fmt.Sprintf("%s%04d.png", name, key)), p.Image(), meta); err != nil {
				return err
			}
		}
		bar.Set(last, "")
	}
	return nil
}
