package train

import (
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// Memory is a rough estimate, in bytes, of what a training needs on its device: the demo took 1.3 GiB where it says 1.0.
type Memory struct {
	Weights    int64 // of all networks, with gradients, moments and averages of the mapper's
	Batch      int64 // a batch's intermediate values and their gradients
	Checkpoint int64 // on disk
}

// Total is what device, or on a CPU the process, holds at once.
func (m Memory) Total() int64 { return m.Weights + m.Batch + processBytes }

// processBytes is what the program takes without any network, XLA's plugin and its compiler: a guess.
const processBytes = 400 << 20

// valueBytes is what each value of a network's layers takes of memory in a step: the value in float32, its gradient, and as
// much again for what a compiled program needs besides, which is a guess.
const valueBytes = 4 * 3

// EstimateMemory estimates the training's memory from the sizes of its networks.
func EstimateMemory(c Config, m mapper.Config, n *pipeline.Networks) Memory {
	const float32Bytes = 4
	weights, copies := int64(m.Parameters())*float32Bytes, int64(3) // weights and two moments
	if c.Optimizer.EMA > 0 {
		copies++
	}
	e := Memory{Checkpoint: weights * copies}
	copies += 2 // gradients, and the weights of the step to come
	if c.Optimizer.Accumulate > 1 {
		copies++
	}
	e.Weights = weights * copies
	e.Batch = int64(c.Batch) * int64(m.Width) * int64(m.Blocks*(m.Layers+1)*m.Layers) * valueBytes
	if c.needsFrozen() {
		e.Weights += int64(n.Generator.Shapes().Elements()+n.CLIP.Shapes().Elements()) * float32Bytes
		e.Batch += int64(c.Batch) * int64(n.Generator.Activations()+n.CLIP.Vision.Activations()) * valueBytes
	}
	return e
}
