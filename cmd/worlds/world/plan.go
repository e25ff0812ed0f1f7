package world

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"illustrator/cmd/worlds/scene"
	"illustrator/internal/fault"
	"illustrator/models/clip"
	"illustrator/models/host"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// Plan has the sizes of all networks and the lengths of all trainings.
type Plan struct {
	Seed uint64
	// Size is the height and width of pictures. Renders is the number that a domain's networks are trained on, of
	// which the last HeldOut are not trained on, but measured on.
	Size, Renders, HeldOut int

	Generator  stylegan2.Config
	CLIP       clip.Config // without the vocabulary, which is trained on captions
	Classifier Training
	Mapping    Training
	Synthesis  Training
	// Details fine-tunes the synthesis network.
	Details Training
	// Attributes gives the CLIP's towers a start, for Contrast.
	Attributes Training
	Contrast   Training
	// Foreign is the share of all sources in the CLIP's batches of one domain each, Named the weight of the loss of
	// Attributes.
	Foreign, Named float64
	// Vocabulary is the largest number of tokens that the tokenizer learns, VocabularyCaptions that of the
	// captions of each source that it learns from.
	Vocabulary, VocabularyCaptions int
	// Others is the share of other pictures than the domains' in a batch of the CLIP; domains share the rest evenly.
	Others float64
}

// Training has the length and the rate of a training.
type Training struct {
	Batch    int
	Schedule train.Schedule
}

// FullPlan returns the plan of the embedded domains.
func FullPlan() Plan {
	return Plan{
		Seed: 1, Size: 64, Renders: 60000, HeldOut: 2000,
		Generator: stylegan2.Config{ModelType: stylegan2.ModelType, Size: 64, StyleDim: 128, NMLP: 8, LRMLP: 0.01,
			Channels: map[int]int{4: 128, 8: 128, 16: 128, 32: 64, 64: 32}, ColorOrder: stylegan2.RGB},
		CLIP:       clipConfig(64, 8, 128, 4, 3, 128),
		Classifier: training(128, 1200, 2e-3, 100),
		Mapping:    training(512, 24000, 3e-3, 200),
		Synthesis:  training(16, 12000, 4e-3, 200),
		Details:    training(16, 4000, 2e-3, 200),
		Attributes: training(96, 1500, 1e-3, 100),
		Contrast:   training(128, 4800, 8e-4, 100), Foreign: 0.2, Named: 0.2,
		Vocabulary: 6000, VocabularyCaptions: 30000, Others: 0.5,
	}
}

// TinyPlan returns a plan that takes seconds, for tests: its networks are too small to draw anything well.
func TinyPlan() Plan {
	return Plan{
		Seed: 1, Size: 16, Renders: 400, HeldOut: 80,
		Generator: stylegan2.Config{ModelType: stylegan2.ModelType, Size: 16, StyleDim: 128, NMLP: 2, LRMLP: 0.01,
			Channels: map[int]int{4: 16, 8: 16, 16: 8}, ColorOrder: stylegan2.RGB},
		CLIP:       clipConfig(16, 4, 32, 2, 1, 32),
		Classifier: training(32, 40, 2e-3, 4),
		Mapping:    training(64, 120, 3e-3, 10),
		Synthesis:  training(8, 60, 4e-3, 6),
		Details:    training(8, 30, 2e-3, 6),
		Attributes: training(24, 40, 1e-3, 4),
		Contrast:   training(24, 48, 1e-3, 4), Foreign: 0.2, Named: 0.2,
		Vocabulary: 6000, VocabularyCaptions: 200, Others: 0.5,
	}
}

func training(batch, steps int, rate float64, warmup int) Training {
	return Training{batch, train.Schedule{Kind: train.Cosine, Steps: steps, Warmup: warmup, LearningRate: rate,
		MinLearningRate: rate / 1000}}
}

// contextTokens is the longest text that the CLIP reads, in tokens.
const contextTokens = 40

func clipConfig(size, patch, width, visionLayers, textLayers, embed int) clip.Config {
	heads := max(1, width/32)
	return clip.Config{
		ModelType: clip.ModelType, ProjectionDim: embed,
		Text: clip.TextConfig{HiddenSize: width, IntermediateSize: 4 * width, NumHiddenLayers: textLayers,
			NumAttentionHeads: heads, MaxPositionEmbeddings: contextTokens, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
		Vision: clip.VisionConfig{HiddenSize: width, IntermediateSize: 4 * width, NumHiddenLayers: visionLayers,
			NumAttentionHeads: heads, NumChannels: 3, ImageSize: size, PatchSize: patch, HiddenAct: "quick_gelu",
			LayerNormEps: 1e-5},
	}
}

// Validate reports the first setting that no training can have.
func (p Plan) Validate() error {
	longest := max(p.Classifier.Batch, p.Synthesis.Batch)
	if p.Renders-p.HeldOut < longest {
		return fault.Field("renders", p.Renders, "at least %d: %d held out and a batch of %d", p.HeldOut+longest, p.HeldOut,
			longest)
	}
	return p.Generator.Validate()
}

// Maker makes a world in a folder.
type Maker struct {
	Plan    Plan
	Backend compute.Backend
	Out     string
	// Progress begins to show a stage of total units of work.
	Progress func(stage string, total int) host.Progress
	Log      *slog.Logger
}

// Path returns a path below Out.
func (m *Maker) Path(parts ...string) string {
	return filepath.Join(append([]string{m.Out}, parts...)...)
}

// Renders opens the pictures of a domain, and draws those that are missing.
func (m *Maker) Renders(ctx context.Context, d scene.Domain) (*Renders, error) {
	if err := os.MkdirAll(m.Path(d.Name()), 0o777); err != nil {
		return nil, err
	}
	return Render(ctx, d, m.Plan.Seed, m.Plan.Size, m.Plan.Renders, m.Path(d.Name(), "renders.rgb"), m.Progress)
}

// Share returns a domain's pictures as one of several sources of the CLIP: domains have the same share.
func (m *Maker) Share(r *Renders, domains int) Share {
	return Share{renderCaptions{r, m.Plan.HeldOut}, (1 - m.Plan.Others) / float64(domains)}
}
