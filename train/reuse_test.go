package train

import (
	"strings"
	"testing"

	"illustrator/losses"
	"illustrator/models/nn/nntest"
	compiled "illustrator/models/xla/programs"
)

// A training step declares that all it returns takes the place of what it was given, but for the losses: on one device
// and on several, with each kind of state.
func TestStepReusesMemory(t *testing.T) {
	accumulating := torchAdam
	accumulating.Accumulate, accumulating.EMA = 2, 0.9
	for name, c := range map[string]struct {
		devices   int
		optimizer Optimizer
	}{"one device": {1, torchAdam}, "two devices": {2, torchAdam}, "accumulated": {1, accumulating}} {
		t.Run(name, func(t *testing.T) {
			training := sharedTraining(t, c.devices)
			training.Config.Optimizer = c.optimizer
			training.Config.Stages[0].Losses = losses.Weights{L1: 1}
			backend := nntest.Backend(t)
			if c.devices > 1 {
				backend = fourDevices(t)
			}
			training.Networks, _ = tinyNetworks(t, backend)
			step, err := training.Stepper()
			if err != nil {
				t.Fatal(err)
			}
			if err := training.enter(0); err != nil {
				t.Fatal(err)
			}
			var steps []string
			compiled.Capture(func(p compiled.Program) { steps = append(steps, string(p.Code)) })
			defer compiled.Capture(nil)
			if _, err := step(0); err == nil {
				t.Fatal("the step was taken away, and ran")
			}
			if len(steps) != 1 {
				t.Fatalf("%d programs to compile", len(steps))
			}
			_, signature, _ := strings.Cut(steps[0], "func.func @main(")
			signature, _, _ = strings.Cut(signature, " {\n")
			parameters, results, _ := strings.Cut(signature, ") -> ")
			returned := strings.Count(results, "tensor<")
			if got := strings.Count(parameters, "tf.aliasing_output"); returned < 10 || got != returned-1 {
				t.Errorf("%d of %d results take a parameter's place, want all but one", got, returned)
			}
		})
	}
}
