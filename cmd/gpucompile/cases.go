package main

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/classifier"
	"illustrator/models/clip"
	"illustrator/models/inception"
	"illustrator/models/lpips"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train/bench"
)

// Case is a program: what it computes, of which networks, of how many rows, in which precision.
type Case struct {
	Program   string `json:"program"`
	Networks  string `json:"networks"`
	Batch     int    `json:"batch"`
	Precision string `json:"precision"` // "float32", "tf32" or "bfloat16"
}

func (c Case) String() string {
	return fmt.Sprintf("%s %s batch %d %s", c.Program, c.Networks, c.Batch, c.Precision)
}

// Precisions of the programs.
const (
	float32s = "float32"
	tf32     = "tf32"
	bfloat16 = "bfloat16"
)

// program is a kind of case.
type program struct {
	name   string
	about  string
	sets   []string // of networks; nil: all
	narrow bool     // there is one in bfloat16
	most   int      // rows; 0: any number
	// run begins the program on a backend that takes it away before it computes.
	run func(ctx context.Context, backend compute.Backend, c Case) error
}

var programList = []program{
	{name: "sampling", about: "z to the embedding of its picture", run: runSampling},
	{name: "render", about: "styles to pictures", run: runRender},
	{name: "step-l1", about: "a training step with the L1 loss (eq. 8)",
		run: step(func(w *losses.Weights) { w.Semantic, w.Regularization = 0, 0 })},
	{name: "step-semantic", about: "a training step with the semantic loss (eq. 9)", narrow: true,
		run: step(func(w *losses.Weights) { w.L1, w.Regularization = 0, 0 })},
	{name: "step-regularization", about: "a training step with the regularization (eq. 10)",
		run: step(func(w *losses.Weights) { w.L1, w.Semantic = 0, 0 })},
	{name: "step", about: "a training step with all losses", narrow: true, run: step(func(*losses.Weights) {})},
	{name: "refine", about: "a refinement's step: the gradient to z", most: 32, run: runRefine},
	{name: "clip-text", about: "token numbers to text embeddings", run: runText},
	{name: "clip-image", about: "pictures to image embeddings", run: runImage},
	{name: "mapper", about: "image embeddings to z", run: runMapper},
	{name: "classifier", about: "pictures to named attributes", sets: []string{"lorelei"}, run: runClassifier},
	{name: "inception", about: "pictures of 256 pixels to FID's features", sets: []string{"256"}, run: runInception},
	{name: "lpips-vgg", about: "pairs of pictures of 256 pixels to distances", sets: []string{"256"}, run: runLPIPS},
}

func programOf(name string) (program, error) {
	for _, p := range programList {
		if p.name == name {
			return p, nil
		}
	}
	return program{}, fmt.Errorf("no program %q", name)
}

func (c Case) precision() pipeline.Precision {
	if c.Precision == bfloat16 {
		return pipeline.BFloat16
	}
	return pipeline.Float32
}

func (c Case) open(backend compute.Backend) (*pipeline.Networks, error) {
	n, err := open(backend, c.Networks, c.precision())
	if err == nil {
		n.Pictures = c.Batch
	}
	return n, err
}

func runSampling(ctx context.Context, backend compute.Backend, c Case) error {
	n, err := c.open(backend)
	if err != nil {
		return err
	}
	s := pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: make([]uint64, c.Batch)}
	_, err = n.RenderAndEmbed(ctx, make([]float32, c.Batch*n.Generator.StyleDim), s)
	return err
}

func runRender(ctx context.Context, backend compute.Backend, c Case) error {
	n, err := c.open(backend)
	if err != nil {
		return err
	}
	s := pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: make([]uint64, c.Batch)}
	_, err = n.Render(ctx, make([]float32, c.Batch*n.Generator.NumLayers()*n.Generator.StyleDim), s)
	return err
}

// paperMapper is the mapper of a set of networks: the paper's, for Lorelei as narrow as in its run.
func paperMapper(set string) mapper.Config {
	m := configs.Paper().Mapper
	if set == "lorelei" {
		m.Width = 128
	}
	return m
}

// step is a training step with the release's weights of the losses, changed by change.
func step(change func(*losses.Weights)) func(context.Context, compute.Backend, Case) error {
	return func(ctx context.Context, backend compute.Backend, c Case) error {
		b := c.bench(bench.Training)
		change(&b.Losses)
		_, do, err := b.Prepare(ctx, backend)
		if err != nil {
			return err
		}
		return do(0)
	}
}

// bench is the case as benchmarks have it.
func (c Case) bench(task bench.Task) bench.Case {
	paper := configs.Paper()
	return bench.Case{
		Name: c.Program, Task: task, Batch: c.Batch, Precision: c.precision(), Repeat: 1,
		Losses: paper.Train.Stages[0].Losses, Mapper: paperMapper(c.Networks), Optimizer: paper.Train.Optimizer,
		Open: func(backend compute.Backend, p pipeline.Precision) (*pipeline.Networks, error) {
			return open(backend, c.Networks, p)
		},
	}
}

