package runs

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"illustrator/data/pairs"
	"illustrator/data/texts"
	"illustrator/internal/machine"
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

	folder          train.Folder
	generator, clip int // parameters
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
	p.folder = j.Folder
	p.generator, p.clip = j.Networks.Generator.Shapes().Elements(), j.Networks.CLIP.Shapes().Elements()
	p.Config = j.Run.Train.Resolved(p.Rows)
	p.Memory = train.EstimateMemory(p.Config, p.Mapper, j.Networks)
	p.Devices = max(1, int(p.Config.Devices))
	p.OnGPU = train.EstimateDeviceMemory(p.Config, p.Mapper, j.Networks, p.Devices)
	return p, nil
}

// Table describes the plan in rows of a name and a text.
func (p Plan) Table() (rows [][]string) {
	line := func(name, format string, args ...any) {
		rows = append(rows, []string{name, fmt.Sprintf(format, args...)})
	}
	line("folder", "%s: %s", p.folder, p.State)
	line("pairs", "%d to train on, %d to validate; %s", p.Rows, p.Config.Validation.Rows, p.Source)
	line("mapper", "%d parameters, trained", p.Mapper.Parameters())
	line("generator", "%d parameters, frozen", p.generator)
	line("clip", "%d parameters, frozen", p.clip)
	perStep := p.Config.Batch * p.Config.Optimizer.Accumulate
	for i, stage := range p.Config.Stages {
		steps := stage.Schedule.Steps
		line(fmt.Sprintf("stage %d, %s", i, stage.Name), "%d steps of %d pairs: %.2f epochs",
			steps, perStep, float64(steps)*float64(perStep)/float64(p.Rows))
	}
	line("steps", "%d", p.Config.Steps())
	m := p.Memory
	line("memory", "about %s: weights and optimizer %s, programs %s, a batch's pictures and gradients %s",
		machine.ByteSize(m.Total()), machine.ByteSize(m.Weights), machine.ByteSize(m.Programs), machine.ByteSize(m.Batch))
	line("on GPUs", "%s", p.onGPUs())
	line("checkpoint", "%s each, %d kept and the best", machine.ByteSize(m.Checkpoint), p.Config.Checkpoint.Keep)
	return rows
}

// onGPUs says what memory the run takes on each GPU, and the batch that usual ones have room for.
func (p Plan) onGPUs() string {
	const gigabyte = 1_000_000_000
	each := "one"
	switch {
	case p.Config.Devices == train.AllDevices:
		each = "one, less on each of several"
	case p.Devices > 1:
		each = fmt.Sprintf("each of %d", p.Devices)
	}
	batches := make([]string, 0, 3)
	for _, size := range []int64{24, 40, 80} {
		batch := p.Devices * p.OnGPU.LargestBatch(size*gigabyte)
		room := fmt.Sprint(batch)
		if batch >= train.MaxBatch {
			room = "any"
		}
		batches = append(batches, fmt.Sprintf("%d GB: %s", size, room))
	}
	return fmt.Sprintf("about %s on %s, as compiled for an H100, not measured; largest train.batch with %s",
		machine.ByteSize(p.OnGPU.Total()), each, strings.Join(batches, ", "))
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
		meta := pairsMeta(j.Networks, j.Domain.Name, from)
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
