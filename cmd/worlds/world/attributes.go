package world

import (
	"context"
	"slices"

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
	plan, store := m.Plan.Attributes, model.NewStore()
	labelled, err := newLabelled(shares, plan.Batch, m.Plan.Seed+90)
	if err != nil {
		return err
	}
	if err := nn.Load(store.Scope("/"+clipScope), clip.Init(cfg, m.Plan.Seed+21), floatType, true); err != nil {
		return err
	}
	store.VariableWithValue(headName, labelled.head(m.Plan.Seed+91, cfg.ProjectionDim)).SetTrainable(true)
	_, err = m.run(ctx, Shared, job{name: attributesStage, plan: plan, store: store,
		batch: func(at int) ([]any, error) {
			pictures, captions, err := labelled.batch(at)
			if err != nil {
				return nil, err
			}
			values := tensors.FromFlatDataAndDimensions(labelled.values(at), plan.Batch, len(labelled.all.Attributes))
			return append(m.captioned(pictures, tokens(tokenizer, captions), at, m.Plan.Seed+92), values), nil
		},
		step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			head := scope.GetVariable(headName).NodeValue(rate.Graph())
			named := func(embeds *Node) *Node {
				logits := MulScalar(nn.MatMulT(L2Normalize(embeds, -1), head), headScale)
				return classifier.CrossEntropy(labelled.all, logits, in[4])
			}
			imageEmbeds, textEmbeds := towers(scope, cfg, rate, in)
			seen, read := named(imageEmbeds), named(textEmbeds)
			loss := Add(seen, read)
			clipOptimizer.Update(scope, loss, rate, false)
			return []*Node{loss, seen, read}
		},
		measures: []string{"loss", "cross-entropy of pictures", "cross-entropy of captions"},
	})
	return err
}

// labelled mixes the renders of all domains evenly, with the attributes of all of them one after the other.
type labelled struct {
	*mixture
	all classifier.Config
}

func newLabelled(shares []Share, batch int, seed uint64) (l labelled, err error) {
	var domains []Share
	for _, s := range shares {
		if own, ok := s.Captioned.(renderCaptions); ok {
			domains = append(domains, Share{own, 1})
			l.all.Attributes = append(l.all.Attributes, attributesOf(own.Domain)...)
		}
	}
	l.mixture, err = newMixture(domains, batch, seed)
	return l, err
}

// head returns fresh weights of the linear layer: a short random vector of width values for each value.
func (l labelled) head(seed uint64, width int) *tensors.Tensor {
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

// values returns the values of all attributes of step at's pictures: -1 for those of other domains and for what is not
// visible.
func (l labelled) values(at int) (values []int32) {
	offset, width := 0, len(l.all.Attributes)
	for i, source := range l.sources {
		own, rows := source.(renderCaptions), l.rowsAt(at, i)
		visible, count := own.Values(rows), len(own.Domain.Attributes())
		for j := range rows {
			line := slices.Repeat([]int32{-1}, width)
			copy(line[offset:], visible[j*count:(j+1)*count])
			values = append(values, line...)
		}
		offset += count
	}
	return values
}
