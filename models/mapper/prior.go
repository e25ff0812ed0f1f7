package mapper

import (
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/nn"
)

// A prior learns the distribution of z given an image embedding by flow matching (Lipman et al. 2023; Liu et al. 2023):
// a network predicts the velocity z - ε on the straight line from noise ε at time 0 to z at time 1. Its condition is
// noised in training, so that it takes text embeddings for those of pictures, and dropped at times, for classifier-free
// guidance: both as clip2latent (Pinkney and Li 2022) does with a diffusion in W.
//
// Axes: F features of the time.

// PriorConfig holds the settings of a prior. Other architectures have none.
type PriorConfig struct {
	// Steps is the number of Euler steps from noise to z. Each takes two evaluations of the network, one without guidance.
	Steps int `json:"steps" yaml:"steps"`
	// Guidance multiplies the difference that the condition (the embedding) makes; 1 samples by the condition alone.
	Guidance float64 `json:"guidance" yaml:"guidance"`
	// ConditionNoise is the length of the noise that training adds to a condition, in lengths of the condition.
	ConditionNoise float64 `json:"condition_noise" yaml:"condition_noise"`
	// ConditionDropout is the share of conditions that training drops.
	ConditionDropout float64 `json:"condition_dropout" yaml:"condition_dropout"`
}

// timeFeatures is F, half of them sines and half cosines of frequencies from 1 to timeRange.
const (
	timeFeatures = 64
	timeRange    = 1000
)

func (c Config) validatePrior() error {
	const field = "mapper config: prior."
	p := c.Prior
	switch {
	case c.Blocks < 1 || c.Blocks > 64:
		return fault.Field("mapper config: blocks", c.Blocks, "from 1 to 64")
	case p.Steps < 1 || p.Steps > 256:
		return fault.Field(field+"steps", p.Steps, "from 1 to 256 (16 in the run lorelei-prior)")
	case !(p.Guidance >= 0 && p.Guidance <= 20):
		return fault.Field(field+"guidance", p.Guidance, "from 0 to 20; 1 samples by the condition alone")
	case !(p.ConditionNoise >= 0 && p.ConditionNoise <= 10):
		return fault.Field(field+"condition_noise", p.ConditionNoise, "from 0 to 10")
	case !(p.ConditionDropout >= 0 && p.ConditionDropout < 1):
		return fault.Field(field+"condition_dropout", p.ConditionDropout, "from 0 to below 1")
	}
	return nil
}

// priorShapes are the tensors of a prior.
func (c Config) priorShapes() checkpoints.Shapes {
	s := checkpoints.Shapes{}
	linear := func(name string, in, out int) {
		s[name+".weight"], s[name+".bias"] = []int{out, in}, []int{out}
	}
	linear("input", c.ZDim, c.Width)
	linear("time.0", timeFeatures, c.Width)
	linear("time.2", c.Width, c.Width)
	linear("condition", c.EmbedDim, c.Width)
	for b := range c.Blocks {
		linear(priorLayer(b, "modulation"), c.Width, 2*c.Width)
		linear(priorLayer(b, "0"), c.Width, c.Width)
		linear(priorLayer(b, "2"), c.Width, c.Width)
	}
	linear("output", c.Width, c.ZDim)
	return s
}

func priorLayer(b int, part string) string { return fmt.Sprintf("blocks.%d.%s", b, part) }

// Velocity predicts z - ε at x [B,Z] and time [B,1] from 0 to 1, given a condition [B,E]. A condition of zeros is no
// condition.
func Velocity(scope *model.Scope, cfg Config, x, time, condition *Node) *Node {
	batch := x.Shape().Dim(0)
	x.AssertDims(batch, cfg.ZDim)
	time.AssertDims(batch, 1)
	condition.AssertDims(batch, cfg.EmbedDim)
	embed := nn.Linear(scope, silu(nn.Linear(scope, timeEmbedding(time), "time.0", cfg.Width)), "time.2", cfg.Width)
	embed = silu(Add(embed, nn.Linear(scope, condition, "condition", cfg.Width))) // [B,D]
	h := nn.Linear(scope, x, "input", cfg.Width)
	for b := range cfg.Blocks {
		modulation := nn.Linear(scope, embed, priorLayer(b, "modulation"), 2*cfg.Width)
		scale, shift := Slice(modulation, AxisRange(), AxisRange(0, cfg.Width)), Slice(modulation, AxisRange(),
			AxisRange(cfg.Width))
		y := Add(Mul(normalise(h), OnePlus(scale)), shift)
		y = silu(nn.Linear(scope, y, priorLayer(b, "0"), cfg.Width))
		h = Add(h, nn.Linear(scope, y, priorLayer(b, "2"), cfg.Width))
	}
	return nn.Linear(scope, normalise(h), "output", cfg.ZDim)
}

func silu(x *Node) *Node { return Mul(x, Sigmoid(x)) }

