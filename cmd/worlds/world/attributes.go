package world

import (
	"context"
	"math"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/models/clip"
	"illustrator/models/nn"
)

// attributesStage is the folder of the CLIP after Attributes.
const attributesStage = "attributes"

// Attributes gives both towers of the CLIP a start: one linear layer names the visible attributes of a scene from its
// picture's embedding, and from its caption's. Without this start the towers learn colors alone: while the texts of two
// shapes are alike, no gradient asks the pictures to differ, and the reverse.
func (m *Maker) Attributes(ctx context.Context, shares []Share) error {
	cfg, tokenizer, err := m.tokenizer(shares)
	if err != nil {
		return err
	}
	var domains []Share
	for _, s := range shares {
		if _, ok := s.Captioned.(renderSource); ok {
			domains = append(domains, Share{s.Captioned, 1})
		}
	}
	plan, store := m.Plan.Attributes, model.NewStore()
	mix, err := newMixture(domains, plan.Batch, m.Plan.Seed+70)
	if err != nil {
		return err
	}
	initial := m.cones(cfg)
	if err := nn.Load(store.Scope("/"+clipScope), initial, floatType, true); err != nil {
		return err
	}
	store.VariableWithValue(headName, mix.labels.head(m.Plan.Seed+91, cfg.ProjectionDim)).SetTrainable(true)
	_, err = m.run(ctx, Shared, job{name: attributesStage, plan: plan, store: store,
		batch: func(at int) ([]any, error) {
			b, err := mix.batch(at)
			if err != nil {
				return nil, err
			}
			return m.captioned(b, tokenizer, at, m.Plan.Seed+92), nil
		},
		step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			imageEmbeds, textEmbeds := towers(scope, cfg, rate, in)
			seen := mix.labels.crossEntropy(scope, imageEmbeds, in[4])
			read := mix.labels.crossEntropy(scope, textEmbeds, in[4])
			loss := Add(seen, read)
			clipOptimizer.Update(scope, loss, rate, false)
			return []*Node{loss, seen, read}
		},
		measures: []string{"loss", "cross-entropy of pictures", "cross-entropy of captions"},
	})
	return err
}

// firstScale is the factor of cosines when the training begins. CLIP began with 14 and ended with 100.
const firstScale = 50

// cones returns fresh weights of a CLIP whose embeddings lie in two narrow cones, that of pictures and that of texts,
// as those of trained CLIPs do (Liang et al. 2022). Fresh towers of few layers have wide ones. Biases of the last
// normalizations, larger than what they are added to, make the cones, and small angles count from the start.
func (m *Maker) cones(cfg clip.Config) *checkpoints.Weights {
	w, random := clip.Init(cfg, m.Plan.Seed+21), scene.Random(m.Plan.Seed+23, 0)
	for _, name := range []string{"vision_model.post_layernorm.bias", "text_model.final_layer_norm.bias"} {
		bias := make([]float32, w.Tensors[name].Elements())
		for i := range bias {
			bias[i] = float32(1.5 * random.NormFloat64())
		}
		w.Tensors[name] = checkpoints.Float32Tensor(bias, len(bias))
	}
	w.Tensors["logit_scale"] = checkpoints.Float32Tensor([]float32{float32(math.Log(firstScale))})
	return w
}
