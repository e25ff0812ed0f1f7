// Package bench measures how fast sampling and training are, here and in PyTorch: each case runs in a process of its own,
// and processes that do the same work take turns, so that both see the same machine.
package bench

import (
	"context"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/gomlx/backends"

	"illustrator/data"
	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// Case is a piece of work that is measured.
type Case struct {
	Name  string
	About string
	// Repeat is the number of steps of one measurement, so that a measurement takes a sizeable part of a second.
	Repeat int
	// Open returns the frozen networks.
	Open func(backends.Backend) (*pipeline.Networks, error)
	// Sampling renders and encodes a batch of pictures; otherwise a step is a training step with Losses.
	Sampling bool
	Losses   losses.Weights
	Batch    int
	// Mapper and Optimizer are those of the training. The widths of embedding and Z are the networks'.
	Mapper    mapper.Config
	Optimizer train.Optimizer
}

// Work describes a case for another program that is to do the same: sizes and settings, and the numbers of parameters
// that prove the networks alike.
type Work struct {
	Sampling  bool              `json:"sampling"`
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

// prepare opens the case's networks and returns what it does, and the function that does the step at, counted from 0.
func (c Case) prepare(ctx context.Context, backend backends.Backend) (Work, func(at int) error, error) {
	n, err := c.Open(backend)
	if err != nil {
		return Work{}, nil, err
	}
	m := c.Mapper
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, n.CLIP.ProjectionDim, n.Generator.StyleDim
	work := Work{
		Sampling: c.Sampling, Batch: c.Batch, Repeat: c.Repeat, Losses: c.Losses, Optimizer: c.Optimizer, Rate: learningRate,
		Generator: n.Generator, Vision: n.CLIP.Vision, EmbedDim: m.EmbedDim, Mapper: m,
		GeneratorParameters: count(n.Generator.Shapes(), ""), VisionParameters: count(n.CLIP.Shapes(), "vis"), MapperParameters: m.Parameters(),
	}
	if c.Sampling {
		return work, c.sampling(ctx, n), n.NeedFrozen() // now, for loading is no part of the first step
	}
	step, err := c.training(n, m)
	return work, step, err
}

// sampling is a batch of what `illustrator pairs` does: z → picture → embedding.
func (c Case) sampling(ctx context.Context, n *pipeline.Networks) func(at int) error {
	return func(at int) error {
		keys, z := make([]uint64, c.Batch), make([]float32, 0, c.Batch*n.Generator.StyleDim)
		for i := range keys {
			keys[i] = uint64(at*c.Batch + i)
			z = append(z, data.Z(keys[i], n.Generator.StyleDim)...)
		}
		_, err := n.RenderAndEmbed(ctx, z, pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: keys})
		return err
	}
}

// training is a step of `illustrator train` on random pairs.
func (c Case) training(n *pipeline.Networks, m mapper.Config) (func(at int) error, error) {
	t := train.Training{
		Config: train.Config{
			Batch: c.Batch, NoiseMode: string(stylegan2.NoiseRandom), Optimizer: c.Optimizer,
			Stages: []train.Stage{{
				Name: c.Name, Losses: c.Losses,
				Schedule: train.Schedule{Kind: "constant", Steps: 1 << 40, LearningRate: learningRate},
			}},
		},
		Mapper: m, Networks: n, Pairs: randomPairs(8*c.Batch, m),
	}
	step, err := t.Stepper()
	if err != nil {
		return nil, err
	}
	return func(at int) error { _, err := step(at); return err }, nil
}

// randomPairs are pairs of z and embeddings that have nothing to do with each other.
func randomPairs(rows int, m mapper.Config) pairs {
	rng := rand.New(rand.NewPCG(0, 1)) // every run does the same work
	p := make(pairs, rows)
	for i := range p {
		p[i].z = data.Z(uint64(i), m.ZDim)
		p[i].imageEmbed = data.Z(rng.Uint64(), m.EmbedDim) // of length about √E, as embeddings are
	}
	return p
}

// pairs are train.Pairs in memory.
type pairs []struct{ z, imageEmbed []float32 }

func (p pairs) Len() int { return len(p) }

func (p pairs) Read(rows []int, z, imageEmbeds []float32) error {
	for i, row := range rows {
		copy(z[i*len(p[row].z):], p[row].z)
		copy(imageEmbeds[i*len(p[row].imageEmbed):], p[row].imageEmbed)
	}
	return nil
}

// count is the number of elements of the tensors whose names begin with prefix.
func count(shapes map[string][]int, prefix string) int {
	sum := 0
	for name, shape := range shapes {
		if strings.HasPrefix(name, prefix) {
			n := 1
			for _, d := range shape {
				n *= d
			}
			sum += n
		}
	}
	return sum
}
