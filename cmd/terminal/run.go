package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"illustrator/internal/crash"
	"illustrator/internal/fault"
)

// Exit codes, documented in the root command's help.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitPartial     = 3
	ExitRequeue     = 75 // EX_TEMPFAIL of sysexits.h: the same command continues
	ExitInterrupted = 130
)

var (
	errInterrupted  = errors.New("interrupted")
	errStopped      = errors.New("stopped by a signal")
	errStdoutClosed = errors.New("standard output was closed")
)

// Main runs the program called name and returns the process's exit code. A crash of the process ends as a failure.
func Main(name string, newRoot func(*Options) *cobra.Command) int {
	guard := crash.Start(name, ExitFailure)
	defer guard.Flush()
	return Run(name, os.Args[1:], os.Stdout, guard.Stderr, newRoot)
}

// Run executes one command line of the program called name and returns the process's exit code.
func Run(name string, args []string, stdout, stderr *os.File, newRoot func(*Options) *cobra.Command) int {
	// A reader that leaves early (`| head`) must not kill a run that is writing a checkpoint.
	signal.Ignore(syscall.SIGPIPE)
	opts := NewOptions(name, resultWriter{stdout}, newConsole(stderr))
	slog.SetDefault(opts.Log)
	// GoMLX's own lines repeat the errors it returns
	klog.SetSlogLogger(slog.New(newLogHandler(name, io.Discard, opts.level)))

	ctx, stop := withSignals(context.Background(), name, opts.Stderr)
	defer stop()
	err := opts.Execute(ctx, func() *cobra.Command { return newRoot(opts) }, args)
	return opts.PrintError(ctx, err)
}

// Execute runs the command below the root that args name. An error from before the command's own code began is the
// user's, about the command line; a panic becomes an error.
func (o *Options) Execute(ctx context.Context, newRoot func() *cobra.Command, args []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = o.internalError(r, debug.Stack())
		}
	}()
	root := newRoot()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(o.Stdout)
	root.SetErr(o.Stderr)
	root.SetFlagErrorFunc(flagError)
	foldedHelp(root)
	strictCommands(root, args)
	began := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		o.setLevel()
		return checkFlags(cmd)
	}
	onRun(root, func() { began = true })
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if o.Explain != nil {
		err = o.Explain(err)
	}
	if err != nil && !began && !fault.IsUsage(err) {
		return fault.Usage(err, "see `%s --help`", cmd.CommandPath())
	}
	return err
}

// onRun has began called first when cmd or any command below it runs.
func onRun(cmd *cobra.Command, began func()) {
	for _, c := range cmd.Commands() {
		onRun(c, began)
	}
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			began()
			return inner(cmd, args)
		}
	}
}

// withSignals returns a context that the first signal of Ctrl-C or of a scheduler cancels. Ctrl-C after that ends the
// process at once; a scheduler repeats its signals and kills by itself.
func withSignals(parent context.Context, program string, w io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, append(stopSignals, os.Interrupt)...)
	go func() {
		first, ok := <-signals
		if !ok {
			return
		}
		cause := errStopped
		if first == os.Interrupt {
			cause = errInterrupted
		}
		fmt.Fprintf(w, "%s: stopping; press Ctrl-C again to leave at once\n", program)
		cancel(cause)
		for next := range signals {
			if next == os.Interrupt {
				os.Exit(exitOf(cause))
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

// exitOf returns the exit code of a command that a signal ended: a scheduler runs it again after its own signal.
func exitOf(cause error) int {
	if cause == errStopped {
		return ExitRequeue
	}
	return ExitInterrupted
}

// PrintError prints err the way users see errors and returns the exit code that belongs to it.
func (o *Options) PrintError(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, errStdoutClosed):
		return ExitOK
	case context.Cause(ctx) == errInterrupted, context.Cause(ctx) == errStopped:
		// Keep what a command says about where it stopped; hide the bare "context canceled".
		cause := context.Cause(ctx)
		if text := err.Error(); text != context.Canceled.Error() && text != cause.Error() {
			text = strings.TrimSuffix(text, ": "+cause.Error())
			fmt.Fprintf(o.Stderr, "%s: error: %v: %s\n", o.Name, cause, text)
		} else {
			fmt.Fprintf(o.Stderr, "%s: error: %v\n", o.Name, cause)
		}
		o.printHint(err)
		return exitOf(cause)
	}
	fmt.Fprintf(o.Stderr, "%s: error: %v\n", o.Name, err)
	o.printHint(err)
	switch {
	case errors.Is(err, fault.ErrPartial):
		return ExitPartial
	case fault.IsUsage(err), errors.Is(err, fs.ErrNotExist): // what the user named is not there
		return ExitUsage
	}
	return ExitFailure
}

func (o *Options) printHint(err error) {
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintf(o.Stderr, "%s: hint: %s\n", o.Name, hint)
	}
}

// internalError turns a panic into an error: a defect of ours, not of the user.
func (o *Options) internalError(panicked any, stack []byte) error {
	if os.Getenv(crash.DebugEnv) == "1" {
		fmt.Fprintf(o.Stderr, "%s\n", stack)
	}
	return fault.Hint(fmt.Errorf("internal: %v", panicked),
		"this is a defect of %s; run again with ILLUSTRATOR_DEBUG=1 and report the output with the command line", o.Name)
}

// resultWriter writes results; a reader that has closed the pipe becomes errStdoutClosed, which is not a failure.
type resultWriter struct{ w io.Writer }

func (r resultWriter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return n, errStdoutClosed
	}
	return n, err
}
