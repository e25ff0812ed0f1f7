package world

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/models/batch"
	"illustrator/models/classifier"
	"illustrator/models/nn"
	"illustrator/train"
	"illustrator/train/snapshot"
)

// The scopes of the networks that are trained.
const (
	classifierScope = "classifier"
	generatorScope  = "generator"
	averageScope    = "average"
	clipScope       = "clip"
)

// classifierConfig is the classifier of a domain.
func (m *Maker) classifierConfig(d scene.Domain) classifier.Config {
	return classifier.Config{ModelType: classifier.ModelType, ImageSize: m.Plan.Size, Attributes: attributesOf(d)}
}

func attributesOf(d scene.Domain) (all []classifier.Attribute) {
	for _, a := range d.Attributes() {
		all = append(all, classifier.Attribute{Name: a.Name, Values: a.Values})
	}
	return all
}

// Classifier trains the classifier of a domain on renders: cross-entropy of what is visible, on pictures that are
// made softer, noisier, brighter or darker, as a generator's may be.
func (m *Maker) Classifier(ctx context.Context, r *Renders) error {
	if err := m.trainClassifier(ctx, r, classifierScope, 0); err != nil {
		return err
	}
	return m.measureClassifier(ctx, r)
}

// teacherStage trains the classifier whose layers Details compares.
const teacherStage = "teacher"

// Teacher trains a second classifier, with other random numbers. It judges nothing.
func (m *Maker) Teacher(ctx context.Context, r *Renders) error {
	return m.trainClassifier(ctx, r, teacherStage, 50)
}

// trainClassifier trains a classifier in the folder of a stage. purpose is added to its seeds.
func (m *Maker) trainClassifier(ctx context.Context, r *Renders, stage string, purpose uint64) error {
	cfg, plan := m.classifierConfig(r.Domain), m.Plan.Classifier
	store := model.NewStore()
	fresh := classifier.Init(cfg, m.Plan.Seed+purpose)
	if err := classifier.LoadTrained(store.Scope("/"+classifierScope), cfg, fresh); err != nil {
		return err
	}
	order := m.order(purpose + 1)
	optimizer := train.Optimizer{Name: train.AdamW, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01,
		Accumulate: 1}
	_, err := m.run(ctx, r.Domain.Name(), job{name: stage, plan: plan, store: store,
		batch: func(at int) ([]any, error) {
			rows := m.rows(order, at, plan.Batch)
			pictures, err := r.Pictures(rows)
			if err != nil {
				return nil, err
			}
			return []any{
				tensors.FromFlatDataAndDimensions(pictures, plan.Batch, m.Plan.Size, m.Plan.Size, 3),
				tensors.FromFlatDataAndDimensions(r.Values(rows), plan.Batch, len(cfg.Attributes)),
				disturbances(scene.Random(m.Plan.Seed+purpose+2, at), plan.Batch), keys(at, plan.Batch),
			}, nil
		},
		step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			x := disturb(images(in[0], rate), in[2], in[3])
			loss := classifier.CrossEntropy(cfg, classifier.Build(scope.At(classifierScope), cfg, x), in[1])
			optimizer.Update(scope, loss, rate, false)
			return []*Node{loss}
		},
		measures: []string{"cross-entropy"},
	})
	return err
}

// disturbances draws for each picture the share of its blur, the deviation of its noise, and its gain: [batch,3].
func disturbances(random *rand.Rand, batch int) *tensors.Tensor {
	flat := make([]float32, 0, 3*batch)
	for range batch {
		blur, noise := 0.0, 0.0
		switch random.IntN(4) {
		case 0:
			blur = 1
		case 1:
			noise = 0.15 * random.Float64()
		case 2:
			blur, noise = 0.5, 0.05
		}
		flat = append(flat, float32(blur), float32(noise), float32(0.92+0.13*random.Float64()))
	}
	return tensors.FromFlatDataAndDimensions(flat, batch, 3)
}

