package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/arrays"
	"illustrator/data/embeddings"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/train/runs"
)

type embedOptions struct {
	mapperOptions
	project                bool
	alpha                  float64
	domain, textsFile, out string
	images                 []string
	strict, pad            bool
}

func newEmbedCommand(opts *terminal.Options) *cobra.Command {
	var e embedOptions
	cmd := &cobra.Command{
		Use:   "embed [TEXT...]",
		Short: "Embed texts or pictures with the domain's CLIP",
		Long: `Writes CLIP embeddings [N,E] as float32, normalised to length √E, to a .npy or .safetensors file (tensor
"text_embeds" or "image_embeds"). Texts come from the command line or from --texts: one a line, or a .json, .jsonl,
.csv or .tsv file. --images takes picture files, folders, or an array [N,3,H,W] in [-1,1]. Picture files are resized
and cropped as the CLIP's preprocessor_config.json says; an array of another size than CLIP's goes through the area
filter that generated pictures go through. Files that cannot be read are left out, and have no row (exit code 3).

--project moves the texts' embeddings to those of pictures by the prompt projection (eq. 3), with the prompts of
--run, --prompts or the domain, and writes what the mapper takes (tensor "projected_embeds").`,
		Example: `  illustrator embed "a wizard with round glasses" --out e.npy
  illustrator embed --images examples/photos --out e.safetensors
  illustrator embed "a wizard" --project --alpha 1.75 --run examples/runs/first --out projected.npy`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.check(cmd, opts); err != nil {
				return err
			}
			return runEmbed(cmd.Context(), opts, e, args)
		},
	}
	addDomainFlag(cmd, &e.domain)
	flags := cmd.Flags()
	flags.StringVar(&e.textsFile, "texts", "", "file of texts")
	flags.StringArrayVar(&e.images, "images", nil,
		"`path` of pictures, folders of pictures, or an array file; may be repeated")
	flags.StringVarP(&e.out, "out", "o", "", ".npy or .safetensors file to write (required)")
	flags.BoolVar(&e.project, "project", false, "write the texts' embeddings after eq. 3")
	flags.Float64Var(&e.alpha, "alpha", 0, "distinctiveness of the prompt projection, eq. 3 (default the domain's)")
	flags.StringVar(&e.run, "run", "", "folder of a run whose prompts --project takes")
	flags.StringVar(&e.prompts, "prompts", "",
		"file of prompts, or an image prompt of the official release (default the run's, else the domain's)")
	addStrictFlag(cmd, &e.strict)
	addPadFlag(cmd, &e.pad)
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// check refuses flags of --project without it, and takes the run's domain.
func (e *embedOptions) check(cmd *cobra.Command, opts *terminal.Options) (err error) {
	for _, flag := range []string{"alpha", "run", "prompts"} {
		if cmd.Flags().Changed(flag) && !e.project {
			return fault.Usage(fmt.Errorf("--%s is given without --project", flag),
				"give --project, or leave --%s out", flag)
		}
	}
	if e.project && len(e.images) > 0 {
		return fault.Usage(fmt.Errorf("--project and --images are given"),
			"eq. 3 moves embeddings of texts: give texts")
	}
	if cmd.Flags().Changed("alpha") && !(e.alpha >= 0 && e.alpha <= draw.MaxAlpha) {
		return fault.Field("--alpha", e.alpha, "from 0 to %d", draw.MaxAlpha)
	}
	if e.domain, err = e.domainOf(cmd, opts, e.domain); err != nil {
		return err
	}
	if !cmd.Flags().Changed("alpha") {
		e.alpha = -1 // the domain's
	}
	return nil
}

