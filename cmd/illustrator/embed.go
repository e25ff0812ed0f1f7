package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/data"
	"illustrator/internal/fault"
)

func newEmbedCommand(opts *globalOptions) *cobra.Command {
	var domain, texts, out string
	var images []string
	var strict bool
	cmd := &cobra.Command{
		Use:   "embed [TEXT...]",
		Short: "Embed texts or pictures with the domain's CLIP",
		Long: `Writes CLIP embeddings [N,E] as float32, normalised to length √E, to a .npy or .safetensors file (tensor
"text_embeds" or "image_embeds"). Texts come from the command line or from --texts: one a line, or a JSON list of
{"text", "attributes"}. --images takes picture files, folders, or an array [N,3,H,W] in [-1,1].`,
		Example: `  illustrator embed "a wizard with round glasses" --out e.npy
  illustrator embed --images pictures/ --out e.safetensors`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			given, err := readTextArguments(args, texts)
			if err != nil {
				return err
			}
			if (len(given) == 0) == (len(images) == 0) {
				return fault.Usage(fmt.Errorf("%d texts and %d --images are given", len(given), len(images)), "give texts or --images")
			}
			s, err := opts.openDomain(domain)
			if err != nil {
				return err
			}
			array := &data.Array{Name: "text_embeds"}
			if len(given) > 0 {
				array.Data, err = opts.embedTexts(cmd.Context(), s, given, strict)
			} else {
				array.Name = "image_embeds"
				array.Data, err = opts.embedImages(cmd.Context(), s, images)
			}
			if err != nil {
				return err
			}
			dim := s.networks.CLIP.ProjectionDim
			array.Shape = []int{len(array.Data) / dim, dim}
			if err := data.WriteArray(out, array); err != nil {
				return err
			}
			_, err = fmt.Fprintln(opts.stdout, out)
			return err
		},
	}
	addDomainFlag(cmd, &domain)
	flags := cmd.Flags()
	flags.StringVar(&texts, "texts", "", "file of texts")
	flags.StringSliceVar(&images, "images", nil, "pictures, folders of pictures, or an array file")
	flags.StringVarP(&out, "out", "o", "", ".npy or .safetensors file to write (required)")
	addStrictFlag(cmd, &strict)
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func addStrictFlag(cmd *cobra.Command, strict *bool) {
	cmd.Flags().BoolVar(strict, "strict-length", false, "refuse a text that is longer than CLIP's context instead of cutting it at a word")
}

// readTextArguments joins the texts of the command line with those of a file.
func readTextArguments(args []string, path string) ([]data.Text, error) {
	var texts []data.Text
	for _, arg := range args {
		texts = append(texts, data.Text{Text: arg})
	}
	if path == "" {
		return texts, nil
	}
	more, err := data.ReadTexts(path)
	return append(texts, more...), err
}

// embedTexts embeds texts and warns of what did not fit, or refuses it.
func (o *globalOptions) embedTexts(ctx context.Context, s *session, texts []data.Text, strict bool) ([]float32, error) {
	plain := make([]string, len(texts))
	for i, t := range texts {
		plain[i] = t.Text
	}
	embeds, lost, err := s.networks.EmbedTexts(ctx, plain)
	if err != nil {
		return nil, err
	}
	for _, l := range lost {
		if strict {
			return nil, fault.Usage(fmt.Errorf("text %d does not fit into CLIP's %d tokens: %q is too much", l.Text+1, s.networks.Tokenizer.Context(), l.End),
				"shorten it, or leave --strict-length out to have it cut")
		}
		o.log.Warn("text cut to CLIP's context", "text", l.Text+1, "lost", l.End)
	}
	return embeds, nil
}

// embedImages embeds an array of pictures, or picture files and folders.
func (o *globalOptions) embedImages(ctx context.Context, s *session, sources []string) ([]float32, error) {
	if len(sources) == 1 && data.IsArrayPath(sources[0]) {
		a, err := data.ReadArray(sources[0], "")
		if err != nil {
			return nil, err
		}
		if len(a.Shape) != 4 || a.Shape[1] != 3 {
			return nil, fault.Usage(fmt.Errorf("%s has shape %v", sources[0], a.Shape), "pictures are [N,3,H,W] in [-1,1]")
		}
		return s.networks.EmbedImages(ctx, a.Data, a.Shape[2], a.Shape[3])
	}
	paths, err := data.PicturePaths(sources...)
	if err != nil {
		return nil, err
	}
	return o.embedPictures(ctx, s, paths)
}

// embedPictures embeds picture files one by one: they may differ in size and be more than memory holds.
func (o *globalOptions) embedPictures(ctx context.Context, s *session, paths []string) ([]float32, error) {
	bar := o.newProgress("Embedding pictures", len(paths))
	defer bar.Done()
	var embeds []float32
	for i, path := range paths {
		p, err := data.ReadPicture(path)
		if err != nil {
			return nil, err
		}
		e, err := s.networks.EmbedImages(ctx, p.Pixels, p.Height, p.Width)
		if err != nil {
			return nil, fmt.Errorf("embed %q: %w", path, err)
		}
		embeds = append(embeds, e...)
		bar.Set(i+1, "")
	}
	return embeds, nil
}