// normalise is torch.nn.LayerNorm without weights: rows [B,D] to mean 0 and deviation 1.
func normalise(x *Node) *Node {
	const epsilon = 1e-5 // PyTorch's default
	x = Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	return Div(x, Sqrt(AddScalar(ReduceAndKeep(Square(x), ReduceMean, -1), epsilon)))
}

// timeEmbedding: [B,1] → [B,F].
func timeEmbedding(time *Node) *Node {
	frequencies := make([]float64, timeFeatures/2)
	for i := range frequencies {
		frequencies[i] = math.Pow(timeRange, float64(i)/float64(len(frequencies)-1))
	}
	angles := Mul(time, ConstAsDType(time.Graph(), time.DType(), [][]float64{frequencies}))
	return Concatenate([]*Node{Sin(angles), Cos(angles)}, 1)
}

// Sample draws z [B,Z] from noise [B,Z] by Euler's method, given image embeddings [B,E]. Equal noise gives equal z.
func Sample(scope *model.Scope, cfg Config, imageEmbeds, noise *Node) *Node {
	batch, guided := noise.Shape().Dim(0), cfg.Prior.Guidance != 1
	condition := imageEmbeds
	if guided {
		condition = Concatenate([]*Node{imageEmbeds, ZerosLike(imageEmbeds)}, 0)
	}
	x := noise
	for i := range cfg.Prior.Steps {
		at := x
		if guided {
			at = Concatenate([]*Node{x, x}, 0)
		}
		time := MulScalar(OnesLike(Slice(at, AxisRange(), AxisRange(0, 1))), float64(i)/float64(cfg.Prior.Steps))
		velocity := Velocity(scope, cfg, at, time, condition)
		if guided {
			with, without := Slice(velocity, AxisRange(0, batch)), Slice(velocity, AxisRange(batch))
			velocity = Add(without, MulScalar(Sub(with, without), cfg.Prior.Guidance))
		}
		x = Add(x, DivScalar(velocity, float64(cfg.Prior.Steps)))
	}
	return x
}

// StartNoise returns the noise [Z] that Build samples a prior's z from.
func StartNoise(cfg Config) []float32 {
	const stream = 5
	rng := rand.New(rand.NewPCG(0, stream))
	noise := make([]float32, cfg.ZDim)
	for i := range noise {
		noise[i] = float32(rng.NormFloat64())
	}
	return noise
}

// buildPrior samples z by the start noise.
func buildPrior(scope *model.Scope, cfg Config, imageEmbeds *Node) *Node {
	noise := ConstAsDType(imageEmbeds.Graph(), imageEmbeds.DType(), [][]float32{StartNoise(cfg)})
	return Sample(scope, cfg, imageEmbeds, BroadcastToDims(noise, imageEmbeds.Shape().Dim(0), cfg.ZDim))
}

// Draft holds what a prior is trained on: the noise, the time, and the condition of each row.
type Draft struct{ Noise, Time, Condition *Node }

// NewDraft draws the noise, the time and the condition of image embeddings [B,E] from keys [B]. The time is the
// logistic function of a normal number, which trains the middle most (Esser et al. 2024).
func NewDraft(cfg Config, imageEmbeds, keys *Node) Draft {
	z, e := cfg.ZDim, cfg.EmbedDim
	normal := ConvertDType(nn.NormalNoise(keys, z+e+2), imageEmbeds.DType())
	part := func(from, to int) *Node { return Slice(normal, AxisRange(), AxisRange(from, to)) }
	return Draft{
		Noise:     part(0, z),
		Time:      Sigmoid(part(z, z+1)),
		Condition: cfg.Prior.noised(imageEmbeds, part(z+2, z+2+e), part(z+1, z+2)),
	}
}

// noised adds noise [B,E] to conditions and keeps their lengths, and drops those whose number [B,1], which is normal,
// is below the quantile of ConditionDropout.
func (p PriorConfig) noised(condition, noise, number *Node) *Node {
	length := rowLength(condition)
	moved := Add(condition, Mul(MulScalar(length, p.ConditionNoise), Div(noise, rowLength(noise))))
	moved = Mul(moved, Div(length, rowLength(moved)))
	quantile := math.Sqrt2 * math.Erfinv(2*p.ConditionDropout-1)
	if math.IsInf(quantile, -1) { // nothing is dropped
		return moved
	}
	keep := GreaterOrEqual(number, ConstAs(number, quantile))
	return Mul(moved, ConvertDType(keep, moved.DType()))
}

// rowLength: [B,E] → [B,1], at least 1e-8.
func rowLength(x *Node) *Node {
	return Sqrt(MaxScalar(ReduceAndKeep(Square(x), ReduceSum, -1), 1e-16))
}

// At returns the point [B,Z] on the line from the noise to z at the time.
func (d Draft) At(z *Node) *Node { return Add(Mul(OneMinus(d.Time), d.Noise), Mul(d.Time, z)) }
