package world

import (
	"context"
	"fmt"
	"os"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/internal/files"
	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/nn"
	"illustrator/train"
	"illustrator/train/snapshot"
)

// Shared is the folder of what all domains share.
const Shared = "shared"

// The files of the tokenizer.
const vocabFile, mergesFile = "vocab.json", "merges.txt"

// clipOptimizer trains the CLIP, with the settings of CLIP's paper where it has any.
var clipOptimizer = train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.98, Epsilon: 1e-6, ClipNorm: 1,
	Accumulate: 1}

// Contrast trains one CLIP on captioned pictures of all sources, from the towers of Attributes: with the contrastive
// loss and a learned temperature, as CLIP was trained, and a part of the loss of Attributes, without which the towers
// lose the shapes again. Batches of one domain's twins each, in turn, let wrong captions differ in details alone. A
// part of each batch, and every last batch of a turn, is of all sources.
func (m *Maker) Contrast(ctx context.Context, shares []Share) error {
	cfg, tokenizer, err := m.tokenizer(shares)
	if err != nil {
		return err
	}
	mixes, err := m.turns(shares)
	if err != nil {
		return err
	}
	initial, err := m.finished(Shared, attributesStage, m.Plan.Attributes)
	if err != nil {
		return err
	}
	store, err := startOf(initial)
	if err != nil {
		return err
	}
	_, err = m.run(ctx, Shared, job{name: clipScope, plan: m.Plan.Contrast, store: store,
		batch: func(at int) ([]any, error) {
			b, err := mixes[at%len(mixes)].batch(at / len(mixes))
			if err != nil {
				return nil, err
			}
			return m.captioned(b, tokenizer, at, m.Plan.Seed+22), nil
		},
		step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			imageEmbeds, textEmbeds := towers(scope, cfg, rate, in)
			named := Add(mixes[0].labels.crossEntropy(scope, imageEmbeds, in[4]),
				mixes[0].labels.crossEntropy(scope, textEmbeds, in[4]))
			return contrastStep(scope, rate, imageEmbeds, textEmbeds, MulScalar(named, m.Plan.Named))
		},
		measures: []string{"loss", "contrastive loss", "retrieval", "logit scale", "picture cosine"},
	})
	return err
}

// startOf returns a store with the towers and the linear layer of Attributes' variables, in this order: the optimizer
// sums over the variables in the order of the store, and another order rounds otherwise.
func startOf(initial *checkpoints.Weights) (*model.Store, error) {
	store := model.NewStore()
	if err := nn.Load(store.Scope("/"+clipScope), snapshot.Scope(initial, clipScope), floatType, true); err != nil {
		return nil, err
	}
	head := &checkpoints.Weights{Source: initial.Source,
		Tensors: map[string]checkpoints.Tensor{headName: initial.Tensors[headName]}}
	return store, nn.Load(store.RootScope(), head, floatType, true)
}

// turns returns the mixtures of batches that take turns: one for each domain, mostly its twins, and one of all sources.
func (m *Maker) turns(shares []Share) (mixes []*mixture, err error) {
	add := func(of []Share) error {
		mix, err := newMixture(of, m.Plan.Contrast.Batch, m.Plan.Seed+80+uint64(10*len(mixes)))
		mixes = append(mixes, mix)
		return err
	}
	for i, s := range shares {
		own, ok := s.Captioned.(renderCaptions)
		if !ok {
			continue
		}
		of := slices.Clone(shares)
		for j := range of {
			of[j].Share *= m.Plan.Foreign
		}
		of[i] = Share{twins{own}, 1 - m.Plan.Foreign}
		if err := add(of); err != nil {
			return nil, err
		}
	}
	return mixes, add(shares)
}

// contrastStep is one step of the CLIP by the contrastive loss and another. It measures both together, the first, the
// share of pictures whose own text of the batch is the nearest, the factor of cosines, and the mean cosine of two
// pictures.
func contrastStep(scope *model.Scope, rate, imageEmbeds, textEmbeds, other *Node) []*Node {
	scale := scope.At(clipScope).GetVariable("logit_scale")
	contrastive := losses.Contrastive(imageEmbeds, textEmbeds, scale.NodeValue(rate.Graph()))
	loss := Add(contrastive, other)
	clipOptimizer.Update(scope, loss, rate, false)
	scale.SetNodeValue(MinScalar(scale.NodeValue(rate.Graph()), clip.MaxLogitScale))

	images, texts := L2Normalize(StopGradient(imageEmbeds), -1), L2Normalize(StopGradient(textEmbeds), -1)
	batch := images.Shape().Dim(0)
	nearest := ArgMax(nn.MatMulT(images, texts), 1)
	own := Iota(rate.Graph(), nearest.Shape(), 0)
	retrieved := ReduceAllMean(ConvertDType(Equal(nearest, own), floatType))
	n := float64(batch)
	among := DivScalar(AddScalar(ReduceAllSum(Square(ReduceSum(images, 0))), -n), n*(n-1))
	return []*Node{loss, contrastive, retrieved, Exp(scale.NodeValue(rate.Graph())), among}
}