// disturb makes pictures x [B,3,H,H] softer, noisier, brighter or darker.
func disturb(x, how, keys *Node) *Node {
	size := x.Shape().Dimensions
	by := func(i int) *Node { return Reshape(Slice(how, AxisRange(), AxisElem(i)), size[0], 1, 1, 1) }
	soft := nn.AvgPool2d(x, 3, 1)
	noise := Reshape(nn.NormalNoise(keys, 3*size[2]*size[3]), size...)
	x = Add(Add(x, Mul(by(0), Sub(soft, x))), Mul(by(1), noise))
	return StopGradient(Mul(x, by(2)))
}

// openClassifier returns a runner with a domain's trained classifier.
func (m *Maker) openClassifier(d scene.Domain) (*batch.Runner, classifier.Config, error) {
	cfg := m.classifierConfig(d)
	weights, err := m.classifierWeights(d)
	if err != nil {
		return nil, cfg, err
	}
	r := batch.NewRunner(m.Backend)
	return r, cfg, classifier.Load(r.Store.Scope("/"+classifierScope), cfg, weights, dtypes.Float32)
}

func (m *Maker) classifierWeights(d scene.Domain) (*checkpoints.Weights, error) {
	variables, err := m.finished(d.Name(), classifierScope, m.Plan.Classifier)
	if err != nil {
		return nil, err
	}
	return snapshot.Scope(variables, classifierScope), nil
}

// Accuracy is the share of pictures in which a classifier finds the value of an attribute, of those that show it.
type Accuracy struct {
	Attribute string  `json:"attribute"`
	Share     float64 `json:"share"`
	Pictures  int     `json:"pictures"`
}

// measureClassifier finds the values of the pictures that are held out.
func (m *Maker) measureClassifier(ctx context.Context, r *Renders) error {
	rows := m.heldOut()
	pictures, err := r.Pictures(rows)
	if err != nil {
		return err
	}
	runner, cfg, err := m.openClassifier(r.Domain)
	if err != nil {
		return err
	}
	seen, err := m.classify(ctx, runner, cfg, pictures)
	if err != nil {
		return err
	}
	accuracies := compareValues(cfg, seen, r.Values(rows))
	for _, a := range accuracies {
		m.Log.Info(fmt.Sprintf("%s: the classifier finds %.1f %% of %s", r.Domain.Name(), 100*a.Share, a.Attribute))
	}
	return m.write(r.Domain.Name(), "classifier.json", accuracies)
}

// heldOut lists the rows that are not trained on.
func (m *Maker) heldOut() []int {
	rows := make([]int, m.Plan.HeldOut)
	for i := range rows {
		rows[i] = m.Plan.Renders - m.Plan.HeldOut + i
	}
	return rows
}

// classify returns the values [n,A] that the classifier sees in pictures uint8.
func (m *Maker) classify(ctx context.Context, r *batch.Runner, cfg classifier.Config, pictures []uint8) ([]float32,
	error) {
	out, err := batch.Run(ctx, r, "classify", func(scope *model.Scope, pictures *Node) *Node {
		like := Scalar(pictures.Graph(), dtypes.Float32, 0)
		logits := classifier.Build(scope.At(classifierScope), cfg, images(pictures, like))
		return ConvertDType(classifier.Attributes(cfg, logits), dtypes.Float32)
	}, 64, batch.Rows(pictures, m.Plan.Size, m.Plan.Size, 3))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// compareValues counts how often seen equals the values that are not -1.
func compareValues(cfg classifier.Config, seen []float32, values []int32) []Accuracy {
	all := make([]Accuracy, len(cfg.Attributes))
	for i, v := range values {
		a := &all[i%len(all)]
		a.Attribute = cfg.Attributes[i%len(all)].Name
		if v < 0 {
			continue
		}
		a.Pictures++
		if int32(seen[i]) == v {
			a.Share++
		}
	}
	for i := range all {
		all[i].Share /= float64(max(1, all[i].Pictures))
	}
	return all
}
