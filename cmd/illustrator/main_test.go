package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"illustrator/internal/fault"
	"illustrator/models/xla"
)

// update rewrites what the scripts compare with: look at the difference before it is committed.
var update = flag.Bool("update", false, "rewrite the files that scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"illustrator": main, "tiny-domain": tinyDomain, "write-run": writeRunCommand, "same-picture": samePicture})
}

// TestScript runs the command lines in testdata/script. Each script starts with an empty home and no plugin; PLUGIN
// names the machine's, PLUGINS its folder, and [plugin] tells whether there is one.
func TestScript(t *testing.T) {
	plugin, found := xla.Find("cpu")
	if !found && os.Getenv("CI") != "" {
		t.Fatal("no XLA CPU plugin")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			if err := os.MkdirAll(home, 0o755); err != nil {
				return err
			}
			for name, value := range map[string]string{
				"HOME": home, "PLUGIN": plugin, "PLUGINS": filepath.Dir(plugin), "PJRT_PLUGIN_LIBRARY_PATH": filepath.Join(env.WorkDir, "plugins"),
				"GOMLX_BACKEND": "", "XDG_CACHE_HOME": "",
			} {
				env.Setenv(name, value)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "plugin" {
				return found, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// executeCommand runs one command of the test's own, below the real root, and returns what the user sees.
func executeCommand(t *testing.T, ctx context.Context, runE func(*cobra.Command, []string) error) (code int, stderr string) {
	t.Helper()
	var out bytes.Buffer
	opts := &globalOptions{stdout: &out, stderr: &out, log: slog.New(newLogHandler(&out, new(slog.LevelVar)))}
	extra := &cobra.Command{Use: "probe", RunE: runE}
	extra.Flags().Int("count", 0, "how many")
	_ = extra.MarkFlagRequired("count")
	err := execute(ctx, opts, new(slog.LevelVar), []string{"probe", "--count=1"}, extra)
	return printError(&out, ctx, err), out.String()
}

func TestExitCodes(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		code int
		want string
	}{
		"ok":                {t.Context(), nil, 0, ""},
		"failure":           {t.Context(), fault.Hint(boom, "do %s", "that"), 1, "illustrator: error: boom\nillustrator: hint: do that\n"},
		"usage":             {t.Context(), fault.Usage(boom, "try it"), 2, "illustrator: error: boom\nillustrator: hint: try it\n"},
		"partial":           {t.Context(), fmt.Errorf("3 of 4 pictures: %w", errPartial), 3, "illustrator: error: 3 of 4 pictures: partial result\n"},
		"interrupted":       {interrupted, context.Canceled, 130, "illustrator: error: interrupted\n"},
		"interrupted later": {interrupted, errors.New("kept step 7"), 130, "illustrator: error: interrupted: kept step 7\n"},
		"done before":       {interrupted, nil, 0, ""},
		"stdout closed":     {t.Context(), fmt.Errorf("print: %w", errStdoutClosed), 0, ""},
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
	if code != 1 || !strings.HasPrefix(stderr, "illustrator: error: internal: shapes don't match\nillustrator: hint: ") || strings.Contains(stderr, "goroutine") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	t.Setenv("ILLUSTRATOR_DEBUG", "1")
	if _, stderr = executeCommand(t, t.Context(), graphPanic); !strings.Contains(stderr, "goroutine") {
		t.Errorf("no stack trace: %q", stderr)
	}
}

func TestFirstSignalCancels(t *testing.T) {
	var out bytes.Buffer
	ctx, stop := withSignals(t.Context(), &out)
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the signal did not cancel the context")
	}
	if context.Cause(ctx) != errInterrupted || !strings.Contains(out.String(), "again to leave at once") {
		t.Errorf("cause %v, said %q", context.Cause(ctx), out.String())
	}
}

func TestResultWriterClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	if err := printJSON(resultWriter{w}, 1); !errors.Is(err, errStdoutClosed) {
		t.Errorf("error %v", err)
	}
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	log := slog.New(newLogHandler(&out, level)).With("run", "00003-a b").WithGroup("step")
	log.Debug("hidden")
	log.Info("saved", "n", 7, slog.Group("loss", "l1", 0.5), "empty", "")
	log.Warn("text cut")
	level.Set(slog.LevelWarn)
	log.Info("hidden")
	want := `saved run="00003-a b" step.n=7 step.loss.l1=0.5 step.empty=""` + "\n" + `illustrator: warning: text cut run="00003-a b"` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
