package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// promptsFile is the prompts' file in a run's folder.
const promptsFile = "prompts.safetensors"

func newPromptCommand(opts *globalOptions) *cobra.Command {
	var domain, pairs, images, text, out string
	cmd := &cobra.Command{
		Use:   "prompt",
		Short: "Compute the text prompt and the image prompt of a domain",
		Long: `The image prompt is the normalised mean of many CLIP image embeddings (eq. 4-7), of pairs or of pictures in a folder.
The text prompt is the embedding of a general description. Both are stored beside the domain's file.`,
		Example: `  illustrator prompt --pairs pairs.arrow --out prompts.safetensors
  illustrator prompt --domain cats.yaml --images photos/ --text "A Cat."`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (pairs == "") == (images == "") {
				return fault.Usage(fmt.Errorf("--pairs is %q and --images is %q", pairs, images), "give one of the two")
			}
			s, err := opts.openDomain(domain)
			if err != nil {
				return err
			}
			if out == "" {
				out = s.domain.PromptsPath()
			}
			if out == "" {
				return fault.Usage(fmt.Errorf("domain %s is embedded and cannot be written to", s.domain.Name), "give --out FILE, or the domain as a YAML file")
			}
			if text == "" {
				text = s.domain.TextPrompt
			}
			embeds, source, err := opts.promptEmbeds(cmd.Context(), s, pairs, images)
			if err != nil {
				return err
			}
			if _, err := s.writePrompts(cmd.Context(), out, text, embeds, source); err != nil {
				return err
			}
			_, err = fmt.Fprintln(opts.stdout, out)
			return err
		},
	}
	addDomainFlag(cmd, &domain)
	flags := cmd.Flags()
	flags.StringVar(&pairs, "pairs", "", "pairs file to take the image embeddings from")
	flags.StringVar(&images, "images", "", "folder of pictures to embed")
	flags.StringVar(&text, "text", "", "text prompt (default the domain's)")
	flags.StringVarP(&out, "out", "o", "", "file to write (default beside the domain's file)")
	return cmd
}

// promptEmbeds returns the image embeddings of pairs or of pictures, and a description of them.
func (o *globalOptions) promptEmbeds(ctx context.Context, s *session, pairsPath, images string) ([]float32, string, error) {
	if pairsPath != "" {
		pairs, err := data.ReadPairs(pairsPath)
		if err != nil {
			return nil, "", err
		}
		want := data.PairsMeta{CLIPSHA256: s.networks.Hashes["clip"], EmbedDim: s.networks.CLIP.ProjectionDim}
		if err := pairs.Check(want); err != nil {
			return nil, "", err
		}
		return pairs.ImageEmbeds, fmt.Sprintf("%d pairs of domain %s from seed %d", pairs.Len(), pairs.Meta.Domain, pairs.Meta.Seed), nil
	}
	paths, err := data.PicturePaths(images)
	if err != nil {
		return nil, "", err
	}
	embeds, err := o.embedPictures(ctx, s, paths)
	return embeds, fmt.Sprintf("%d pictures", len(paths)), err
}

// writePrompts computes both prompts and stores them.
func (s *session) writePrompts(ctx context.Context, path, text string, imageEmbeds []float32, source string) (data.Prompts, error) {
	image, err := data.ImagePrompt(imageEmbeds, s.networks.CLIP.ProjectionDim)
	if err != nil {
		return data.Prompts{}, err
	}
	embed, _, err := s.networks.EmbedTexts(ctx, []string{text})
	if err != nil {
		return data.Prompts{}, fmt.Errorf("text prompt: %w", err)
	}
	p := data.Prompts{
		Prompts:    pipeline.Prompts{Text: embed, Image: image},
		TextPrompt: text, Source: source, CLIPSHA256: s.networks.Hashes["clip"],
	}
	return p, data.WritePrompts(path, p)
}
