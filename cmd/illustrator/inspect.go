package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/models/convert"
)

func newInspectCommand(opts *terminal.Options) *cobra.Command {
	var options convert.Options
	var only string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE|FOLDER|NETWORK",
		Short: "Describe a weight file: network, configuration, tensors",
		Long: `Describes a weight file or a network's folder by its content, not by its name: the container, the recognised
network, the configuration that convert would write, and each tensor's name, type, shape and bytes. It reads headers
alone, so a file of gigabytes takes no longer than a small one. It executes nothing in a file. Embedded networks have
names such as embedded:shared/clip.

An unknown or unsupported network is not an error: the line "problem" describes it.`,
		Example: `  illustrator inspect examples/weights/stylegan2.pth
  illustrator inspect examples/weights/clip --tensors visual_projection
  illustrator inspect embedded:shared/clip
  illustrator inspect examples/weights/stylegan2.pth --json`,
		Args: terminal.ExactArgs(1, "the file, folder or embedded network to inspect"),
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := convert.Inspect(args[0], options)
			if err != nil {
				return fmt.Errorf("inspect %q: %w", args[0], err)
			}
			if in.Err != nil {
				in.Hint = hints.Of(in.Err)
			}
			in.Select(only)
			if err := opts.PrintRows(asJSON, in, append(in.Rows(), nil)); asJSON || err != nil {
				return err
			}
			return terminal.PrintTable(opts.Stdout, in.Table())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&only, "tensors", "", "list only tensors whose name holds this")
	flags.StringVar(&options.Attributes, "attributes", "",
		"JSON file that names a classifier's attributes and their values")
	terminal.Enum(flags, &options.Activation, "activation",
		"activation of a CLIP whose file does not say it: quick_gelu or gelu")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
