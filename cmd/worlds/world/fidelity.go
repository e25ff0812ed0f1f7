package world

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/data/pictures"
	"illustrator/eval/metrics"
	"illustrator/internal/files"
	"illustrator/models/batch"
	"illustrator/models/classifier"
	"illustrator/models/stylegan2"
)

// Fidelity says how close a generator is to its renderer.
type Fidelity struct {
	// FID is the Fréchet distance of classifier features between pictures of random z and as many renders, Floor that
	// between two sets of renders.
	FID      float64 `json:"classifier_fid"`
	Floor    float64 `json:"classifier_fid_of_renders"`
	Pictures int     `json:"pictures"`
	// AbsoluteError is that of pixels of 0 to 1 against renders of the same z, which are held out.
	AbsoluteError float64 `json:"absolute_error"`
	// Attributes are the shares of held-out z whose picture shows, as the classifier sees it, what z asks for.
	Attributes []Accuracy `json:"attributes"`
}

// fidelityPictures is the most pictures of each set of a FID.
const fidelityPictures = 5000

// Fidelity measures a domain's generators, the distilled one and, if it is complete, that of Details. It
// writes what it finds to fidelity-STAGE.json, and some held-out renders with the generator's pictures of the same
// z to fidelity-STAGE.png.
func (m *Maker) Fidelity(ctx context.Context, r *Renders) error {
	for _, stage := range []string{synthesisStage, detailsStage} {
		variables, err := m.generatorVariables(r.Domain, stage)
		if err == nil && variables == nil && stage == detailsStage {
			m.Log.Info(fmt.Sprintf("%s of %s is not complete, and not measured", stage, r.Domain.Name()))
			return nil
		}
		if err == nil {
			err = m.fidelity(ctx, r, stage)
		}
		if err != nil {
			return fmt.Errorf("measure %s of %s: %w", stage, r.Domain.Name(), err)
		}
	}
	return nil
}

func fidelityFile(stage string) string { return "fidelity-" + stage + ".json" }

func (m *Maker) fidelity(ctx context.Context, r *Renders, stage string) error {
	weights, err := m.generatorWeights(r.Domain, stage)
	if err != nil {
		return err
	}
	g, err := m.openGenerator(r.Domain, weights)
	if err != nil {
		return err
	}
	var f Fidelity
	if err := g.compareHeldOut(ctx, m, r, stage, &f); err != nil {
		return err
	}
	if err := g.distances(ctx, m, r, &f); err != nil {
		return err
	}
	m.Log.Info(fmt.Sprintf("%s, %s: FID of classifier features %.2f (renders among themselves %.2f), error %.4f",
		r.Domain.Name(), stage, f.FID, f.Floor, f.AbsoluteError))
	for _, a := range f.Attributes {
		m.Log.Info(fmt.Sprintf("%s: %s is as z asks in %.1f %%", r.Domain.Name(), a.Attribute, 100*a.Share))
	}
	return m.write(r.Domain.Name(), fidelityFile(stage), f)
}

// judged is a generator with the classifier of its domain.
type judged struct {
	*batch.Runner
	generator  stylegan2.Config
	classifier classifier.Config
}

func (m *Maker) openGenerator(d scene.Domain, weights *checkpoints.Weights) (*judged, error) {
	runner, cfg, err := m.openClassifier(d)
	if err != nil {
		return nil, err
	}
	return &judged{runner, m.Plan.Generator, cfg}, stylegan2.Load(runner.Store.Scope("/"+generatorScope),
		m.Plan.Generator, weights, dtypes.Float32)
}

// draw returns the pictures [n,3,H,H] of z, the values [n,A] that the classifier sees in them, and its features
// [n,256].
func (g *judged) draw(ctx context.Context, z []float32) (out [][]float32, err error) {
	return batch.Run(ctx, g.Runner, "draw", func(scope *model.Scope, z *Node) (*Node, *Node, *Node) {
		x := stylegan2.Build(scope.At(generatorScope), g.generator, z, stylegan2.Noise{Mode: stylegan2.NoiseConst})
		values, features := g.judge(scope, x)
		return x, values, features
	}, 32, batch.Rows(z, g.generator.StyleDim))
}

