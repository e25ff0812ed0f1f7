package train

import (
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// DeviceMemory is an estimate, in bytes, of the memory that a training takes on each of its GPUs.
//
// It is fitted to what XLA's CUDA plugin plans for an H100 when it compiles a training step (docs/gpu-compiled.json):
// no further off than a fifth. No GPU was at hand to measure it. TestDeviceMemoryAsCompiled compares.
type DeviceMemory struct {
	Weights int64 // of the frozen networks; the mapper's with its optimizer, before and after a step
	PerRow  int64 // a row's intermediate values and their gradients
	Rows    int   // of the batch on each device
}

// Total returns what a step plans with, and an allowance for libraries.
func (m DeviceMemory) Total() int64 { return m.Planned() + libraryBytes }

// Planned returns what XLA plans: arguments, results, temporaries.
func (m DeviceMemory) Planned() int64 { return m.Weights + m.PerRow*int64(m.Rows) }

// LargestBatch is the largest number of rows for which a device's memory suffices, 0 if none does.
func (m DeviceMemory) LargestBatch(bytes int64) int {
	return int(max(0, (bytes-libraryBytes-m.Weights)/max(m.PerRow, 1)))
}

const (
	// libraryBytes is an allowance, not a measurement, for CUDA's context, the libraries' code and cuDNN's workspaces.
	libraryBytes = 2 << 30

	// The parts of a row's values that are there at once.
	deviceUse       = 0.85
	deviceUseNarrow = 0.7 // in bfloat16: sums stay in float32
)

// EstimateDeviceMemory estimates the memory of a training on each of a number of GPUs, which share its batch.
func EstimateDeviceMemory(c Config, m mapper.Config, n *pipeline.Networks, devices int) DeviceMemory {
	state := int64(3) // weights and two moments
	if c.Optimizer.EMA > 0 {
		state++
	}
	if c.Optimizer.Accumulate > 1 {
		state++
	}
	e := DeviceMemory{Weights: 2 * state * float32Bytes * int64(m.Parameters()), Rows: (c.Batch + devices - 1) / devices}
	values := mapperValues(m)
	use := deviceUse
	if c.needsFrozen() {
		width := int64(float32Bytes)
		if c.Precision == pipeline.BFloat16 {
			width, use = width/2, deviceUseNarrow
		}
		e.Weights += width * int64(n.Generator.Shapes().Elements()+n.CLIP.Shapes().Elements())
		values += n.Generator.Activations() + n.CLIP.Vision.Activations()
	}
	e.PerRow = int64(use * float32Bytes * float64(values))
	return e
}
