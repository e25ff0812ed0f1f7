package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"illustrator/internal/fault"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
)

// globalOptions is what every command shares: the flags before or after any command's name, and where to write.
type globalOptions struct {
	quiet   bool
	verbose bool
	backend string // "xla:cpu", "xla:cuda" or a library's path; "" leaves it to $GOMLX_BACKEND and device
	device  string // "cpu" or "cuda"; "" is the CPU

	stdout io.Writer // results
	stderr io.Writer // log lines, progress, errors
	log    *slog.Logger
}

// backendName returns the backend that the flags ask for; "" leaves it to the environment.
func (o *globalOptions) backendName() (string, error) {
	switch {
	case o.device != "" && o.device != "cpu" && o.device != "cuda":
		return "", fault.Usage(fmt.Errorf("--device %q is unknown", o.device), "the devices are cpu and cuda")
	case o.backend != "" || o.device == "":
		return o.backend, nil
	}
	return "xla:" + o.device, nil
}

// openBackend opens the XLA backend that the flags ask for, with so many devices.
func (o *globalOptions) openBackend(devices int) (compute.Backend, error) {
	name, err := o.backendName()
	if err != nil {
		return nil, err
	}
	programs.Use(o.programCache())
	return xla.OpenDevices(name, devices)
}

const rootLong = `illustrator turns descriptions into pictures: text, CLIP text embedding, prompt projection, mapper, StyleGAN2.

Results go to standard output; log lines, progress and errors go to standard error.

Exit codes:
  0    all done
  1    failure: something outside the command line went wrong (a file, the network, the XLA plugin)
  2    usage: a mistake in the command line, a configuration or a value
  3    partial result: some of the work was done and kept, some failed
  130  interrupted by Ctrl-C or a termination signal; a second Ctrl-C leaves at once

Environment:
  GOMLX_BACKEND             XLA plugin to run on, as in --backend
  PJRT_PLUGIN_LIBRARY_PATH  folders to search for XLA plugins, in place of the usual ones
  ILLUSTRATOR_PROGRAMS      folder of compiled programs (default illustrator/programs in the user's cache); off keeps none
  ILLUSTRATOR_WEIGHTS       folder of fetched networks (default illustrator/weights in the user's cache)
  HF_ENDPOINT, HF_TOKEN     address of the Hugging Face hub, and a token for it, for fetch
  ILLUSTRATOR_PYTHON        Python with PyTorch, for bench --pytorch
  ILLUSTRATOR_TOKEN         token that serve asks for, where --token-file names none
  NO_COLOR                  no colours
  ILLUSTRATOR_DEBUG=1       print a stack trace with an internal error`

func newRootCommand(opts *globalOptions) *cobra.Command {
	root := &cobra.Command{
		Use:   "illustrator",
		Short: "Turn descriptions into pictures",
		Long:  rootLong,
		Args:  cobra.ArbitraryArgs, // so that RunE words the error
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	flags := root.PersistentFlags()
	flags.BoolVarP(&opts.quiet, "quiet", "q", false, "print results, warnings and errors only")
	flags.BoolVarP(&opts.verbose, "verbose", "v", false, "say more about what is going on")
	flags.StringVar(&opts.backend, "backend", "", `XLA plugin: "xla:cpu", "xla:cuda" or the path of a library (default $GOMLX_BACKEND, else xla:cpu)`)
	flags.StringVar(&opts.device, "device", "", "device to run on: cpu or cuda (default cpu)")
	root.SetOut(opts.stdout)
	root.SetErr(opts.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newDemoCommand(opts),
		newGenerateCommand(opts),
		newServeCommand(opts),
		newManipulateCommand(opts),
		newInterpolateCommand(opts),
		newIllustrateCommand(opts),
		newCartoonizeCommand(opts),
		newTrainCommand(opts),
		newEvalCommand(opts),
		newAblateCommand(opts),
		newRunsCommand(opts),
		newPairsCommand(opts),
		newPromptCommand(opts),
		newEmbedCommand(opts),
		newRenderCommand(opts),
		newFetchCommand(opts),
		newConvertCommand(opts),
		newInspectCommand(opts),
		newBenchCommand(opts),
		newSetupCommand(opts),
		newDoctorCommand(opts),
		newVersionCommand(opts),
		newVerifyPluginCommand(opts),
	)
	return root
}

func unknownCommand(cmd *cobra.Command, name string) error {
	err := fmt.Errorf("unknown command %q", name)
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := fault.Nearest(name, names); near != "" {
		return fault.Usage(err, "did you mean `%s %s`?", cmd.CommandPath(), near)
	}
	slices.Sort(names)
	return fault.Usage(err, "the commands are %s", strings.Join(names, ", "))
}

// errPartial marks a run that kept some of its work and lost some; the process exits with exitPartial.
var errPartial = errors.New("partial result")
