package runs

import (
	"cmp"
	"context"
	"fmt"

	"illustrator/data/pairs"
	"illustrator/data/texts"
	"illustrator/models/mapper"
	"illustrator/train"
)

// Plan describes a run before it is worked on.
type Plan struct {
	Rows   int    // to train on
	Source string // of the pairs, in words
	State  string // of the run's folder: "new", or where the run in it stands
	Mapper mapper.Config
	Config train.Config // with all values set
	Memory train.Memory
	// OnGPU is the memory on each of Devices GPUs, 1 if the run takes all that there are.
	OnGPU   train.DeviceMemory
	Devices int
}

// Plan plans the run. It checks all that Train checks before a device starts, and writes nothing.
func (j *Job) Plan(ctx context.Context) (p Plan, err error) {
	if p.Mapper, err = j.mapper(); err != nil {
		return p, err
	}
	if _, err = openInit(j.Run.Init, p.Mapper); err != nil {
		return p, err
	}
	if err = j.planTexts(); err != nil {
		return p, err
	}
	if err = j.planPairs(ctx, &p); err != nil {
		return p, err
	}
	if err = j.planFolder(&p); err != nil {
		return p, err
	}
	p.Config = j.Run.Train.Resolved(p.Rows)
	p.Memory = train.EstimateMemory(p.Config, p.Mapper, j.Networks)
	p.Devices = max(1, int(p.Config.Devices))
	p.OnGPU = train.EstimateDeviceMemory(p.Config, p.Mapper, j.Networks, p.Devices)
	return p, nil
}

// planTexts checks the texts that are drawn at every validation.
func (j *Job) planTexts() error {
	for i, line := range j.Run.Train.Validation.Texts {
		if _, err := texts.New(line); err != nil {
			return fmt.Errorf("train.validation.texts[%d]: %w", i, err)
		}
	}
	return nil
}

// planPairs checks the pairs that are given and counts the rows to train on.
func (j *Job) planPairs(ctx context.Context, p *Plan) error {
	from := j.Run.Pairs
	p.Rows, p.Source = from.Rows, fmt.Sprintf("to be sampled from seed %d", from.Seed)
	seeds := []pairs.SeedRange{{First: from.Seed, Last: from.Seed + uint64(from.Rows) - 1}}
	if j.Pairs != "" {
		meta := PairsMeta(j.Networks, j.Domain.Name, from)
		meta.NoiseMode = "" // such a set may have any
		set, err := j.openSet(ctx, j.Pairs, meta)
		if err != nil {
			return err
		}
		defer set.Close()
		p.Rows, p.Source, seeds = set.Len(), j.Pairs, set.SeedRanges()
	}
	validation, err := j.openValidation(ctx, cmp.Or(j.Pairs, "to be sampled"), seeds)
	if err != nil {
		return err
	}
	if validation == nil {
		p.Rows -= j.Run.Train.Validation.Rows
		return nil
	}
	p.Source += "; validated on " + j.ValidationPairs
	return validation.Close()
}

// planFolder says what the run's folder holds: nothing, or a run of the same settings, networks and pairs.
func (j *Job) planFolder(p *Plan) error {
	p.State = "new"
	if j.Folder == "" {
		return nil
	}
	if _, err := j.Finished(); err != nil {
		return err
	}
	info, err := j.Folder.ReadInfo()
	if info != nil {
		p.State = fmt.Sprintf("%s after step %d", info.Status, info.Step)
		err = j.sameNetworks(info)
	}
	return err
}
