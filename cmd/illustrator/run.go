package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"illustrator/internal/fault"
)

// Exit codes, documented in the root command's help.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitPartial     = 3
	exitInterrupted = 130
)

var (
	errInterrupted  = errors.New("interrupted")
	errStdoutClosed = errors.New("standard output was closed")
)

// run executes one command line and returns the process's exit code.
func run(args []string, stdout, stderr *os.File) int {
	// A reader that leaves early (`| head`) must not kill a run that is writing a checkpoint.
	signal.Ignore(syscall.SIGPIPE)
	errOut := newConsole(stderr)
	opts := &globalOptions{stdout: resultWriter{stdout}, stderr: errOut}
	level := new(slog.LevelVar)
	opts.log = slog.New(newLogHandler(errOut, level))
	klog.SetSlogLogger(slog.New(newLogHandler(io.Discard, level))) // GoMLX's own lines repeat the errors it returns

	ctx, stop := withSignals(context.Background(), errOut)
	defer stop()
	err := execute(ctx, opts, level, args)
	return printError(errOut, ctx, err)
}

// execute runs the command that args name, one of the root's or of extra. An error from before the command's own code
// began is the user's, about the command line; a panic becomes an error.
func execute(ctx context.Context, opts *globalOptions, level *slog.LevelVar, args []string, extra ...*cobra.Command) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = internalError(opts.stderr, r, debug.Stack())
		}
	}()
	root := newRootCommand(opts)
	root.AddCommand(extra...)
	began := false
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		switch {
		case opts.quiet:
			level.Set(slog.LevelWarn)
		case opts.verbose:
			level.Set(slog.LevelDebug)
		}
		return nil
	}
	onRun(root, func() { began = true })
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !began && !fault.IsUsage(err) {
		return fault.Usage(err, "see `%s --help`", cmd.CommandPath())
	}
	return err
}

// onRun has began called first when any command below cmd runs.
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

// withSignals returns a context that the first SIGINT or SIGTERM cancels. The second ends the process at once.
func withSignals(parent context.Context, w io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		fmt.Fprintln(w, "illustrator: stopping; press Ctrl-C again to leave at once")
		cancel(errInterrupted)
		if _, ok := <-signals; ok {
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

// printError prints err the way users see errors and returns the exit code that belongs to it.
func printError(w io.Writer, ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, errStdoutClosed):
		return exitOK
	case context.Cause(ctx) == errInterrupted:
		// Keep what a command says about where it stopped; hide the bare "context canceled".
		if text := err.Error(); text != context.Canceled.Error() && text != errInterrupted.Error() {
			text = strings.TrimSuffix(text, ": "+errInterrupted.Error())
			fmt.Fprintf(w, "illustrator: error: interrupted: %s\n", text)
		} else {
			fmt.Fprintln(w, "illustrator: error: interrupted")
		}
		printHint(w, err)
		return exitInterrupted
	}
	fmt.Fprintf(w, "illustrator: error: %v\n", err)
	printHint(w, err)
	switch {
	case errors.Is(err, errPartial):
		return exitPartial
	case fault.IsUsage(err):
		return exitUsage
	}
	return exitFailure
}

func printHint(w io.Writer, err error) {
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintf(w, "illustrator: hint: %s\n", hint)
	}
}

// internalError turns a panic into an error: a defect of ours, not of the user.
func internalError(w io.Writer, panicked any, stack []byte) error {
	if os.Getenv("ILLUSTRATOR_DEBUG") == "1" {
		fmt.Fprintf(w, "%s\n", stack)
	}
	return fault.Hint(fmt.Errorf("internal: %v", panicked),
		"this is a defect of illustrator; run again with ILLUSTRATOR_DEBUG=1 and report the output with the command line")
}

// resultWriter writes results; a reader that has gone away becomes errStdoutClosed, which is no failure.
type resultWriter struct{ w io.Writer }

func (r resultWriter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return n, errStdoutClosed
	}
	return n, err
}
