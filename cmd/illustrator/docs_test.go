package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"illustrator/cmd/terminal"

	"github.com/spf13/cobra"
)

// words splits a command line as a shell does that knows quotes and comments.
var words = regexp.MustCompile(`#.*|"([^"]*)"|'([^']*)'|[^\s"']+`)

// splitLine splits a command line, without its comment.
func splitLine(line string) (args []string) {
	for _, m := range words.FindAllStringSubmatch(line, -1) {
		if strings.HasPrefix(m[0], "#") {
			break
		}
		if word := m[1] + m[2]; word != "" {
			m[0] = word
		}
		args = append(args, m[0])
	}
	return args
}

// checkCommandLine returns an error unless a command takes these flags with values of these types,
// and this number of arguments.
func checkCommandLine(line string) error {
	args := splitLine(line)
	root := newRootCommand(terminal.NewOptions("illustrator", io.Discard, io.Discard))
	cmd, rest, err := root.Find(args[1:])
	if err != nil {
		return err
	}
	if cmd == root && len(rest) > 0 {
		return fmt.Errorf("unknown command %q", rest[0])
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// Every command in the help and in the documents is one that the program takes; each command's help has two or more.
func TestDocumentedCommandsParse(t *testing.T) {
	for line, wrong := range map[string]bool{
		`illustrator runs show 3 # comment "x`: false, `illustrator generate "a wizard" 'a cat' --seeds 0-3`: false,
		"illustrator pairs --rows many": true, "illustrator pairs --row 3": true, "illustrator runs show": true,
		"illustrator drawn": true,
	} {
		if err := checkCommandLine(line); (err != nil) != wrong {
			t.Errorf("%s: %v", line, err)
		}
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		examples := strings.Split(strings.TrimSpace(cmd.Example), "\n")
		if cmd.HasParent() && !cmd.Hidden && cmd.Name() != "help" && len(examples) < 2 {
			t.Errorf("%s: %d examples, want 2", cmd.CommandPath(), len(examples))
		}
		for _, line := range examples {
			if strings.TrimSpace(line) == "" {
				continue
			}
			if err := checkCommandLine(line); err != nil {
				t.Errorf("help of %s: %s: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRootCommand(terminal.NewOptions("illustrator", io.Discard, io.Discard)))
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, path := range append(documents, "../../README.md", "../../CONTRIBUTING.md") {
		for n, line := range strings.Split(readText(t, path), "\n") {
			if !strings.HasPrefix(line, "illustrator ") && !strings.HasPrefix(line, "./illustrator ") {
				continue
			}
			commands++
			if err := checkCommandLine(line); err != nil {
				t.Errorf("%s:%d: %s: %v", path, n+1, line, err)
			}
		}
	}
	if commands < 10 {
		t.Errorf("%d commands are in the documents: they are not found", commands)
	}
}

// TestReleaseDefectsAreTested finds each test that docs/release.md names.
func TestReleaseDefectsAreTested(t *testing.T) {
	text := readText(t, "../../docs/release.md")
	named := regexp.MustCompile("`(Test\\w+)(?:/(\\w+))?` in `([\\w/]+)`")
	rows := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| the release") {
			continue
		}
		rows++
		tests := named.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("no test is named in: %s", line)
		}
		for _, m := range tests {
			test, script, folder := m[1], m[2], filepath.Join("../..", m[3])
			files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files,
				func(path string) bool { return strings.Contains(readText(t, path), "func "+test+"(t *testing.T)") }) {
				t.Errorf("there is no %s in %s", test, m[3])
			}
			if script != "" {
				if _, err := os.Stat(filepath.Join(folder, "testdata", "script", script+".txtar")); err != nil {
					t.Errorf("%s: %v", m[0], err)
				}
			}
		}
	}
	if rows != 7 {
		t.Errorf("%d defects are listed, want 7", rows)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
