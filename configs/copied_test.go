package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// TestCopiedDomain copies Lorelei's file elsewhere, where it is whole, and one with relative paths, where
// it says what it lost.
func TestCopiedDomain(t *testing.T) {
	raw, err := os.ReadFile("domains/lorelei.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, "mine.yaml", string(raw))
	d, _, err := OpenNetworks(path)
	if err != nil {
		t.Fatal(err)
	}
	if texts, err := d.Texts(); err != nil || len(texts) != 140 {
		t.Errorf("%d texts of a copy, %v", len(texts), err)
	}
	if _, _, err := d.ReadPrompts(); err != nil || d.PromptsPath() != "" {
		t.Errorf("prompts of a copy: %q, %v", d.PromptsPath(), err)
	}
	moved := strings.Replace(string(raw), "embedded:shared/clip", "networks/clip", 1)
	path = writeFile(t, "moved.yaml", moved)
	_, _, err = OpenNetworks(path)
	if want := filepath.Join(filepath.Dir(path), "networks/clip"); err == nil || !strings.Contains(err.Error(), want) ||
		!strings.Contains(fault.HintOf(err), "relative to the folder of its file") || !fault.IsUsage(err) {
		t.Errorf("a lost network: %v, hint %q", err, fault.HintOf(err))
	}
}

// TestRunOfAnotherDomain has the texts of that domain drawn, not those of the run's file.
func TestRunOfAnotherDomain(t *testing.T) {
	const file = "name: mine\ngenerator: g\nclip: c\ntext_prompt: A cat.\nalpha: 1\n"
	domain := writeFile(t, "mine.yaml", file)
	run, err := OpenRun("lorelei", []string{"domain=" + domain})
	if err != nil || run.Domain != domain || len(run.Train.Validation.Texts) != 1 ||
		run.Train.Validation.Texts[0] != "A cat." {
		t.Errorf("%q, %q, %v", run.Domain, run.Train.Validation.Texts, err)
	}
	run, err = OpenRun("lorelei", []string{"domain=" + domain, "train.validation.texts=[a dog]"})
	if err != nil || len(run.Train.Validation.Texts) != 1 || run.Train.Validation.Texts[0] != "a dog" {
		t.Errorf("texts that are named: %q, %v", run.Train.Validation.Texts, err)
	}
}
