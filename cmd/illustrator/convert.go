package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/models/convert"
	"illustrator/models/stylegan2"
)

const convertLong = `Recognises by their contents: StyleGAN2 in rosinality's (.pt), mmgen's (.pth) and NVIDIA's (.pkl of
ada-pytorch and stylegan3) layouts; CLIP in Hugging Face's and OpenCLIP's layouts (a folder) and OpenAI's (.pt);
released projectors (.pth); attribute classifiers; the Inception-v3 of FID (pytorch-fid's file); torchvision's AlexNet
and VGG16 for LPIPS (its linear layers are added). OpenAI's ViT-B-32.pt needs --vocabulary bpe_simple_vocab_16e6.txt.gz.
Writes config.json, model.safetensors and a manifest with their SHA-256. Files of PyTorch, of before version 1.6 too,
and safetensors files are read, in one piece or several. Pickles are parsed, never executed.

With --to onnx, writes the mapper in a folder of a run or a domain as an ONNX file, for ONNX Runtime and others: in
evaluation mode, for any batch, from CLIP image embeddings of length √E (image_embeds [batch, E]) to z [batch, Z].
With --to pytorch, writes it as a PyTorch file: the state dict of the official release's projectors.`

func newConvertCommand(opts *terminal.Options) *cobra.Command {
	var options convert.Options
	var out string
	var asJSON bool
	var to string
	cmd := &cobra.Command{
		Use:   "convert FILE|FOLDER",
		Short: "Turn pretrained weights into a folder that domains can name",
		Long:  convertLong,
		Example: `  illustrator convert examples/weights/stylegan2.pth --out weights/generator
  illustrator convert examples/weights/clip --out weights/clip
  illustrator convert examples/runs/first/mapper-best --to onnx --out mapper.onnx
  illustrator convert examples/runs/first/mapper-best --to pytorch --out c2s.pth`,
		Args: terminal.ExactArgs(1, "the file or folder to convert"),
		RunE: func(_ *cobra.Command, args []string) error {
			if to != "" {
				return convertMapper(opts, args[0], to, out, options.Replace, asJSON)
			}
			if err := checkColorOrder(args[0], options.ColorOrder); err != nil {
				return err
			}
			if err := terminal.CheckOutputFolder(out); err != nil {
				return err
			}
			report, err := convert.Convert(args[0], out, options)
			if err != nil {
				return fmt.Errorf("convert %q: %w", args[0], err)
			}
			return opts.PrintRows(asJSON, report, report.Rows())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "out", "o", "", "folder to write, or the file with --to (required)")
	flags.StringVar(&options.Attributes, "attributes", "",
		"JSON file that names a classifier's attributes and their values")
	terminal.Enum(flags, &options.ColorOrder, "color-order",
		"channels that a generator's weights produce: RGB or BGR (default BGR for mmgen, else RGB)")
	flags.StringVar(&options.Vocabulary, "vocabulary", "",
		"vocabulary of a CLIP of OpenAI or OpenCLIP: bpe_simple_vocab_16e6.txt.gz or a folder with vocab.json and "+
			"merges.txt (default beside the weights)")
	terminal.Enum(flags, &options.Activation, "activation",
		"activation of a CLIP whose file does not say it: quick_gelu or gelu")
	flags.BoolVar(&options.Replace, "replace", false, "replace a folder that holds another network, or the file of --to")
	flags.StringVar(&to, "to", "", "format to write a mapper in: onnx or pytorch")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("out")
	for _, flag := range []string{"attributes", "color-order", "vocabulary", "activation"} {
		cmd.MarkFlagsMutuallyExclusive("to", flag)
	}
	return cmd
}

// checkColorOrder returns an error if order is given for a network that is not a generator.
func checkColorOrder(path string, order stylegan2.ColorOrder) error {
	if order == "" {
		return nil
	}
	kind, err := convert.Recognize(path)
	if err != nil {
		return fmt.Errorf("convert %q: %w", path, err)
	}
	if !kind.IsGenerator() {
		return fault.Usage(fmt.Errorf("--color-order %s is given, but %q is %s", order, path, kind),
			"leave --color-order out: only a generator has one")
	}
	return nil
}

// convertMapper writes the mapper in the folder at location in another program's format.
func convertMapper(opts *terminal.Options, location, to, out string, replace, asJSON bool) error {
	var report interface{ Rows() [][]string }
	var err error
	switch to {
	case "onnx":
		report, err = convert.ToONNX(location, out, replace)
	case "pytorch":
		report, err = convert.ToPyTorch(location, out, replace)
	default:
		return fault.Field("--to", to, "onnx or pytorch")
	}
	if err != nil {
		return fmt.Errorf("convert %q: %w", location, err)
	}
	return opts.PrintRows(asJSON, report, report.Rows())
}
