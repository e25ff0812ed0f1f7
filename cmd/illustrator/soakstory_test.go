package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
)

// TestStopIllustrate kills the illustration of a story amid its pictures and interrupts it later: all that was drawn is
// kept, and in the end all files are those of one that was let alone.
func TestStopIllustrate(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and stops illustrations; run without -short")
	}
	needPlugin(t)
	dir := t.TempDir()
	if err := writeTinyDomain(dir, 1); err != nil {
		t.Fatal(err)
	}
	const paragraphs = 40
	var story strings.Builder
	for n := range paragraphs {
		fmt.Fprintf(&story, "Wizard number %d sat down.\n\n", n)
	}
	file := filepath.Join(dir, "story.txt")
	if err := os.WriteFile(file, []byte(story.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	command := func(out string) killing {
		return killing{args: []string{"illustrate", file, "--domain", filepath.Join(dir, "tiny.yaml"), "--mapper",
			filepath.Join(dir, "mapper"), "--seeds", "0-6", "--out", out}}
	}
	written := func(folder string) int {
		paths, _ := filepath.Glob(filepath.Join(folder, "0*.json")) // the pattern is right
		return len(paths)
	}
	undisturbed, stopped := filepath.Join(dir, "undisturbed"), filepath.Join(dir, "stopped")
	command(undisturbed).start(t, false, 0)
	command(stopped).killAt(t, func() bool { return written(stopped) >= 3 })
	before := written(stopped)
	for _, stray := range []string{
		".0001-wizard-number-0-sat-down-seed0.png5361303538987270733",
		".0040-wizard-number-39-sat-seed4.json12",
	} {
		if err := os.WriteFile(filepath.Join(stopped, stray), []byte("half"), 0o666); err != nil { // as a kill may leave it
			t.Fatal(err)
		}
	}
	code, said := command(stopped).signalAt(t, os.Interrupt, func() bool { return written(stopped) > before })
	now := written(stopped)
	if before == paragraphs || now == paragraphs {
		t.Fatal("the story was finished before the command was stopped: give it more paragraphs")
	}
	there := fmt.Sprintf("\n%d of %d pictures are in %s\n", before, paragraphs, stopped)
	end := fmt.Sprintf("illustrator: error: interrupted: %d of %d pictures are in %q\nillustrator: hint: the same "+
		"command draws the others\n", now, paragraphs, stopped)
	if code != terminal.ExitInterrupted || !strings.Contains("\n"+said, there) || !strings.HasSuffix(said, end) {
		t.Errorf("interrupted after %d pictures, then %d, it ended with %d and said %s", before, now, code, said)
	}
	if _, err := os.Stat(filepath.Join(stopped, "story.json")); err == nil {
		t.Error("there is a summary of pictures that are not there")
	}
	command(stopped).start(t, false, 0)
	want, err := sums(undisturbed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sums(stopped)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := os.ReadFile(filepath.Join(stopped, "story.json"))
	if err != nil {
		t.Fatal(err)
	}
	summary = bytes.ReplaceAll(summary, []byte(stopped), []byte(undisturbed)) // it names the pages with their folder
	got["/story.json"] = checkpoints.SHA256(summary)
	if len(want) != 2*paragraphs+2 || !maps.Equal(want, got) {
		t.Errorf("the files are %v; those of an undisturbed illustration %v", got, want)
	}
}
