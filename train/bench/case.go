// Package bench measures how fast sampling and training are, each case in a process of its own, and finds the fastest
// batch.
package bench

import (
	"cmp"
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/gomlx/compute"

	"illustrator/data/pairs"
	"illustrator/data/seeds"
	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
	"illustrator/train/sampling"
)

// Case is a piece of work that is measured.
type Case struct {
	Name  string
	About string
	// Repeat is the number of steps of one measurement, so that a measurement takes a sizeable part of a second.
	Repeat int
	// Open returns the frozen networks, to be computed with in the given precision, which is Precision.
	Open      func(compute.Backend, pipeline.Precision) (*pipeline.Networks, error)
	Precision pipeline.Precision
	// Task names the work of a step.
	Task   Task
	Losses losses.Weights // of Training
	Batch  int
	// NoiseMode is the generator's noise of Training and Sampling; "" is random. Devices is the number that Training runs
	// on; 0 is one.
	NoiseMode stylegan2.NoiseMode
	Devices   int
	// Mapper and Optimizer are those of the training. The widths of embedding and Z are the networks'.
	Mapper    mapper.Config
	Optimizer train.Optimizer
}

// Task is a kind of work.
type Task string

// The tasks: a training step; a batch of pictures rendered and encoded; a batch of pairs from z to synced files; the
// state of a training written, and read back.
const (
	Training   Task = "training"
	Sampling   Task = "sampling"
	Pairs      Task = "pairs"
	Checkpoint Task = "checkpoint"
	Resume     Task = "resume"
)

// Work describes a case for another program that is to do the same: sizes and settings, and the numbers of parameters
// that prove the networks alike.
type Work struct {
	Task      Task              `json:"task"`
	Batch     int               `json:"batch"`
	Repeat    int               `json:"repeat"`
	Losses    losses.Weights    `json:"losses"`
	Optimizer train.Optimizer   `json:"optimizer"`
	Rate      float64           `json:"learning_rate"`
	Generator stylegan2.Config  `json:"generator"`
	Vision    clip.VisionConfig `json:"vision"`
	EmbedDim  int               `json:"embed_dim"`
	Mapper    mapper.Config     `json:"mapper"`

	GeneratorParameters int `json:"generator_parameters"` // noise pictures included
	VisionParameters    int `json:"vision_parameters"`    // with the projection
	MapperParameters    int `json:"mapper_parameters"`
}

// learningRate is small enough that the mapper stays near its fresh weights over a benchmark.
const learningRate = 1e-5

// Prepare opens the case's networks and returns what it does, and the function that does the step at, counted from 0.
func (c Case) Prepare(ctx context.Context, backend compute.Backend) (Work, func(at int) error, error) {
	n, err := c.Open(backend, c.Precision)
	if err != nil {
		return Work{}, nil, err
	}
	if c.Task != Training { // whose other computations stay in float32
		n.Precision = c.Precision
	}
	work := c.Work(n.Generator, n.CLIP)
	step, err := c.step(ctx, n, work.Mapper)
	return work, step, err
}

// Work describes the case with networks of the given sizes.
func (c Case) Work(generator stylegan2.Config, networks clip.Config) Work {
	m := c.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, networks.ProjectionDim, generator.StyleDim
	vision := networks.Shapes()
	maps.DeleteFunc(vision, func(name string, _ []int) bool { return !strings.HasPrefix(name, "vis") })
	return Work{
		Task: c.Task, Batch: c.Batch, Repeat: c.Repeat, Losses: c.Losses, Optimizer: c.Optimizer, Rate: learningRate,
		Generator: generator, Vision: networks.Vision, EmbedDim: m.EmbedDim, Mapper: m,
		GeneratorParameters: generator.Shapes().Elements(), VisionParameters: vision.Elements(),
		MapperParameters: m.Parameters(),
	}
}