// captioned returns the inputs of a step for towers: pictures, the ids of their captions, what disturbs the pictures,
// and their labels.
func (m *Maker) captioned(b *captionedBatch, t *clip.Tokenizer, at int, seed uint64) []any {
	size, batch, ids := m.Plan.Size, len(b.captions), tokens(t, b.captions)
	return []any{
		tensors.FromFlatDataAndDimensions(b.pictures, batch, size, size, 3),
		tensors.FromFlatDataAndDimensions(ids, batch, len(ids)/batch),
		disturbances(scene.Random(seed, at), batch), keys(at, batch),
		tensors.FromFlatDataAndDimensions(b.values, batch, len(b.values)/batch),
	}
}

// towers embeds disturbed pictures and captions, the inputs of captioned.
func towers(scope *model.Scope, cfg clip.Config, rate *Node, in []*Node) (imageEmbeds, textEmbeds *Node) {
	pictures := disturb(images(in[0], rate), in[2], in[3])
	imageEmbeds = clip.ImageEmbeds(scope.At(clipScope), cfg, clip.Preprocess(cfg, pictures))
	return imageEmbeds, clip.TextEmbeds(scope.At(clipScope), cfg, in[1])
}

// tokens encodes captions: int32 [len(captions), context].
func tokens(t *clip.Tokenizer, captions []string) []int32 {
	ids := make([]int32, 0, len(captions)*t.Context())
	for _, caption := range captions {
		ids = append(ids, t.Encode(caption).IDs...)
	}
	return ids
}

// tokenizer returns the CLIP's configuration and its tokenizer, whose vocabulary it learns where there is none
// yet. The captions of all sources must be within that vocabulary.
func (m *Maker) tokenizer(shares []Share) (cfg clip.Config, t *clip.Tokenizer, err error) {
	cfg = m.Plan.CLIP
	if err := os.MkdirAll(m.Path(Shared), 0o777); err != nil {
		return cfg, nil, err
	}
	vocab, err := os.ReadFile(m.Path(Shared, vocabFile))
	merges, errMerges := os.ReadFile(m.Path(Shared, mergesFile))
	if os.IsNotExist(err) || os.IsNotExist(errMerges) {
		if vocab, merges, err = m.vocabulary(shares); err != nil {
			return cfg, nil, fmt.Errorf("learn vocabulary: %w", err)
		}
		for name, data := range map[string][]byte{vocabFile: vocab, mergesFile: merges} {
			if err := files.WriteFile(m.Path(Shared, name), data, 0o666); err != nil {
				return cfg, nil, err
			}
		}
	} else if err != nil || errMerges != nil {
		return cfg, nil, fmt.Errorf("read vocabulary: %w %w", err, errMerges)
	}
	if t, err = clip.NewTokenizer(vocab, merges, cfg.Text.MaxPositionEmbeddings); err != nil {
		return cfg, nil, err
	}
	cfg.Text.VocabSize, cfg.Text.EOSTokenID = t.VocabSize(), int(t.EndID())
	for i, s := range shares {
		random := m.vocabularyRandom(i)
		for j := range min(captionsChecked, m.Plan.VocabularyCaptions) {
			if err := checkCaption(t, m.Path(Shared), s.Name(), s.Caption(j%s.Len(), random)); err != nil {
				return cfg, nil, err
			}
		}
	}
	return cfg, t, cfg.Validate()
}

// captionsChecked is the number of captions of each source, the first that a vocabulary is learned from, that are
// compared with the vocabulary.
const captionsChecked = 2000

// clipWeights returns the trained CLIP.
func (m *Maker) clipWeights() (*checkpoints.Weights, error) {
	variables, err := m.finished(Shared, clipScope, m.Plan.Contrast)
	if err != nil {
		return nil, err
	}
	return snapshot.Scope(variables, clipScope), nil
}
