package world

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/cmd/worlds/scene"
	"illustrator/models/classifier"
	"illustrator/models/clip"
	"illustrator/models/nn"
	"illustrator/train"
)

// attributesStage is the folder of the CLIP after Attributes.
const attributesStage = "attributes"

// headName is the variable of Attributes' linear layer: a vector for each value of each attribute of all domains.
const headName = "head"

// headScale is the factor of the products of a unit embedding and the layer's vectors.
const headScale = 10

// clipOptimizer trains the CLIP, with the settings of CLIP's paper where it has any.
var clipOptimizer = train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.98, Epsilon: 1e-6, ClipNorm: 1,
	Accumulate: 1}

// Attributes gives both towers of the CLIP a start: one linear layer names the visible attributes of a scene from its
// picture's embedding, and from its caption's. Contrast drops the layer. Without this start the towers learn colors
// alone: while the texts of two shapes are alike, no gradient asks the pictures to differ, and the reverse.
func (m *Maker) Attributes(ctx context.Context, shares []Share) error {
	cfg, tokenizer, err := m.tokenizer(shares)
	if err != nil {
		return err
	}
	plan, store, labelled := m.Plan.Attributes, model.NewStore(), newLabelled(shares, m.Plan.Seed+90)
	if err := nn.Load(store.Scope("/"+clipScope), clip.Init(cfg, m.Plan.Seed+21), floatType, true); err != nil {
		return err
	}
	store.VariableWithValue(headName, labelled.head(m.Plan.Seed+91, cfg.ProjectionDim)).SetTrainable(true)
	_, err = m.run(ctx, Shared, job{name: attributesStage, plan: plan, store: store,
		batch: func(at int) ([]any, error) {
			b, values, err := labelled.batch(at, plan.Batch)
			if err != nil {
				return nil, err
			}
			return []any{
				tensors.FromFlatDataAndDimensions(b.pictures, plan.Batch, m.Plan.Size, m.Plan.Size, 3),
				tensors.FromFlatDataAndDimensions(tokens(tokenizer, b.captions), plan.Batch, tokenizer.Context()),
				tensors.FromFlatDataAndDimensions(values, plan.Batch, len(labelled.all.Attributes)),
				disturbances(scene.Random(m.Plan.Seed+92, at), plan.Batch), keys(at, plan.Batch),
			}, nil
		},
		step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			head := scope.GetVariable(headName).NodeValue(rate.Graph())
			named := func(embeds *Node) *Node {
				logits := MulScalar(nn.MatMulT(L2Normalize(embeds, -1), head), headScale)
				return classifier.CrossEntropy(labelled.all, logits, in[2])
			}
			pictures := disturb(images(in[0], rate), in[3], in[4])
			seen := named(clip.ImageEmbeds(scope.At(clipScope), cfg, clip.Preprocess(cfg, pictures)))
			read := named(clip.TextEmbeds(scope.At(clipScope), cfg, in[1]))
			loss := Add(seen, read)
			clipOptimizer.Update(scope, loss, rate, false)
			return []*Node{loss, seen, read}
		},
		measures: []string{"loss", "cross-entropy of pictures", "cross-entropy of captions"},
	})
	return err
}

// labelled are the renders of all domains, with the attributes of all of them one after the other.
type labelled struct {
	sources []renderCaptions
	orders  []*train.Order
	all     classifier.Config
	seed    uint64
}

func newLabelled(shares []Share, seed uint64) *labelled {
	l := &labelled{seed: seed}
	for _, s := range shares {
		if own, ok := s.Captioned.(renderCaptions); ok {
			l.orders = append(l.orders, train.NewOrder(seed+uint64(len(l.sources)), own.Len()))
			l.sources = append(l.sources, own)
			l.all.Attributes = append(l.all.Attributes, attributesOf(own.Domain)...)
		}
	}
	return l
}

// head returns fresh weights of the linear layer: a short random vector of width values for each value.
func (l *labelled) head(seed uint64, width int) *tensors.Tensor {
	random, rows := scene.Random(seed, 0), 0
	for _, a := range l.all.Attributes {
		rows += len(a.Values)
	}
	weights := make([]float32, rows*width)
	for i := range weights {
		weights[i] = float32(0.05 * random.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(weights, rows, width)
}

// batch returns size pictures with captions, as many of each domain, and the values of all attributes: -1 for those of
// other domains and for what is not visible.
func (l *labelled) batch(at, size int) (b captionedBatch, values []int32, err error) {
	b.seen = map[string]bool{}
	random, offset := scene.Random(l.seed, at), 0
	for i, source := range l.sources {
		rows := make([]int, size*(i+1)/len(l.sources)-size*i/len(l.sources))
		for j := range rows {
			rows[j] = l.orders[i].At(at*len(rows) + j)
		}
		if err := b.add(source, rows, random); err != nil {
			return b, nil, err
		}
		own := source.Values(rows)
		width := len(own) / len(rows)
		for j := range rows {
			for k := range l.all.Attributes {
				value := int32(-1)
				if k >= offset && k < offset+width {
					value = own[j*width+k-offset]
				}
				values = append(values, value)
			}
		}
		offset += width
	}
	return b, values, nil
}
