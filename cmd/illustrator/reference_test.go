package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"illustrator/cmd/terminal"
)

const referencePath = "../../docs/cli/reference.md"

var (
	updateReference = flag.Bool("reference", false, "write the reference of commands, docs/cli/reference.md")
	manFolder       = flag.String("man", "", "folder to write man pages into")
)

// documentedRoot returns the command that documents are generated from.
func documentedRoot() *cobra.Command {
	root := newRootCommand(terminal.NewOptions("illustrator", io.Discard, io.Discard))
	root.DisableAutoGenTag = true
	return root
}

// reference returns all commands' help as one Markdown document.
func reference(root *cobra.Command) (string, error) {
	var b bytes.Buffer
	b.WriteString("# Commands\n\n`make docs` generates this page from the program's help; `make man` writes man pages. " +
		"`illustrator completion bash`\n(or zsh, fish, powershell) prints a script of shell completions.\n\n")
	link := func(file string) string {
		return "#" + strings.ReplaceAll(strings.TrimSuffix(file, ".md"), "_", "-")
	}
	var write func(cmd *cobra.Command) error
	write = func(cmd *cobra.Command) error {
		if err := doc.GenMarkdownCustom(cmd, &b, link); err != nil {
			return err
		}
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" {
				if err := write(sub); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := write(root)
	return b.String(), err
}

// TestReference compares docs/cli/reference.md with the commands' help.
func TestReference(t *testing.T) {
	want, err := reference(documentedRoot())
	if err != nil {
		t.Fatal(err)
	}
	if *updateReference {
		if err := os.WriteFile(referencePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have := readText(t, referencePath); have != want {
		t.Error("docs/cli/reference.md differs from the commands' help: run `make docs`")
	}
	for _, name := range []string{"illustrator train", "illustrator pairs merge"} {
		if !strings.Contains(want, "\n## "+name+"\n") {
			t.Errorf("the reference lacks %s", name)
		}
	}
}

// TestManPages generates a man page for each command.
func TestManPages(t *testing.T) {
	folder := *manFolder
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	header := doc.GenManHeader{Title: "ILLUSTRATOR", Section: "1", Source: "illustrator", Manual: "illustrator"}
	if err := doc.GenManTree(documentedRoot(), &header, folder); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(fmt.Sprintf("%s/illustrator-train.1", folder))
	if err != nil || !strings.Contains(string(page), "illustrator train") {
		t.Errorf("illustrator-train.1: %v", err)
	}
}
