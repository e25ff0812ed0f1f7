package world

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/classifier"
	"illustrator/models/nn"
	"illustrator/train/snapshot"
)

// detailsShare is the weight of the difference of layers beside the regression.
const detailsShare = 0.5

// Details continues the training of a domain's synthesis network. Its loss also compares what the layers of a
// classifier, the teacher, find in a picture and in the render of the same z: pixels alone count small parts for
// little.
func (m *Maker) Details(ctx context.Context, r *Renders) error {
	name := r.Domain.Name()
	distilled, err := m.finished(name, synthesisStage, m.Plan.Synthesis)
	if err != nil {
		return err
	}
	trained, err := m.finished(name, teacherStage, m.Plan.Classifier)
	if err != nil {
		return err
	}
	store := model.NewStore()
	if err := m.loadSynthesis(store, snapshot.Scope(distilled, generatorScope)); err != nil {
		return err
	}
	average := snapshot.Scope(distilled, averageScope)
	for _, scope := range []string{generatorScope, averageScope} {
		if err := nn.Load(store.Scope("/"+scope), average, floatType, false); err != nil {
			return err
		}
	}
	cfg, teacher := m.classifierConfig(r.Domain), "/"+teacherStage
	if err := classifier.Load(store.Scope(teacher), cfg, snapshot.Scope(trained, classifierScope), floatType); err != nil {
		return err
	}
	return m.regress(ctx, r, job{name: detailsStage, plan: m.Plan.Details, store: store, frozen: []string{teacher}},
		m.order(54), func(scope *model.Scope, picture, render *Node) *Node {
			layers := func(x *Node) []*Node { return classifier.Layers(scope.At(teacherStage), cfg, x) }
			return Add(regression(Sub(picture, render)),
				MulScalar(layerDifference(layers(picture), layers(render)), detailsShare))
		})
}

// layerDifference is the mean absolute difference of layers in units of b's mean absolute value, averaged over layers.
func layerDifference(a, b []*Node) *Node {
	sum := ScalarZero(a[0].Graph(), a[0].DType())
	for i := range a {
		to := StopGradient(b[i])
		sum = Add(sum, Div(ReduceAllMean(Abs(Sub(a[i], to))), ReduceAllMean(Abs(to))))
	}
	return DivScalar(sum, float64(len(a)))
}
