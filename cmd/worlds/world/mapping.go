package world

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/cmd/worlds/scene"
	"illustrator/internal/fault"
	"illustrator/models/nn"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// Axes: B batch, Z latent, U rotated latent, V vertices of an attribute, C values of all attributes and variations.

// code is the W that the mapping network is trained to give: an orthonormal projection of what a picture shows,
// softened. Each attribute is a block of the probabilities of its values, standardised; each variation is one
// number.
type code struct {
	latent     *scene.Latent
	attributes []scene.Attribute
	variations []scene.Variation
	basis      []float32 // [C,Z], orthonormal rows
	width      int       // C
}

// sharpness is the factor of the inner products that probabilities are the softmax of: higher is closer to the map
// from z to scenes, and harder to follow for a network.
const sharpness = 6

// deviation is that of a code's numbers.
const deviation = 0.8

func newCode(d scene.Domain, latent *scene.Latent, wide int) (*code, error) {
	c := &code{latent: latent, attributes: d.Attributes(), variations: d.Continuous()}
	for _, a := range c.attributes {
		c.width += len(a.Values)
	}
	if c.width += len(c.variations); c.width > wide {
		return nil, fault.Field("style_dim", wide, "at least %d: the values and variations of %s", c.width, d.Name())
	}
	c.basis = orthonormal(rand.New(rand.NewPCG(5, 0)), c.width, wide)
	return c, nil
}

// orthonormal draws rows orthonormal vectors of size wide.
func orthonormal(random *rand.Rand, rows, wide int) (flat []float32) {
	var basis [][]float64
	for range rows {
		v := make([]float64, wide)
		for i := range v {
			v[i] = random.NormFloat64()
		}
		for _, b := range basis {
			along := 0.0
			for i := range v {
				along += v[i] * b[i]
			}
			for i := range v {
				v[i] -= along * b[i]
			}
		}
		norm := 0.0
		for _, x := range v {
			norm += x * x
		}
		for i := range v {
			v[i] /= math.Sqrt(norm)
			flat = append(flat, float32(v[i]))
		}
		basis = append(basis, v)
	}
	return flat
}

// scale gives W deviation 1.
func (c *code) scale(wide int) float64 {
	return math.Sqrt(float64(wide) / (deviation * deviation * float64(c.width)))
}

// shares are the probabilities of an attribute's values for a random z.
func shares(a scene.Attribute) []float64 {
	p := make([]float64, len(a.Values))
	for v := range a.Vertices() {
		p[a.Value(v)] += 1 / float64(a.Vertices())
	}
	return p
}

// soft builds the code of z [B,Z]: [B,C].
func (c *code) soft(z *Node) *Node {
	g := z.Graph()
	z = Div(z, Sqrt(ReduceAndKeep(Square(z), ReduceMean, -1)))
	u := nn.MatMulT(z, constant(g, c.latent.Rotation))
	var blocks []*Node
	for k, a := range c.attributes {
		vertices := a.Vertices()
		own := Slice(u, AxisRange(), AxisRange(c.latent.Offsets[k], c.latent.Offsets[k]+vertices-1))
		near := Softmax(MulScalar(nn.MatMulT(own, constant(g, scene.Simplex(vertices))), sharpness), 1) // [B,V]
		valueOf := make([][]float64, len(a.Values))
		for v := range valueOf {
			valueOf[v] = make([]float64, vertices)
			for at := range vertices {
				if a.Value(at) == v {
					valueOf[v][at] = 1
				}
			}
		}
		probabilities := nn.MatMulT(near, constant(g, valueOf))
		mean, spread := make([]float64, len(a.Values)), make([]float64, len(a.Values))
		for v, p := range shares(a) {
			mean[v], spread[v] = p, deviation/math.Sqrt(p*(1-p))
		}
		blocks = append(blocks, Mul(Sub(probabilities, constant(g, [][]float64{mean})), constant(g, [][]float64{spread})))
	}
	for i, v := range c.variations {
		own := Slice(u, AxisRange(), AxisRange(c.latent.Rest+i, c.latent.Rest+i+1))
		if v.Binary {
			own = Tanh(MulScalar(own, 3))
		} else {
			own = ClipScalar(own, -2.5, 2.5)
		}
		blocks = append(blocks, MulScalar(own, deviation))
	}
	return StopGradient(Concatenate(blocks, 1))
}

// w projects a code [B,C] to W [B,Z].
func (c *code) w(soft *Node, wide int) *Node {
	basis := Const(soft.Graph(), tensors.FromFlatDataAndDimensions(c.basis, c.width, wide))
	return MulScalar(MatMul(soft, basis), c.scale(wide))
}

// constant is a float32 matrix.
func constant(g *Graph, rows [][]float64) *Node {
	flat := make([]float32, 0, len(rows)*len(rows[0]))
	for _, row := range rows {
		for _, x := range row {
			flat = append(flat, float32(x))
		}
	}
	return Const(g, tensors.FromFlatDataAndDimensions(flat, len(rows), len(rows[0])))
}

// lateShare is the share of the mapping network's steps after which its loss no longer weighs large errors by their
// square: the boundaries between values, where they are, then count less.
const lateShare = 0.8

// Mapping trains the mapping network of a domain: z ~ N(0, 1) → the W of its scene. It needs no pictures.
func (m *Maker) Mapping(ctx context.Context, d scene.Domain) error {
	latent, err := scene.NewLatent(d)
	if err != nil {
		return err
	}
	cfg, plan := m.Plan.Generator, m.Plan.Mapping
	c, err := newCode(d, latent, cfg.StyleDim)
	if err != nil {
		return err
	}
	store := model.NewStore()
	if err := m.loadGenerator(store, m.Plan.Seed); err != nil {
		return err
	}
	for v := range store.IterVariables() {
		v.SetTrainable(stylegan2.IsMapping(v.Name()))
	}
	optimizer := train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 1, Accumulate: 1}
	_, err = m.run(ctx, d.Name(), job{name: "mapping", plan: plan, store: store,
		batch: func(at int) ([]any, error) {
			late := float32(0)
			if float64(at) >= lateShare*float64(plan.Schedule.Steps) {
				late = 1
			}
			return []any{keys(at, plan.Batch), tensors.FromScalar(late)}, nil
		},
		step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			z := nn.NormalNoise(in[0], cfg.StyleDim)
			target := c.w(c.soft(z), cfg.StyleDim)
			off := Sub(stylegan2.Mapping(scope.At(generatorScope), cfg, z), target)
			squared, robust := ReduceAllMean(Square(off)), MulScalar(smoothL1(off, 0.1), 0.5)
			loss := Add(Mul(OneMinus(in[1]), squared), Mul(in[1], robust))
			optimizer.Update(scope, loss, rate, false)
			return []*Node{loss, squared}
		},
		measures: []string{"loss", "squared error"},
	})
	if err != nil {
		return fmt.Errorf("mapping network: %w", err)
	}
	return nil
}

// smoothL1 is torch.nn.functional.smooth_l1_loss: x²/2β below β, |x|-β/2 above, as the mean over all elements.
func smoothL1(x *Node, beta float64) *Node {
	size := Abs(x)
	small := DivScalar(Square(x), 2*beta)
	return ReduceAllMean(Where(LessThan(size, Scalar(x.Graph(), x.DType(), beta)), small, AddScalar(size, -beta/2)))
}

// loadGenerator puts a fresh generator into store.
func (m *Maker) loadGenerator(store *model.Store, seed uint64) error {
	return stylegan2.LoadTrained(store.Scope("/"+generatorScope), m.Plan.Generator, stylegan2.Init(m.Plan.Generator, seed),
		floatType)
}
