package pipeline

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/batch"
	"illustrator/models/clip"
)

// Origin is the picture that a manipulation begins with.
type Origin struct {
	// ImageEmbed [E] is CIE_origin, scaled: a text's after eq. 3, or the embedding of a picture.
	ImageEmbed []float32
	// TextEmbed [E] is CTE_origin, scaled: the text that says what the picture shows.
	TextEmbed []float32
	// Z [Z] is what the picture was drawn from; nil where nobody knows, as of a photograph.
	Z []float32
	// Key is the picture's noise key, usually its seed.
	Key uint64
}

// TextOrigin is the picture of a text: its embedding [E] is moved by eq. 3 and mapped to z. Without prompts the text
// embedding is used as an image embedding.
func (n *Networks) TextOrigin(ctx context.Context, textEmbed []float32, prompts *Prompts, alpha float64) (o Origin, err error) {
	o = Origin{TextEmbed: textEmbed, ImageEmbed: textEmbed}
	if prompts != nil {
		if o.ImageEmbed, err = n.Project(ctx, textEmbed, *prompts, alpha); err != nil {
			return Origin{}, err
		}
	}
	o.Z, err = n.MapToZ(ctx, o.ImageEmbed)
	return o, err
}

// ZOrigin is the picture of z [Z]: its embedding is that of the picture, its text says what such pictures show.
func (n *Networks) ZOrigin(ctx context.Context, z []float32, key uint64, textEmbed []float32, s Synthesis) (Origin, error) {
	images, err := n.drawZ(ctx, z, []uint64{key}, s)
	if err != nil {
		return Origin{}, err
	}
	o, err := n.PictureOrigin(ctx, images, n.Generator.Size, n.Generator.Size, textEmbed)
	o.Z, o.Key = z, key
	return o, err
}

// PictureOrigin is a picture [3,height,width] in [-1,1] whose z is not known.
func (n *Networks) PictureOrigin(ctx context.Context, pixels []float32, height, width int, textEmbed []float32) (Origin, error) {
	embed, err := n.EmbedImages(ctx, pixels, height, width)
	return Origin{ImageEmbed: embed, TextEmbed: textEmbed}, err
}

// Keep says what of the origin a manipulation keeps beside its embedding.
type Keep string

// What a manipulation keeps.
const (
	// KeepNothing draws what the mapper makes of eq. 11's embedding.
	KeepNothing Keep = "nothing"
	// KeepW adds the change of the mapper's styles to the origin's own: w_origin + w(CIE_target) - w(CIE_origin). Alpha 0 is
	// the origin itself.
	KeepW Keep = "w"
	// KeepZ does the same with z. On the embedded domain it changes far more than the text names (cmd/illustrator's
	// BenchmarkManipulate): the sum of z and a difference is as long as no z the generator knows.
	KeepZ Keep = "z"
)

// ManipulateRequest asks for pictures on the way from an origin to target texts, one for each alpha.
type ManipulateRequest struct {
	Origin Origin
	// TextEmbed is CTE_target, scaled: [E], the target of all alphas, or [A,E], one for each.
	TextEmbed []float32
	Alphas    []float64
	Keep      Keep
	// Keys of the synthesis are not used: all pictures have the noise key of the origin.
	Synthesis
}

// Manipulated are the pictures of A alphas.
type Manipulated struct {
	Images      []float32 // [A,3,Size,Size]
	ImageEmbeds []float32 // [A,E], CIE_target
	Styles      []float32 // [A,L,Z], what the pictures were drawn from
}

// Manipulate is eq. 11, CIE_target = CIE_origin + α (CTE_target - CTE_origin), normalised and scaled again as the release
// does with eq. 3, then the mapper and the generator. The z of an origin that keeps something must be known.
func (n *Networks) Manipulate(ctx context.Context, r ManipulateRequest) (m Manipulated, err error) {
	if r.Keep != KeepNothing && r.Origin.Z == nil {
		return Manipulated{}, fmt.Errorf("the origin's z is not known, so its %s cannot be kept", r.Keep)
	}
	if m.ImageEmbeds, err = n.Move(ctx, r.Origin, r.TextEmbed, r.Alphas); err != nil {
		return Manipulated{}, err
	}
	if m.Styles, err = n.manipulatedStyles(ctx, r, m.ImageEmbeds); err != nil {
		return Manipulated{}, err
	}
	r.Keys = make([]uint64, len(r.Alphas))
	for i := range r.Keys {
		r.Keys[i] = r.Origin.Key
	}
	m.Images, err = n.Render(ctx, m.Styles, r.Synthesis)
	return m, err
}

// Move is eq. 11 alone: the scaled embeddings [A,E] of the origin's after each alpha, towards one target [E] or as many.
func (n *Networks) Move(ctx context.Context, o Origin, textEmbed []float32, alphas []float64) ([]float32, error) {
	narrow := make([]float32, len(alphas))
	for i, alpha := range alphas {
		narrow[i] = float32(alpha)
	}
	targets := textEmbed
	if len(textEmbed) == n.CLIP.ProjectionDim {
		targets = repeatRows(textEmbed, n.CLIP.ProjectionDim, len(alphas))
	}
	out, err := batch.Run(ctx, n.Runner, "move", func(_ *model.Scope, alphas, targets, text, image *graph.Node) *graph.Node {
		return clip.Project(targets, text, image, alphas)
	}, batchSize, batch.Rows(narrow), batch.Rows(targets, n.CLIP.ProjectionDim), batch.Vector(o.TextEmbed), batch.Vector(o.ImageEmbed))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// manipulatedStyles are the styles [A,L,Z] of the targets' embeddings [A,E].
func (n *Networks) manipulatedStyles(ctx context.Context, r ManipulateRequest, embeds []float32) ([]float32, error) {
	if r.Keep == KeepNothing {
		z, err := n.MapToZ(ctx, embeds)
		if err != nil {
			return nil, err
		}
		return n.Styles(ctx, z, r.TruncationPsi)
	}
	z, err := n.MapToZ(ctx, append(r.Origin.ImageEmbed[:len(r.Origin.ImageEmbed):len(r.Origin.ImageEmbed)], embeds...))
	if err != nil {
		return nil, err
	}
	dim := n.Generator.StyleDim
	if r.Keep == KeepZ {
		return n.Styles(ctx, differences(r.Origin.Z, z, dim), r.TruncationPsi)
	}
	styles, err := n.Styles(ctx, append(r.Origin.Z[:dim:dim], z...), r.TruncationPsi)
	if err != nil {
		return nil, err
	}
	width := n.Generator.NumLayers() * dim
	return differences(styles[:width], styles[width:], width), nil
}

// differences adds to a row what the later rows of x differ by from its first: own + x[i] - x[0], for i from 1.
func differences(own, x []float32, width int) []float32 {
	var out []float32
	for from := width; from < len(x); from += width {
		for i, v := range own {
			out = append(out, v+x[from+i]-x[i])
		}
	}
	return out
}

// drawZ draws the pictures [N,3,Size,Size] of z [N,Z] with noise of the given keys.
func (n *Networks) drawZ(ctx context.Context, z []float32, keys []uint64, s Synthesis) ([]float32, error) {
	styles, err := n.Styles(ctx, z, s.TruncationPsi)
	if err != nil {
		return nil, err
	}
	s.Keys = keys
	return n.Render(ctx, styles, s)
}
