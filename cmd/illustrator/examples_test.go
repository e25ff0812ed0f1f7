package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/models/xla"
)

// notHere are the examples that a test cannot run as they are, and why. Those of a longer work are run with --dry-run.
var notHere = map[string]string{
	"bench":                           "measures for minutes, in processes of its own",
	"demo":                            "trains for minutes",
	"demo --domain":                   "trains for minutes",
	"doctor":                          "exits with 1 where the machine lacks something",
	"doctor --json":                   "exits with 1 where the machine lacks something",
	"doctor --device cuda":            "needs a GPU",
	"fetch cats-256":                  "shows licences, and exits with 2 until they are accepted",
	"fetch cats-256 --accept-license": "downloads a gigabyte, or needs its files",
	"setup --plugin":                  "names a library of the user's own",
	"setup --cuda":                    "downloads gigabytes",
	"setup --cuda=13 --from":          "needs wheels of gigabytes",
}

// notRun returns why an example is not run, "" where it is. Its line is one of those above, or has more options.
func notRun(line string) string {
	line = strings.TrimPrefix(line, "illustrator ")
	for begin, reason := range notHere {
		more := strings.HasPrefix(line, begin+" ") && (begin == "bench" || strings.Contains(begin, " -"))
		if line == begin || more {
			return reason
		}
	}
	return ""
}

// long are the commands whose examples work for minutes, and which --dry-run checks.
var long = []string{
	"illustrator train --config lorelei", "illustrator ablate losses", "illustrator ablate prompts",
	"illustrator ablate limited",
}

// less are flags that follow an example's own, by its beginning, so that it computes for a shorter time.
var less = map[string][]string{
	"illustrator pairs --rows 1000": {"--rows", "40"},
	"illustrator train --continue":  {"--set", "pairs.rows=128", "--set", "train.stages.0.schedule.steps=10"},
}

// shorten has the small run of the examples compute for a shorter time.
func shorten(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for old, less := range map[string]string{"rows: 1000": "rows: 128", "steps: 300": "steps: 10"} {
		if strings.Count(text, old) != 1 {
			t.Fatalf("%s has %q %d times", file, old, strings.Count(text, old))
		}
		text = strings.Replace(text, old, less, 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestExamples runs every example of every help text in a copy of the examples, as it is written or with less to
// compute.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("runs all commands")
	}
	if _, ok := xla.Find("cpu"); !ok {
		t.Skip("no XLA plugin on this machine")
	}
	root, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS("examples", os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	shorten(t, "examples/run.yaml")
	// What a server reads a secret from is the user's own.
	if err := os.WriteFile("token", []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range exampleLines(newRootCommand(terminal.NewOptions("illustrator", t.Output(), t.Output()))) {
		t.Run(line, func(t *testing.T) { runExample(t, line) })
	}
}

func runExample(t *testing.T, line string) {
	if reason := notRun(line); reason != "" {
		t.Skip(reason)
	}
	args := splitLine(line)[1:]
	for _, begin := range long {
		if strings.HasPrefix(line, begin) {
			args = append(args, "--dry-run")
		}
	}
	for begin, flags := range less {
		if strings.HasPrefix(line, begin) {
			args = append(args, flags...)
		}
	}
	if strings.HasPrefix(line, "illustrator runs rm") { // the user's own runs, and no terminal to ask on
		args = append(args, "--yes")
		for _, name := range []string{"runs/00003-lorelei", "runs/00004-lorelei"} {
			err := errors.Join(os.RemoveAll(name), os.CopyFS(name, os.DirFS("examples/runs/first")))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out strings.Builder
	opts := terminal.NewOptions("illustrator", &out, &out)
	if args[0] == "serve" { // until it is stopped
		time.AfterFunc(5*time.Second, cancel)
	}
	err := opts.Execute(ctx, func() *cobra.Command { return newRootCommand(opts) }, args)
	if code := opts.PrintError(ctx, err); code != terminal.ExitOK {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}

// exampleLines lists the examples of cmd and of all commands below it.
func exampleLines(cmd *cobra.Command) (lines []string) {
	for _, line := range strings.Split(cmd.Example, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for _, c := range cmd.Commands() {
		lines = append(lines, exampleLines(c)...)
	}
	return lines
}
