package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/jsonfile"
	"illustrator/models/convert"
)

func newInspectCommand(opts *terminal.Options) *cobra.Command {
	var options convert.Options
	var only string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE|FOLDER",
		Short: "Say what a weight file is, its tensors and its configuration",
		Long: `Says what a file of weights or a network's folder is, by its contents and whatever its name: the container, the
network that is recognised in it, the configuration that convert would write, and each tensor's name, type, shape and
bytes. Headers alone are read, so that a file of gigabytes takes no longer than a small one. Nothing in a file is executed.

A network that is not known or not supported is no error: the line "problem" says what was found.`,
		Example: `  illustrator inspect stylegan2-ffhq-config-f.pkl
  illustrator inspect clip-vit-base-patch32 --tensors visual_projection
  illustrator inspect ViT-B-32.pt --json`,
		Args: terminal.ExactArgs(1, "the file or folder to inspect"),
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := convert.Inspect(args[0], options)
			if err != nil {
				return fmt.Errorf("inspect %q: %w", args[0], err)
			}
			in.Select(only)
			if asJSON {
				return jsonfile.Print(opts.Stdout, in)
			}
			if _, err := fmt.Fprintf(opts.Stdout, "%s\n\n", in); err != nil {
				return err
			}
			table := [][]string{{"tensor", "type", "bytes", "shape"}}
			for _, t := range in.Tensors {
				table = append(table, []string{t.Name, string(t.DType), fmt.Sprint(t.Bytes), strings.ReplaceAll(fmt.Sprint(t.Shape), " ", "×")})
			}
			return terminal.PrintTable(opts.Stdout, table)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&only, "tensors", "", "list only tensors whose name holds this")
	flags.StringVar(&options.Attributes, "attributes", "", "JSON file that names a classifier's attributes and their values")
	flags.StringVar(&options.Activation, "activation", "", "activation of a CLIP whose file does not say it: quick_gelu or gelu")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
