package pipeline

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/batch"
	"illustrator/models/classifier"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/stylegan2"
)

// batchSize is the number of items that go through the networks at once. Results depend on it in float32's last digits
// only (2e-5 of an image embedding of length 11, on a CPU).
const batchSize = 32

// PictureBatch returns the number of pictures drawn at once: Pictures if it is set, else batchSize, or fewer of more
// than 128 pixels, so that the layers of one batch take no more memory than they do at 128.
func (n *Networks) PictureBatch() int {
	if n.Pictures > 0 {
		return n.Pictures
	}
	const side = 128
	return max(1, min(batchSize, batchSize*side*side/(n.Generator.Size*n.Generator.Size)))
}

// EmbedImages returns the scaled CLIP embeddings [N,E] of pictures [N,3,height,width] in [-1,1]. Those of CLIP's size
// are taken as they are, such as Preprocessor's; others go through the release's area filter.
func (n *Networks) EmbedImages(ctx context.Context, images []float32, height, width int) ([]float32, error) {
	p := n.Precision
	if err := n.needIn(p, clipScope); err != nil {
		return nil, err
	}
	out, err := batch.Run(ctx, n.Runner, p.program(fmt.Sprintf("embed images %dx%d", width, height)),
		func(scope *model.Scope, images *graph.Node) *graph.Node {
			return embedImages(p.in(scope, clipScope), n.CLIP, images)
		}, batchSize, batch.Rows(images, 3, height, width))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// MaxAlpha is the largest α of eq. 3, and of eq. 11 in both directions. An embedding has the length 1, so that larger
// ones draw the same pictures.
const MaxAlpha = 10

// Project moves text embeddings [N,E] to image embeddings by eq. 3.
func (n *Networks) Project(ctx context.Context, textEmbeds []float32, prompts Prompts, alpha float64) ([]float32,
	error) {
	out, err := batch.Run(ctx, n.Runner, "project", func(_ *model.Scope, textEmbeds, textPrompt, imagePrompt,
		alpha *graph.Node) *graph.Node {
		return clip.Project(textEmbeds, textPrompt, imagePrompt, alpha)
	}, batchSize, batch.Rows(textEmbeds, n.CLIP.ProjectionDim), batch.Vector(prompts.Text), batch.Vector(prompts.Image),
		batch.Scalar(alpha))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// ProjectEach is Project with anchors and an α for each row, so that eq. 3 and eq. 11 of many pictures are one batch:
// text embeddings [N,E], the anchors' [N,E] and alphas [N].
func (n *Networks) ProjectEach(ctx context.Context, textEmbeds, textAnchors, imageAnchors, alphas []float32) ([]float32,
	error) {
	dim := n.CLIP.ProjectionDim
	out, err := batch.Run(ctx, n.Runner, "project each",
		func(_ *model.Scope, textEmbeds, textAnchors, imageAnchors, alphas *graph.Node) *graph.Node {
			return clip.Project(textEmbeds, textAnchors, imageAnchors, alphas)
		}, batchSize, batch.Rows(textEmbeds, dim), batch.Rows(textAnchors, dim), batch.Rows(imageAnchors, dim),
		batch.Rows(alphas))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Prompts are the two anchors of eq. 3 as scaled embeddings [E].
type Prompts struct{ Text, Image []float32 }

// MapToZ predicts z [N,Z] from image embeddings [N,E] with the loaded mapper.
func (n *Networks) MapToZ(ctx context.Context, imageEmbeds []float32) ([]float32, error) {
	if n.Mapper == nil {
		return nil, fmt.Errorf("no mapper is loaded")
	}
	out, err := batch.Run(ctx, n.Runner, n.mapName(), func(scope *model.Scope, e *graph.Node) *graph.Node {
		return mapper.Build(scope.At("%s", n.mapperScope), *n.Mapper, e)
	}, batchSize, batch.Rows(imageEmbeds, n.CLIP.ProjectionDim))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// SampleZ draws z [N,Z] from noise [N,Z] given image embeddings [N,E] with the loaded mapper, which is a prior.
func (n *Networks) SampleZ(ctx context.Context, imageEmbeds, noise []float32) ([]float32, error) {
	sample := func(scope *model.Scope, e, noise *graph.Node) *graph.Node {
		return mapper.Sample(scope.At("%s", n.mapperScope), *n.Mapper, e, noise)
	}
	out, err := batch.Run(ctx, n.Runner, n.mapName()+" from noise", sample, batchSize,
		batch.Rows(imageEmbeds, n.CLIP.ProjectionDim), batch.Rows(noise, n.Generator.StyleDim))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Synthesis says how Z or W becomes a picture.
type Synthesis struct {
	NoiseMode stylegan2.NoiseMode
	// Keys [N] are the pictures' noise keys with noise mode "random", usually their seeds.
	Keys []uint64
	// TruncationPsi pulls W towards its mean; 1 disables truncation, as in the paper.
	TruncationPsi float64
}

// Styles returns the styles of z [N,Z] for each layer, [N,L,Z], truncated by psi.
func (n *Networks) Styles(ctx context.Context, z []float32, psi float64) ([]float32, error) {
	p := n.Precision // the scope of the weights alone: those of the mapping network are float32 in either
	if err := n.needIn(p, generatorScope); err != nil {
		return nil, err
	}
	in := batch.Rows(z, n.Generator.StyleDim)
	if psi == 1 {
		out, err := batch.Run(ctx, n.Runner, p.program("map styles"), func(scope *model.Scope, z *graph.Node) *graph.Node {
			return stylegan2.BroadcastW(n.Generator, stylegan2.Mapping(p.in(scope, generatorScope), n.Generator, z))
		}, batchSize, in)
		if err != nil {
			return nil, err
		}
		return out[0], nil
	}
	mean, err := n.MeanW(ctx)
	if err != nil {
		return nil, err
	}
	out, err := batch.Run(ctx, n.Runner, p.program("truncate styles"),
		func(scope *model.Scope, z, mean, psi *graph.Node) *graph.Node {
			w := stylegan2.Mapping(p.in(scope, generatorScope), n.Generator, z)
			return stylegan2.BroadcastW(n.Generator, stylegan2.Truncate(w, mean, psi))
		}, batchSize, in, batch.Vector(mean), batch.Scalar(psi))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Render draws the pictures [N,3,Size,Size] in RGB of styles [N,L,Z].
func (n *Networks) Render(ctx context.Context, styles []float32, s Synthesis) ([]float32, error) {
	p := n.Precision
	if err := n.needIn(p, generatorScope); err != nil {
		return nil, err
	}
	count := len(styles) / (n.Generator.NumLayers() * n.Generator.StyleDim)
	keys := s.Keys
	if s.NoiseMode != stylegan2.NoiseRandom {
		keys = make([]uint64, count) // not used by the graph
	}
	if len(keys) != count {
		return nil, fmt.Errorf("%d noise keys for %d pictures", len(keys), count)
	}
	out, err := batch.Run(ctx, n.Runner, p.program("render with noise "+string(s.NoiseMode)),
		func(scope *model.Scope, ws, keys *graph.Node) *graph.Node {
			noise := stylegan2.Noise{Mode: s.NoiseMode, Keys: keys}
			return stylegan2.Synthesis(p.in(scope, generatorScope), n.Generator, ws, noise)
		}, n.PictureBatch(), batch.Rows(styles, n.Generator.NumLayers(), n.Generator.StyleDim), batch.Rows(keys))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// RenderAndEmbed computes the pairs of sampling: z [N,Z] → the scaled embeddings [N,E] of its pictures, which never
// leave the device.
func (n *Networks) RenderAndEmbed(ctx context.Context, z []float32, s Synthesis) ([]float32, error) {
	p := n.Precision
	if err := n.NeedFrozenIn(p); err != nil {
		return nil, err
	}
	out, err := batch.Run(ctx, n.Runner, p.program("sample with noise "+string(s.NoiseMode)),
		func(scope *model.Scope, z, keys *graph.Node) *graph.Node {
			return n.ImageEmbedsIn(scope, p, z, stylegan2.Noise{Mode: s.NoiseMode, Keys: keys})
		}, n.PictureBatch(), batch.Rows(z, n.Generator.StyleDim), batch.Rows(s.Keys))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Classify returns the index of the value that the domain's classifier sees for each attribute: pictures [N,3,H,H] →
// [N][A].
func (n *Networks) Classify(ctx context.Context, images []float32) ([][]int, error) {
	if err := n.need(classifierScope); err != nil {
		return nil, err
	}
	size := n.Classifier.ImageSize
	out, err := batch.Run(ctx, n.Runner, "classify", func(scope *model.Scope, images *graph.Node) *graph.Node {
		logits := classifier.Build(scope.At(classifierScope), *n.Classifier, images)
		return graph.ConvertDType(classifier.Attributes(*n.Classifier, logits), logits.DType())
	}, batchSize, batch.Rows(images, 3, size, size))
	if err != nil {
		return nil, err
	}
	attributes := len(n.Classifier.Attributes)
	seen := make([][]int, len(out[0])/attributes)
	for i := range seen {
		for _, v := range out[0][i*attributes : (i+1)*attributes] {
			seen[i] = append(seen[i], int(v))
		}
	}
	return seen, nil
}
