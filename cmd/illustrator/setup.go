package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/xla"
	"illustrator/models/xla/cuda"
)

const setupLong = `Find XLA's plugin, the library that runs the networks, or install it, and verify it by running a
small graph and a gradient against known values. Says nothing when all is well (with -v it does).

A plugin is looked for in the folders of PJRT_PLUGIN_LIBRARY_PATH, or else in ~/.local/lib/go-xla and
/usr/local/lib/go-xla. If there is none, pip downloads a wheel of fixed version and SHA-256, from which the library is
taken into the first of these folders; nothing is installed into Python. Without pip, or on another platform than
linux/amd64, GoMLX's installer downloads a build from GitHub.

--plugin links a library of your own instead, or unpacks the wheel that you brought from another machine.

--cuda installs the CUDA plugin with NVIDIA's libraries (linux/amd64): wheels of fixed versions and SHA-256, 2.0 GB
for CUDA 13 and 3.0 GB for CUDA 12, which take 3.1 and 4.7 GB unpacked. NVIDIA's driver decides between them: 580 and
newer run CUDA 13, 525 and newer CUDA 12. --cuda=12 or --cuda=13 chooses. On a machine without a GPU, such as a
cluster's login node, the plugin is loaded and asked for its version, and no graph is run. --cuda --list prints the
files to bring to a machine without a network, --cuda --from FOLDER installs them there.
` + "`make gpu-check` compares a GPU with PyTorch."

func newSetupCommand(opts *terminal.Options) *cobra.Command {
	var setup xla.Options
	var list bool
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Find or install XLA's plugin, and verify it",
		Long:  setupLong,
		Example: `  illustrator setup
  illustrator setup --plugin /opt/xla/pjrt_c_api_cpu_plugin.so
  illustrator setup --cuda
  illustrator setup --cuda=13 --list
  illustrator setup --cuda=13 --from wheels`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				return listWheels(cmd.Context(), opts, setup)
			}
			return runSetup(cmd.Context(), opts, setup)
		},
	}
	cmd.Flags().StringVar(&setup.Plugin, "plugin", "", "use this library (or this wheel, downloaded elsewhere)")
	cmd.Flags().Var(xla.CUDAChoice{Options: &setup}, "cuda",
		"install the CUDA plugin instead of the CPU's; =12 or =13 chooses the CUDA version")
	cmd.Flags().Lookup("cuda").NoOptDefVal = "true"
	cmd.Flags().StringVar(&setup.From, "from", "", "with --cuda: take the wheels from this folder instead of the network")
	cmd.Flags().BoolVar(&list, "list", false,
		"with --cuda: print the wheels as a requirements file for pip, and install nothing")
	return cmd
}

// listWheels prints the wheels of the CUDA version that was asked for, or that this machine's driver runs.
func listWheels(ctx context.Context, opts *terminal.Options, setup xla.Options) error {
	if !setup.CUDA {
		return fault.Usage(errors.New("--list without --cuda"), "add --cuda, or --cuda=12 or --cuda=13")
	}
	release, err := cuda.ReleaseOf(setup.CUDAVersion)
	if setup.CUDAVersion == 0 {
		machine := cuda.Probe(ctx)
		release, _, err = cuda.Choose(machine.Driver, machine.GPUs)
	}
	if err != nil {
		return fault.Hint(err, "choose with --cuda=12 or --cuda=13")
	}
	_, err = fmt.Fprint(opts.Stdout,
		release.List(fmt.Sprintf("illustrator setup --cuda=%d --from WHEELS", release.Version)))
	return err
}

func runSetup(ctx context.Context, opts *terminal.Options, setup xla.Options) error {
	if setup.From != "" && !setup.CUDA {
		return fault.Usage(fmt.Errorf("--from %q without --cuda", setup.From),
			"add --cuda; a wheel of the CPU's plugin goes to --plugin")
	}
	if setup.From != "" {
		if _, err := os.Stat(setup.From); err != nil {
			return fault.Hint(fmt.Errorf("--from: %w", err), "name the folder that holds the wheels")
		}
	}
	if setup.From != "" && setup.Plugin != "" {
		return fault.Usage(errors.New("--from and --plugin together"), "leave one of them out")
	}
	setup.Command = verifyCommand
	setup.Progress = func(line string) { opts.Log.Info(line) }
	report, err := xla.Setup(ctx, setup)
	if err != nil {
		return err
	}
	switch {
	case !report.Info.Ran:
		opts.Log.Info(fmt.Sprintf("XLA's plugin is ready and loads: %s (PJRT API %s, CUDA %s). This machine has no GPU, "+
			"so no graph was run: run `illustrator doctor --device cuda` where there is one",
			report.Path, report.Info.API, report.Info.CUDA))
	case report.Installed:
		opts.Log.Info(fmt.Sprintf("XLA's plugin is ready: %s", report.Path))
	case report.Verified:
		opts.Log.Info(fmt.Sprintf("XLA's plugin works: %s", report.Path))
	default:
		opts.Log.Debug(fmt.Sprintf("XLA's plugin was verified before and is unchanged: %s", report.Path))
	}
	opts.Log.Debug("plugin", "platform", report.Info.Platform, "api", report.Info.API, "devices", len(report.Info.Devices))
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

func newVerifyPluginCommand(opts *terminal.Options) *cobra.Command {
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
			return jsonfile.Print(opts.Stdout, info)
		},
	}
}
