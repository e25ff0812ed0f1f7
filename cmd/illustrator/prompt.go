package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/train/runs"
)

type promptOptions struct {
	domain, pairs, images, text, out string
	pad                              bool
}

func newPromptCommand(opts *terminal.Options) *cobra.Command {
	var p promptOptions
	cmd := &cobra.Command{
		Use:   "prompt",
		Short: "Compute the text prompt and the image prompt of a domain",
		Long: `The image prompt is the normalised mean of many CLIP image embeddings (eq. 4-7), of pairs or of pictures in a
folder. The text prompt is the embedding of a general description. Both are stored beside the domain's file. Pictures
that cannot be read are left out and listed (exit code 3).`,
		Example: `  illustrator prompt --pairs examples/pairs --out prompts.safetensors
  illustrator prompt --domain examples/tiny/tiny.yaml --images examples/photos --text "A cat." --out cat.safetensors`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPrompt(cmd, opts, p) },
	}
	addDomainFlag(cmd, &p.domain)
	flags := cmd.Flags()
	flags.StringVar(&p.pairs, "pairs", "", "folder of pairs to take the image embeddings from")
	flags.StringVar(&p.images, "images", "", "folder of pictures to embed")
	addPadFlag(cmd, &p.pad)
	flags.StringVar(&p.text, "text", "", "text prompt (default the domain's)")
	flags.StringVarP(&p.out, "out", "o", "", ".safetensors file to write (default beside the domain's file)")
	return cmd
}

func runPrompt(cmd *cobra.Command, opts *terminal.Options, p promptOptions) error {
	if (p.pairs == "") == (p.images == "") {
		return fault.Usage(fmt.Errorf("--pairs is %q and --images is %q", p.pairs, p.images), "give one of the two")
	}
	s, err := readDomain(opts, p.domain)
	if err != nil {
		return err
	}
	s.networks.Preprocessor.Pad = p.pad
	if p.out == "" {
		p.out = s.domain.PromptsPath()
	}
	if p.out == "" {
		return fault.Usage(fmt.Errorf("domain %s is embedded and cannot be written to", s.domain.Name),
			"give --out FILE, or the domain as a YAML file")
	}
	if err := terminal.CheckOutputFile(p.out, ".safetensors"); err != nil {
		return err
	}
	if !cmd.Flags().Changed("text") {
		p.text = s.domain.TextPrompt
	}
	text, err := texts.New(p.text)
	if err != nil {
		return fmt.Errorf("--text %q: %w", p.text, err)
	}
	prompt := runs.PairsPrompt
	if p.images != "" {
		prompt = runs.PicturesPrompt
	}
	image, err := prompt(cmd.Context(), opts.Env(), s.networks, cmp.Or(p.pairs, p.images))
	if err != nil {
		return err
	}
	if err := runs.WritePrompts(cmd.Context(), opts.Env(), s.networks, p.out, text.Text, image); err != nil {
		return err
	}
	if err := opts.Println(p.out); err != nil {
		return err
	}
	return image.Partial
}