// step returns what a step does.
func (c Case) step(ctx context.Context, n *pipeline.Networks, m mapper.Config) (func(at int) error, error) {
	switch c.Task {
	case Sampling:
		return c.sampling(ctx, n), n.NeedFrozenIn(c.Precision) // now: loading is not part of the first step
	case Pairs:
		return c.pairs(ctx, n)
	case Checkpoint, Resume:
		return c.checkpoint(n, m)
	}
	step, err := c.training(n, m).Stepper()
	return func(at int) error { _, err := step(at); return err }, err
}

// pairs is a shard of what `illustrator pairs` writes.
func (c Case) pairs(ctx context.Context, n *pipeline.Networks) (func(at int) error, error) {
	folder, err := os.MkdirTemp("", "illustrator-bench-")
	if err != nil {
		return nil, err
	}
	w, err := pairs.OpenWriter(folder, sampling.Meta(n, c.Name, 0, stylegan2.NoiseRandom, "bench"), c.Batch)
	if err != nil {
		return nil, err
	}
	return func(at int) error { return sampling.Pairs(ctx, n, w, (at+1)*c.Batch, nil) }, n.NeedFrozenIn(c.Precision)
}

// checkpoint writes a training's state, or reads it.
func (c Case) checkpoint(n *pipeline.Networks, m mapper.Config) (func(at int) error, error) {
	folder, err := os.MkdirTemp("", "illustrator-bench-")
	if err != nil {
		return nil, err
	}
	t := c.training(n, m)
	t.Folder = train.Folder(folder)
	save, resume, err := t.Checkpointer()
	if err == nil {
		err = save() // for resume to read
	}
	if c.Task == Resume {
		save = resume
	}
	return func(int) error { return save() }, err
}

// sampling is a batch of what `illustrator pairs` does: z → picture → embedding.
func (c Case) sampling(ctx context.Context, n *pipeline.Networks) func(at int) error {
	n.Pictures = c.Batch
	return func(at int) error {
		keys, z := make([]uint64, c.Batch), make([]float32, 0, c.Batch*n.Generator.StyleDim)
		for i := range keys {
			keys[i] = uint64(at*c.Batch + i)
			z = append(z, seeds.Z(keys[i], n.Generator.StyleDim)...)
		}
		_, err := n.RenderAndEmbed(ctx, z, pipeline.Synthesis{NoiseMode: c.noiseMode(), Keys: keys})
		return err
	}
}

func (c Case) noiseMode() stylegan2.NoiseMode { return cmp.Or(c.NoiseMode, stylegan2.NoiseRandom) }

// training is `illustrator train` on random pairs.
func (c Case) training(n *pipeline.Networks, m mapper.Config) *train.Training {
	return &train.Training{
		Config: train.Config{
			Batch: c.Batch, Devices: train.DeviceCount(c.Devices), Precision: c.Precision, NoiseMode: c.noiseMode(),
			Optimizer:  c.Optimizer,
			Checkpoint: train.Checkpoint{Every: 1, Keep: 1}, Validation: train.Validation{Every: 1 << 40},
			Stages: []train.Stage{{
				Name: c.Name, Losses: c.Losses,
				Schedule: train.Schedule{Kind: "constant", Steps: 1 << 40, LearningRate: learningRate},
			}},
		},
		Mapper: m, Networks: n, Pairs: randomPairs(8*c.Batch, m),
	}
}

// randomPairs are pairs of z and embeddings that have nothing to do with each other.
func randomPairs(rows int, m mapper.Config) memoryPairs {
	rng := rand.New(rand.NewPCG(0, 1)) // every run does the same work
	p := make(memoryPairs, rows)
	for i := range p {
		p[i].z = seeds.Z(uint64(i), m.ZDim)
		p[i].imageEmbed = seeds.Z(rng.Uint64(), m.EmbedDim) // of length about √E, as embeddings are
	}
	return p
}

// memoryPairs are train.Pairs in memory.
type memoryPairs []struct{ z, imageEmbed []float32 }

func (p memoryPairs) Len() int { return len(p) }

func (p memoryPairs) Read(rows []int, z, imageEmbeds []float32) error {
	for i, row := range rows {
		copy(z[i*len(p[row].z):], p[row].z)
		copy(imageEmbeds[i*len(p[row].imageEmbed):], p[row].imageEmbed)
	}
	return nil
}
