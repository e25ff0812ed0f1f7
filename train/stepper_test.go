package train

import (
	"log/slog"
	"testing"

	"illustrator/models/nn/nntest"
	compiled "illustrator/models/xla/programs"
)

// Steps that were timed before a training leave it the same bytes, and no program is compiled twice for them.
func TestStepsBeforeATraining(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a training twice; run without -short")
	}
	nntest.Backend(t)
	domain, config := tinyDomain(t), l1Only()
	run := func(timed bool) (files map[string]string, made int) {
		compiled.Use(&compiled.Cache{Folder: t.TempDir()})
		folder, before := t.TempDir(), compiledSoFar()
		training := begin(t, domain, folder, config)
		if timed {
			step, err := training.Stepper()
			if err != nil {
				t.Fatal(err)
			}
			for at := 5; at < 8; at++ { // of the second stage
				if _, err := step(at); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := training.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return contents(t, folder), compiledSoFar() - before
	}
	defer compiled.Use(compiled.Chosen(slog.New(slog.DiscardHandler)))
	want, without := run(false)
	got, with := run(true)
	same(t, "after timed steps", got, want)
	if with != without {
		t.Errorf("%d programs compiled with timed steps, %d without", with, without)
	}
}

func compiledSoFar() int {
	count, _ := compiled.Count()
	return count
}
