package runs

import (
	"fmt"

	"illustrator/data/pairs"
	"illustrator/models/mapper"
	"illustrator/train"
)

// Plan describes a run before it is worked on.
type Plan struct {
	Rows   int    // to train on
	Source string // of the pairs, in words
	Mapper mapper.Config
	Config train.Config // with all values set
	Memory train.Memory
	// OnGPU is the memory on each of Devices GPUs, 1 if the run takes all that there are.
	OnGPU   train.DeviceMemory
	Devices int
}

// Plan plans the run. It starts no device and writes nothing.
func (j *Job) Plan() (p Plan, err error) {
	if p.Mapper, err = j.mapper(); err != nil {
		return p, err
	}
	p.Rows, p.Source = j.Run.Pairs.Rows, fmt.Sprintf("to be sampled from seed %d", j.Run.Pairs.Seed)
	if j.Pairs != "" {
		set, err := pairs.Open(j.Pairs)
		if err != nil {
			return p, err
		}
		defer set.Close()
		p.Rows, p.Source = set.Len(), j.Pairs
	}
	if j.ValidationPairs == "" {
		p.Rows -= j.Run.Train.Validation.Rows
	}
	p.Config = j.Run.Train.Resolved(p.Rows)
	p.Memory = train.EstimateMemory(p.Config, p.Mapper, j.Networks)
	p.Devices = max(1, int(p.Config.Devices))
	p.OnGPU = train.EstimateDeviceMemory(p.Config, p.Mapper, j.Networks, p.Devices)
	return p, nil
}
