package main

import (
	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/internal/version"
)

const rootLong = `illustrator turns descriptions into pictures: text, CLIP text embedding, prompt projection, mapper,
StyleGAN2.

Results go to standard output; log lines, progress and errors go to standard error.

Exit codes:
  0    all done
  1    failure: no argument is to blame: a damaged file, the disk, memory, the network, XLA's plugin
  2    usage: a mistake in the command line, a configuration or a value, or in the name of a file that does not exist
  3    partial result: some of the work was done and kept, some failed
  75   stopped by SIGTERM or SIGUSR1, as by a scheduler: the same command resumes
  130  interrupted by Ctrl-C; a second Ctrl-C leaves at once

Environment:
  GOMLX_BACKEND             XLA plugin to run on, as in --backend
  PJRT_PLUGIN_LIBRARY_PATH  folders to search for XLA plugins, in place of the usual ones
  ILLUSTRATOR_PROGRAMS      folder of compiled programs and of references' features (default illustrator/programs in the
                            user's cache), or off
  ILLUSTRATOR_WEIGHTS       folder of fetched networks (default illustrator/weights in the user's cache)
  HF_ENDPOINT, HF_TOKEN     address of the Hugging Face hub, and a token for it, for fetch
  ILLUSTRATOR_TOKEN         token that serve asks for, where --token-file names none
  NO_COLOR                  no colours
  ILLUSTRATOR_DEBUG=1       print a stack trace with an internal error or a crash`

func newRootCommand(opts *terminal.Options) *cobra.Command {
	opts.Explain = hints.Explain
	root := terminal.Group(&cobra.Command{
		Use:     "illustrator",
		Short:   "Turn descriptions into pictures",
		Long:    rootLong,
		Version: version.Read().Illustrator, // adds --version
	},
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
		newStudyCommand(opts),
		newRunsCommand(opts),
		newPairsCommand(opts),
		newPromptCommand(opts),
		newEmbedCommand(opts),
		newRenderCommand(opts),
		newFetchCommand(opts),
		newConvertCommand(opts),
		newInspectCommand(opts),
		newBenchCommand(opts),
		newSchemaCommand(opts),
		newSetupCommand(opts),
		newDoctorCommand(opts),
		newVersionCommand(opts),
		newVerifyPluginCommand(opts),
	)
	root.SetVersionTemplate(versionText())
	opts.AddFlags(root.PersistentFlags())
	addCompletion(root)
	return root
}
