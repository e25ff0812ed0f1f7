package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"illustrator/internal/jsonfile"
	"illustrator/models/xla"
)

const setupLong = `Find XLA's plugin, the library that runs the networks, or install it, and verify it by running a small graph and a
gradient against known values. Says nothing when all is well (with -v it does).

A plugin is looked for in the folders of PJRT_PLUGIN_LIBRARY_PATH, or else in ~/.local/lib/go-xla and
/usr/local/lib/go-xla. If there is none, pip downloads a wheel of fixed version and SHA-256, from which the library is
taken into the first of these folders; nothing is installed into Python. Without pip, or on another platform than
linux/amd64, GoMLX's installer downloads a build from GitHub.

--plugin links a library of your own instead, or unpacks the wheel that you brought from another machine.
--cuda sees to the CUDA plugin (linux/amd64, some GB of NVIDIA libraries). This project's tests have no GPU, so they do
not cover it; the verification after the installation is the same as the CPU's, and ` + "`make gpu-check`" + ` compares the device
with PyTorch.`

func newSetupCommand(opts *globalOptions) *cobra.Command {
	var setup xla.Options
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Find or install XLA's plugin, and verify it",
		Long:  setupLong,
		Example: `  illustrator setup
  illustrator setup --plugin /opt/xla/pjrt_c_api_cpu_plugin.so`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSetup(cmd.Context(), opts, setup) },
	}
	cmd.Flags().StringVar(&setup.Plugin, "plugin", "", "use this library (or this wheel, downloaded elsewhere)")
	cmd.Flags().BoolVar(&setup.CUDA, "cuda", false, "see to the CUDA plugin instead of the CPU's")
	return cmd
}

func runSetup(ctx context.Context, opts *globalOptions, setup xla.Options) error {
	setup.Command = verifyCommand
	setup.Progress = func(line string) { opts.log.Info(line) }
	report, err := xla.Setup(ctx, setup)
	if err != nil {
		return err
	}
	switch {
	case report.Installed:
		opts.log.Info(fmt.Sprintf("XLA's plugin is ready: %s", report.Path))
	case report.Verified:
		opts.log.Info(fmt.Sprintf("XLA's plugin works: %s", report.Path))
	default:
		opts.log.Debug(fmt.Sprintf("XLA's plugin was verified before and is unchanged: %s", report.Path))
	}
	opts.log.Debug("plugin", "platform", report.Info.Platform, "api", report.Info.API, "devices", len(report.Info.Devices))
	return nil
}

// verifyCommand is this program again, verifying plugin: a broken library takes down that process, not this one.
func verifyCommand(ctx context.Context, plugin string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.CommandContext(ctx, self, verifyPluginName, plugin)
}

const verifyPluginName = "verify-plugin"

func newVerifyPluginCommand(opts *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:    verifyPluginName + " PATH",
		Short:  "Run a small graph on the plugin at PATH and print what it says of itself as JSON",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := xla.Verify(args[0])
			if err != nil {
				return err
			}
			return jsonfile.Print(opts.stdout, info)
		},
	}
}