func runEmbed(ctx context.Context, opts *terminal.Options, e embedOptions, args []string) error {
	texts, err := texts.Gather(args, e.textsFile)
	if err != nil {
		return err
	}
	warnOfSettings(opts, texts)
	if len(texts) > 0 && len(e.images) > 0 {
		return fault.Usage(fmt.Errorf("texts are given and --images too"), "give one of them")
	}
	if len(texts) == 0 && len(e.images) == 0 {
		return fault.Usage(fmt.Errorf("no text is given"), "give texts, --texts FILE or --images FOLDER")
	}
	if err := terminal.CheckOutputFile(e.out, ".npy", ".safetensors"); err != nil {
		return err
	}
	s, err := readDomain(opts, e.domain)
	if err != nil {
		return err
	}
	s.networks.Preprocessor.Pad = e.pad
	var skipped []pictures.Skipped
	array := &arrays.Array{Name: "image_embeds"}
	if len(texts) > 0 {
		array.Name = "text_embeds"
		array.Data, err = embedTexts(ctx, opts, s, texts, e.strict)
		if err == nil && e.project {
			array.Name = "projected_embeds"
			array.Data, err = e.projectTexts(ctx, s, array.Data)
		}
	} else {
		array.Data, skipped, err = embeddings.Sources(ctx, opts.Env(), s.networks, e.images...)
	}
	if err != nil {
		return err
	}
	dim := s.networks.CLIP.ProjectionDim
	array.Shape = []int{len(array.Data) / dim, dim}
	if err := arrays.Write(e.out, array); err != nil {
		return err
	}
	if err := opts.Println(e.out); err != nil {
		return err
	}
	return pictures.Partial(array.Shape[0], skipped)
}

// projectTexts moves text embeddings by eq. 3.
func (e embedOptions) projectTexts(ctx context.Context, s *session, embeds []float32) ([]float32, error) {
	prompts, err := runs.OpenPrompts(ctx, s.domain, s.networks,
		runs.Choice{Run: e.run, Prompts: e.prompts, Start: s.start})
	if err != nil {
		return nil, err
	}
	if e.alpha < 0 {
		e.alpha = s.domain.Alpha
	}
	return s.networks.Project(ctx, embeds, prompts.Prompts, e.alpha)
}

func addPadFlag(cmd *cobra.Command, pad *bool) {
	cmd.Flags().BoolVar(pad, "pad", false,
		"pad picture files that are not square with white instead of cropping their middle")
}

func addStrictFlag(cmd *cobra.Command, strict *bool) {
	cmd.Flags().BoolVar(strict, "strict-length", false,
		"refuse a text that is longer than CLIP's context instead of cutting it at a word")
}

// warnOfSettings says that settings of texts are not used.
func warnOfSettings(opts *terminal.Options, of []texts.Text) {
	if slices.ContainsFunc(of, func(t texts.Text) bool { return t.Seed != nil || t.Alpha != nil || t.Style != "" }) {
		opts.Log.Warn("seed, alpha and style of texts are not used here: `illustrator generate` uses them")
	}
}

// checkLengths tokenizes texts for the CLIP of n. It warns of what does not fit into CLIP's context, or refuses it.
func checkLengths(opts *terminal.Options, n *pipeline.Networks, of []texts.Text, strict bool) (pipeline.Tokens, error) {
	tokens, err := n.Tokenize(texts.Strings(of))
	if err != nil {
		return nil, err
	}
	cut := tokens.Cut()
	if strict && len(cut) > 0 {
		return nil, fault.Usage(fmt.Errorf("text %d does not fit into CLIP's %d tokens: %q is too much", cut[0].Text+1,
			n.Tokenizer.Context(), cut[0].End), "shorten it, or leave --strict-length out to have it cut")
	}
	opts.Env().WarnCut(n, cut)
	return tokens, nil
}

// embedTexts embeds texts after checkLengths.
func embedTexts(ctx context.Context, opts *terminal.Options, s *session, of []texts.Text,
	strict bool) ([]float32, error) {
	tokens, err := checkLengths(opts, s.networks, of, strict)
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	return s.networks.EmbedTokens(ctx, tokens)
}
