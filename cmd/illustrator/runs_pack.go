package main

import (
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/train/runs"
)

func newRunsPackCommand(opts *terminal.Options) *cobra.Command {
	var out string
	var networks bool
	cmd := &cobra.Command{
		Use:   "pack RUN --out FOLDER",
		Short: "Pack a run for others",
		Long: `Writes what others need to draw with a run into a new folder, as the Hugging Face hub takes it: the best
mapper, its prompts, the domain's file, pack.json with the SHA-256 of all, and README.md, a model card with the figures
and intervals of RUN/eval. Pairs, checkpoints and the names of this machine stay here.

Commands that take --run draw with a packed run: with the folder, or with hf-hub:org/name@rev once it is on the hub.`,
		Example: `  illustrator runs pack examples/runs/first --out packed
  illustrator runs pack examples/runs/second --networks --out packed-too`,
		Args: terminal.ExactArgs(1, "one run"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := runs.Find(args[0])
			if err != nil {
				return err
			}
			if err := terminal.CheckOutputFolder(out); err != nil {
				return err
			}
			if err := runs.Pack(folder, out, networks); err != nil {
				return err
			}
			return opts.Println(out)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder to write (required)")
	cmd.Flags().BoolVar(&networks, "networks", false,
		"pack the domain's networks too, where they are folders of this machine")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}