func runRefine(ctx context.Context, backend compute.Backend, c Case) error {
	n, err := c.open(backend)
	if err != nil {
		return err
	}
	var pictures []*draw.Refinement
	for range c.Batch {
		z, embed := make([]float32, n.Generator.StyleDim), make([]float32, n.CLIP.ProjectionDim)
		pictures = append(pictures, draw.NewRefinement(z, embed, 0, stylegan2.NoiseRandom, 1))
	}
	return draw.Step(ctx, n, pictures)
}

func runText(ctx context.Context, backend compute.Backend, c Case) error {
	_, cfg, err := configurations(c.Networks)
	if err != nil {
		return err
	}
	ids := make([]int32, c.Batch*cfg.Text.MaxPositionEmbeddings)
	return runAlone(ctx, backend, c,
		func(s *model.Scope) error { return nn.Load(s, zeros(cfg.Shapes()), dtypes.Float32, false) },
		func(s *model.Scope, ids *graph.Node) *graph.Node { return clip.Scaled(clip.TextEmbeds(s, cfg, ids)) },
		batch.Rows(ids, cfg.Text.MaxPositionEmbeddings))
}

func runImage(ctx context.Context, backend compute.Backend, c Case) error {
	generator, cfg, err := configurations(c.Networks)
	if err != nil {
		return err
	}
	return runAlone(ctx, backend, c,
		func(s *model.Scope) error { return nn.Load(s, zeros(cfg.Shapes()), dtypes.Float32, false) },
		func(s *model.Scope, images *graph.Node) *graph.Node {
			return clip.Scaled(clip.ImageEmbeds(s, cfg, clip.Preprocess(cfg, images)))
		}, pictures(c, generator.Size))
}

func runMapper(ctx context.Context, backend compute.Backend, c Case) error {
	generator, clipConfig, err := configurations(c.Networks)
	if err != nil {
		return err
	}
	m := paperMapper(c.Networks)
	m.ModelType, m.EmbedDim, m.ZDim = mapper.ModelType, clipConfig.ProjectionDim, generator.StyleDim
	return runAlone(ctx, backend, c, func(s *model.Scope) error { return mapper.Load(s, m, zeros(m.Shapes())) },
		func(s *model.Scope, e *graph.Node) *graph.Node { return mapper.Build(s, m, e) },
		batch.Rows(make([]float32, c.Batch*m.EmbedDim), m.EmbedDim))
}

func runClassifier(ctx context.Context, backend compute.Backend, c Case) error {
	domain, err := configs.OpenDomain("lorelei")
	if err != nil {
		return err
	}
	n, err := pipeline.Open(nil, domain.Locations())
	if err != nil {
		return err
	}
	cfg := *n.Classifier
	return runAlone(ctx, backend, c,
		func(s *model.Scope) error { return classifier.Load(s, cfg, zeros(cfg.Shapes()), dtypes.Float32) },
		func(s *model.Scope, x *graph.Node) *graph.Node { return classifier.Build(s, cfg, x) }, pictures(c, cfg.ImageSize))
}

func runInception(ctx context.Context, backend compute.Backend, c Case) error {
	cfg := inception.Config{ModelType: inception.ModelType, FeatureDim: inception.FeatureDim}
	return runAlone(ctx, backend, c,
		func(s *model.Scope) error { return inception.Load(s, cfg, zeros(cfg.Shapes()), dtypes.Float32) },
		func(s *model.Scope, x *graph.Node) *graph.Node {
			return inception.Build(s, cfg, inception.Preprocess(x))
		}, pictures(c, 256))
}

func runLPIPS(ctx context.Context, backend compute.Backend, c Case) error {
	cfg := lpips.Config{ModelType: lpips.ModelType, Net: lpips.VGG, Channels: lpips.Channels}
	return runAlone(ctx, backend, c,
		func(s *model.Scope) error { return lpips.Load(s, cfg, zeros(cfg.Shapes()), dtypes.Float32) },
		func(s *model.Scope, a, b *graph.Node) *graph.Node { return lpips.Build(s, cfg, a, b) },
		pictures(c, 256), pictures(c, 256))
}

func pictures(c Case, size int) batch.Input {
	return batch.Rows(make([]float32, c.Batch*3*size*size), 3, size, size)
}

// runAlone runs a graph of one network.
func runAlone[F model.ExecGraphFn](ctx context.Context, backend compute.Backend, c Case, load func(*model.Scope) error,
	build F, in ...batch.Input) error {
	runner := batch.NewRunner(backend)
	if err := load(runner.Store.RootScope()); err != nil {
		return err
	}
	_, err := batch.Run(ctx, runner, c.Program, build, c.Batch, in...)
	return err
}
