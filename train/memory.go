package train

import (
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// Memory is an estimate, in bytes, of the most memory that a training takes on a CPU, whose devices share it.
//
// It is fitted to the peak memory of processes of `illustrator train` on a CPU: from 0.3 GiB (tiny networks) to 10 GiB
// (the release's sizes with random weights), in float32 and bfloat16, it is at most 15 % off. TestMemoryAsMeasured has
// the figures. They are of GoMLX v0.27.3; since then a step's results replace its variables, and a training at full
// size takes up to a quarter less. Another device's plugin and compiler take other memory.
type Memory struct {
	Weights    int64 // of all networks, with gradients, moments and averages of the mapper's, and what is read and written
	Programs   int64 // what compiling takes and leaves, and kernels prepared for a step
	Batch      int64 // a batch's intermediate values and their gradients
	Checkpoint int64 // on disk
}

// Total returns the peak of the process.
func (m Memory) Total() int64 { return m.Weights + m.Programs + m.Batch + processBytes }

const (
	float32Bytes = 4

	processBytes = 270 << 20 // the program and XLA's plugin before anything is computed
	denseBytes   = 5 << 20   // to compile one linear layer of the mapper, in the programs of stages and validation
	frozenBytes  = 28 << 20  // to compile one layer of generator or CLIP and its gradient
	valueBytes   = 4         // of each value in a step: gradients and what is computed on the way use buffers again
	tileUse      = 3         // how many times a picture's buffers of its largest convolution are there at once
	// and the kernels made ready for all convolutions: forward and backward, in steps and validation
	kernelUse = 6
)

// EstimateMemory estimates the training's memory from the sizes of its networks.
func EstimateMemory(c Config, m mapper.Config, n *pipeline.Networks) Memory {
	state := int64(3) // weights and two moments
	if c.Optimizer.EMA > 0 {
		state++
	}
	// on the device and to be written; gradients, the weights to come, the fresh and the saved mapper
	copies := 2*state + 4
	if c.Optimizer.Accumulate > 1 {
		copies++
	}
	weights := int64(m.Parameters()) * float32Bytes
	e := Memory{Checkpoint: weights * state, Weights: weights * copies}
	more := int64(max(0, int(c.Devices)-1)) // AllDevices are one on a CPU
	e.Weights += more * 2 * weights * state // before a step and after it

	// Of the frozen networks the file is in memory besides. CLIP reads the text prompt in any training.
	frozen := n.CLIP.Shapes().Elements()
	if c.needsFrozen() || len(c.Validation.Texts) > 0 {
		frozen += n.Generator.Shapes().Elements()
	}
	e.Weights += 2 * int64(frozen) * float32Bytes

	layers, values := mapperLayers(m), mapperValues(m)
	e.Programs = int64(layers) * denseBytes
	if c.needsFrozen() {
		e.Weights += more * int64(frozen) * float32Bytes
		e.Programs += int64(n.Generator.NumLayers()+n.CLIP.Vision.NumHiddenLayers) * frozenBytes
		kernels, picture := n.Generator.TileBuffers()
		e.Programs += kernelUse * int64(kernels) * valueBytes
		values += n.Generator.Activations() + n.CLIP.Vision.Activations() + tileUse*picture
	}
	e.Batch = int64(c.Batch) * int64(values) * valueBytes
	return e
}

// mapperLayers counts the mapper's linear layers.
func mapperLayers(m mapper.Config) (layers int) {
	for _, shape := range m.Shapes() {
		if len(shape) == 2 {
			layers++
		}
	}
	return layers
}

// mapperValues counts the values of a row that go into the mapper's linear layers, come out, are normalised and
// activated.
func mapperValues(m mapper.Config) (values int) {
	for _, shape := range m.Shapes() {
		if len(shape) == 2 {
			values += shape[1] + 3*shape[0]
		}
	}
	return values
}
