package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/models/convert"
)

func newConvertCommand(opts *globalOptions) *cobra.Command {
	var options convert.Options
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "convert FILE|FOLDER",
		Short: "Turn pretrained weights into a folder that domains can name",
		Long: `Recognises StyleGAN2 in rosinality's (.pt) and mmgen's (.pth) layouts, CLIP in Hugging Face's layout (a folder),
released projectors (.pth) and attribute classifiers, and writes config.json, model.safetensors and a manifest with
their SHA-256. Pickles are parsed, never executed.`,
		Example: `  illustrator convert stylegan2-cat-config-f.pth --out weights/cat
  illustrator convert clip-vit-base-patch32/ --out weights/clip`,
		Args: exactArgs(1, "the file or folder to convert"),
		RunE: func(_ *cobra.Command, args []string) error {
			report, err := convert.Convert(args[0], out, options)
			if err != nil {
				return fmt.Errorf("convert %q: %w", args[0], err)
			}
			if asJSON {
				return printJSON(opts.stdout, report)
			}
			_, err = fmt.Fprintln(opts.stdout, report)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "out", "o", "", "folder to write (required)")
	flags.StringVar(&options.Attributes, "attributes", "", "JSON file that names a classifier's attributes and their values")
	flags.BoolVar(&options.Replace, "replace", false, "replace a folder that holds another network")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}