// look returns what the classifier sees in renders, as draw does for pictures of the generator.
func (g *judged) look(ctx context.Context, pixels []uint8) (out [][]float32, err error) {
	size := g.generator.Size
	return batch.Run(ctx, g.Runner, "look", func(scope *model.Scope, pixels *Node) (*Node, *Node, *Node) {
		x := images(pixels, Scalar(pixels.Graph(), dtypes.Float32, 0))
		values, features := g.judge(scope, x)
		return x, values, features
	}, 32, batch.Rows(pixels, size, size, 3))
}

func (g *judged) judge(scope *model.Scope, x *Node) (values, features *Node) {
	features = classifier.Features(scope.At(classifierScope), g.classifier, x)
	values = classifier.Attributes(g.classifier, classifier.Build(scope.At(classifierScope), g.classifier, x))
	return ConvertDType(values, dtypes.Float32), features
}

// compareHeldOut draws the z of the renders that are held out.
func (g *judged) compareHeldOut(ctx context.Context, m *Maker, r *Renders, stage string, f *Fidelity) error {
	rows := m.heldOut()
	pixels, err := r.Pictures(rows)
	if err != nil {
		return err
	}
	renders, err := g.look(ctx, pixels)
	if err != nil {
		return err
	}
	made, err := g.draw(ctx, r.Z(rows))
	if err != nil {
		return err
	}
	for i, x := range made[0] {
		f.AbsoluteError += math.Abs(float64(x)-float64(renders[0][i])) / 2 / float64(len(made[0]))
	}
	f.Attributes = compareValues(g.classifier, made[1], r.Values(rows))
	return m.writeComparison(r, stage, renders[0], made[0])
}

// distances measures the FIDs.
func (g *judged) distances(ctx context.Context, m *Maker, r *Renders, f *Fidelity) error {
	f.Pictures = min(fidelityPictures, r.Count/2)
	rows := func(from int) []int {
		all := make([]int, f.Pictures)
		for i := range all {
			all[i] = from + i
		}
		return all
	}
	var z []float32
	for i := range f.Pictures {
		z = append(z, r.Latent.Sample(m.Plan.Seed+31, i).Z...)
	}
	made, err := g.draw(ctx, z)
	if err != nil {
		return err
	}
	var sets [3]*metrics.Moments
	if sets[0], err = moments(made[2], f.Pictures); err != nil {
		return err
	}
	for i := range 2 {
		pixels, err := r.Pictures(rows(i * f.Pictures))
		if err != nil {
			return err
		}
		seen, err := g.look(ctx, pixels)
		if err != nil {
			return err
		}
		if sets[1+i], err = moments(seen[2], f.Pictures); err != nil {
			return err
		}
	}
	fid, err := metrics.FrechetDistance(sets[0], sets[1])
	if err != nil {
		return err
	}
	floor, err := metrics.FrechetDistance(sets[2], sets[1])
	f.FID, f.Floor = fid.Value, floor.Value
	return err
}

func moments(features []float32, rows int) (*metrics.Moments, error) {
	wide := make([]float64, len(features))
	for i, x := range features {
		wide[i] = float64(x)
	}
	m := metrics.NewMoments(len(features) / rows)
	return m, m.Add(mat.NewDense(rows, len(features)/rows, wide))
}

// comparisonPairs is the number of renders that are shown beside the generator's pictures.
const comparisonPairs = 30

func (m *Maker) writeComparison(r *Renders, stage string, renders, made []float32) error {
	var shown []image.Image
	for _, pixels := range [][]float32{renders, made} {
		all, err := pictures.Split(pixels, m.Plan.Size, m.Plan.Size)
		if err != nil {
			return err
		}
		for _, p := range all[:min(comparisonPairs, len(all))] {
			shown = append(shown, p.Image())
		}
	}
	pairs := make([]image.Image, 0, len(shown))
	for i := range len(shown) / 2 {
		pairs = append(pairs, shown[i], shown[len(shown)/2+i])
	}
	sheet, err := pictures.Grid(pairs, nil, 10, pictures.GridOptions{Title: r.Domain.Name() + ", " + stage,
		Subtitle: "renders, each with the generator's picture of the same z"})
	if err != nil {
		return err
	}
	path := m.Path(r.Domain.Name(), "fidelity-"+stage+".png")
	return files.Write(path, func(w io.Writer) error { return png.Encode(w, sheet) })
}
