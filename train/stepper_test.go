package train

import (
	"log/slog"
	"testing"

	"illustrator/losses"
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

// On several devices the variables of the timed steps stay with their devices, which the training must not notice.
func TestStepsBeforeATrainingOnDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a training twice; run without -short")
	}
	run := func(timed bool) map[string]string {
		training := sharedTraining(t, 2)
		training.Networks, _ = tinyNetworks(t, fourDevices(t))
		training.Config.Stages[0].Losses = losses.Weights{L1: 1, Regularization: 1}
		training.Config.Optimizer.EMA = 0.9
		if timed {
			step, err := training.Stepper()
			if err == nil {
				_, err = step(3)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := training.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return contents(t, string(training.Folder))
	}
	same(t, "after timed steps", run(true), run(false))
}

func compiledSoFar() int {
	count, _ := compiled.Count()
	return count
}
