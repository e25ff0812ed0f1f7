package world

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/losses"
	"illustrator/models/nn"
	"illustrator/models/stylegan2"
	"illustrator/train"
	"illustrator/train/snapshot"
)

const discriminatorScope = "discriminator"

// Weights of the losses beside the adversarial one: R1's γ, and that of the regression at half and at a quarter of
// the size, which holds the picture of a z to its scene.
const (
	r1Gamma     = 1.0
	coarseShare = 3.0
)

// r1Part is the part of a batch, 1 in r1Part pictures, that R1 is computed on.
const r1Part = 4

// Adversarial fine-tunes a domain's synthesis network against a discriminator that knows the style that a picture
// should show: the non-saturating loss, R1, and a moving average, which is measured and exported.
func (m *Maker) Adversarial(ctx context.Context, r *Renders) error {
	cfg, plan := m.Plan.Generator, m.Plan.Adversarial
	cfg.Trained = true
	distilled, err := m.finished(r.Domain.Name(), synthesisStage, m.Plan.Synthesis)
	if err != nil {
		return err
	}
	store := model.NewStore()
	if err := m.loadAdversarial(store, distilled); err != nil {
		return err
	}
	order := m.order(4)
	a := adversaries{cfg: cfg, live: cfg.TrainedNames(false), optimizer: train.Optimizer{Name: train.Adam, Beta1: 0,
		Beta2: 0.99, Epsilon: 1e-8, Accumulate: 1}}
	_, err = m.run(ctx, r.Domain.Name(), job{name: adversarialStage, plan: plan, store: store,
		batch: func(at int) ([]any, error) {
			rows := m.rows(order, at, plan.Batch)
			pictures, err := r.Pictures(rows)
			if err != nil {
				return nil, err
			}
			return []any{tensors.FromFlatDataAndDimensions(r.Z(rows), plan.Batch, scene.ZDim),
				tensors.FromFlatDataAndDimensions(pictures, plan.Batch, m.Plan.Size, m.Plan.Size, 3)}, nil
		},
		step:     a.step,
		measures: []string{"generator", "discriminator", "r1", "coarse error"},
	})
	return err
}

// adversaries are a generator and a discriminator that are trained in turns.
type adversaries struct {
	cfg       stylegan2.Config
	live      []string
	optimizer train.Optimizer
}

// step trains the discriminator, then the generator against it, on z [B,Z] and their renders uint8 [B,H,H,3].
func (a adversaries) step(scope *model.Scope, rate *Node, in []*Node) []*Node {
	generator, judge := scope.At(generatorScope), scope.At(discriminatorScope)
	w := StopGradient(stylegan2.Mapping(generator, a.cfg, in[0]))
	noise := stylegan2.Noise{Mode: stylegan2.NoiseNone}
	fake := stylegan2.Synthesis(generator, a.cfg, stylegan2.BroadcastW(a.cfg, w), noise)
	real := images(in[1], rate)

	some := max(1, real.Shape().Dim(0)/r1Part)
	first := func(x *Node) *Node { return Slice(x, AxisRange(0, some)) }
	r1 := losses.R1(func(x *Node) *Node { return stylegan2.Discriminate(judge, a.cfg, x, first(w)) }, first(real))
	judged := losses.DiscriminatorLoss(stylegan2.Discriminate(judge, a.cfg, StopGradient(fake), w),
		stylegan2.Discriminate(judge, a.cfg, real, w))
	a.optimizer.Update(judge, Add(judged, MulScalar(r1, r1Gamma/2)), rate, false)
	for v := range judge.IterVariables() {
		if v.Trainable { // the generator's gradient does not pass through the step above
			v.SetNodeValue(StopGradient(v.NodeValue(rate.Graph())))
		}
	}

	half := halve(Sub(fake, real))
	coarse := Add(ReduceAllMean(Abs(half)), ReduceAllMean(Abs(halve(half))))
	adversarial := losses.GeneratorLoss(stylegan2.Discriminate(judge, a.cfg, fake, w))
	a.optimizer.Update(generator, Add(adversarial, MulScalar(coarse, coarseShare)), rate, false)
	train.Follow(generator, scope.At(averageScope), rate.Graph(), a.live, stylegan2.IsBuffer, averageDecay)
	return []*Node{adversarial, judged, r1, coarse}
}

// loadAdversarial puts the distilled generator, as its own average, and a fresh discriminator into store.
func (m *Maker) loadAdversarial(store *model.Store, distilled *checkpoints.Weights) error {
	mapping := snapshot.Scope(distilled, generatorScope)
	if err := m.loadSynthesis(store, mapping); err != nil {
		return err
	}
	average := snapshot.Scope(distilled, averageScope)
	for _, scope := range []string{generatorScope, averageScope} {
		if err := nn.Load(store.Scope("/"+scope), average, floatType, false); err != nil {
			return err
		}
	}
	return nn.Load(store.Scope("/"+discriminatorScope), stylegan2.InitDiscriminator(m.Plan.Generator, m.Plan.Seed+5),
		floatType, true)
}
