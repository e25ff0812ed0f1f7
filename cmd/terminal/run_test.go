package terminal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"stubborn": stubborn}) }

// executeCommand runs one command of the test's own and returns what the user sees.
func executeCommand(t *testing.T, ctx context.Context, runE func(*cobra.Command, []string) error) (code int,
	stderr string) {
	t.Helper()
	var out bytes.Buffer
	opts := NewOptions("illustrator", &out, &out)
	probe := &cobra.Command{Use: "probe", RunE: runE}
	probe.Flags().Int("count", 0, "how many")
	_ = probe.MarkFlagRequired("count")
	root := &cobra.Command{Use: "illustrator"}
	root.AddCommand(probe)
	err := opts.Execute(ctx, func() *cobra.Command { return root }, []string{"probe", "--count=1"})
	return opts.PrintError(ctx, err), out.String()
}

func TestExitCodes(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(errStopped)
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		code int
		want string
	}{
		"ok": {t.Context(), nil, 0, ""},
		"failure": {t.Context(), fault.Hint(boom, "do %s", "that"), 1,
			"illustrator: error: boom\nillustrator: hint: do that\n"},
		"usage": {t.Context(), fault.Usage(boom, "try it"), 2,
			"illustrator: error: boom\nillustrator: hint: try it\n"},
		"partial": {t.Context(), fmt.Errorf("3 of 4 pictures: %w", fault.ErrPartial), 3,
			"illustrator: error: 3 of 4 pictures: partial result\n"},
		"interrupted":       {interrupted, context.Canceled, 130, "illustrator: error: interrupted\n"},
		"interrupted later": {interrupted, errors.New("kept step 7"), 130, "illustrator: error: interrupted: kept step 7\n"},
		"stopped": {stopped, fmt.Errorf("kept step 7: %w", errStopped), 75,
			"illustrator: error: stopped by a signal: kept step 7\n"},
		"done before":   {interrupted, nil, 0, ""},
		"stdout closed": {t.Context(), fmt.Errorf("print: %w", errStdoutClosed), 0, ""},
	} {
		code, stderr := executeCommand(t, c.ctx, func(*cobra.Command, []string) error { return c.err })
		if code != c.code || stderr != c.want {
			t.Errorf("%s: exit code %d, %q; want %d, %q", name, code, stderr, c.code, c.want)
		}
	}
}

func TestPanicBecomesAnError(t *testing.T) {
	graphPanic := func(*cobra.Command, []string) error { panic(errors.New("shapes don't match")) }
	t.Setenv("ILLUSTRATOR_DEBUG", "")
	code, stderr := executeCommand(t, t.Context(), graphPanic)
	if code != 1 || !strings.HasPrefix(stderr, "illustrator: error: internal: shapes don't match\nillustrator: hint: ") ||
		strings.Contains(stderr, "goroutine") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	t.Setenv("ILLUSTRATOR_DEBUG", "1")
	if _, stderr = executeCommand(t, t.Context(), graphPanic); !strings.Contains(stderr, "goroutine") {
		t.Errorf("no stack trace: %q", stderr)
	}
}

func TestFirstSignalCancels(t *testing.T) {
	var out bytes.Buffer
	ctx, stop := withSignals(t.Context(), "illustrator", &out)
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGTERM)
	}
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the signal did not cancel the context")
	}
	if context.Cause(ctx) != errStopped || !strings.Contains(out.String(), "again to leave at once") {
		t.Errorf("cause %v, said %q", context.Cause(ctx), out.String())
	}
}

// stubborn is a program that does not stop at the first signal.
func stubborn() {
	ctx, _ := withSignals(context.Background(), "illustrator", os.Stderr)
	fmt.Println("ready")
	<-ctx.Done()
	time.Sleep(time.Minute)
}

func TestSecondSignalLeaves(t *testing.T) {
	cmd := exec.Command("stubborn")
	stdout, errOut := cmd.StdoutPipe()
	stderr, errErr := cmd.StderrPipe()
	if err := errors.Join(errOut, errErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	for _, said := range []struct {
		by   io.Reader
		want string
	}{{stdout, "ready\n"}, {stderr, "illustrator: stopping; press Ctrl-C again to leave at once\n"}} {
		if line, err := bufio.NewReader(said.by).ReadString('\n'); line != said.want {
			t.Errorf("it said %q, %v", line, err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != ExitInterrupted {
		t.Errorf("%v, exit code %d", err, cmd.ProcessState.ExitCode())
	}
}

func TestResultWriterClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	if err := jsonfile.Print(resultWriter{w}, 1); !errors.Is(err, errStdoutClosed) {
		t.Errorf("error %v", err)
	}
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	log := slog.New(newLogHandler("illustrator", &out, level)).With("run", "00003-a b").WithGroup("step")
	log.Debug("hidden")
	log.Info("saved", "n", 7, slog.Group("loss", "l1", 0.5), "empty", "")
	log.Warn("text cut")
	level.Set(slog.LevelWarn)
	log.Info("hidden")
	want := `saved run="00003-a b" step.n=7 step.loss.l1=0.5 step.empty=""` + "\n" +
		`illustrator: warning: text cut run="00003-a b"` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
