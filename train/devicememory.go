package train

import (
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// DeviceMemory is an estimate, in bytes, of the memory that a training takes on each of its GPUs.
//
// It is fitted to the plans that XLA's CUDA plugin makes for an H100 when it compiles a training step
// (docs/gpu-compiled.json), and is at most 20 % off them in float32. It has not been measured on a GPU.
// TestDeviceMemoryAsCompiled compares.
type DeviceMemory struct {
	Weights int64 // of the frozen networks; the mapper's with its optimizer
	PerRow  int64 // a row's intermediate values and their gradients
	Rows    int   // of the batch on each device
}

// Total adds an allowance for libraries to what XLA plans.
func (m DeviceMemory) Total() int64 { return m.planned() + libraryBytes }

// planned estimates XLA's plan: arguments, results, temporaries.
func (m DeviceMemory) planned() int64 { return m.Weights + m.PerRow*int64(m.Rows) }

// LargestBatch is the largest number of rows for which a device's memory suffices, 0 if none does.
func (m DeviceMemory) LargestBatch(bytes int64) int {
	return int(max(0, (PlannableMemory(bytes)-m.Weights)/max(m.PerRow, 1)))
}

// PlannableMemory is the part of a device's memory that a program may plan with. The rest is for CUDA's context,
// libraries and their workspaces.
func PlannableMemory(bytes int64) int64 {
	const part = 0.85
	return min(int64(part*float64(bytes)), bytes-libraryBytes)
}

const (
	// libraryBytes is an allowance, not a measurement, for CUDA's context, the libraries' code and cuDNN's workspaces.
	libraryBytes = 2 << 30

	// deviceUse is the part of a row's values that are there at once.
	deviceUse = 0.95
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
	e := DeviceMemory{Weights: state * float32Bytes * int64(m.Parameters()), Rows: (c.Batch + devices - 1) / devices}
	values := mapperValues(m)
	if c.needsFrozen() {
		width := int64(float32Bytes)
		if c.Precision == pipeline.BFloat16 {
			width /= 2 // of weights: the sums of the layers stay in float32
		}
		e.Weights += width * int64(n.Generator.Shapes().Elements()+n.CLIP.Shapes().Elements())
		values += n.Generator.Activations() + n.CLIP.Vision.Activations()
	}
	e.PerRow = int64(deviceUse * float32Bytes * float64(values))
	return e
}
