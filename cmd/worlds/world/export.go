package world

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/configs"
	"illustrator/internal/files"
	"illustrator/models/batch"
	"illustrator/models/clip"
	"illustrator/models/stylegan2"
)

// tool is the name in the manifests of the folders that are exported.
const tool = "worlds"

// exported is the folder of the networks in the toolkit's layout, below Maker.Out.
const exported = "export"

// File holds what a domain's file says beside the networks.
type File struct {
	TextPrompt string
	// Existing names the folder of a generator and a classifier that the domain has already, such as
	// "embedded:lorelei". They are then not written.
	Existing string
	// Descriptions is a file of test descriptions; nil for none.
	Descriptions []byte
}

// ExportNetworks writes a domain's generator and classifier as folders that the toolkit opens: export/NAME/generator
// and export/NAME/classifier.
func (m *Maker) ExportNetworks(ctx context.Context, d scene.Domain) error {
	if err := m.exportGenerator(ctx, d); err != nil {
		return err
	}
	classifier, err := m.classifierWeights(d)
	if err != nil {
		return err
	}
	return checkpoints.Write(m.Path(exported, d.Name(), "classifier"), checkpoints.Contents{
		Config: m.classifierConfig(d), Weights: classifier, Layout: "classifier/sequential", Tool: tool, Replace: true,
	})
}

// Export writes the CLIP as a folder that the toolkit opens, export/clip, a domain's file that names the networks,
// export/NAME.yaml with export/NAME/descriptions.json, and the run of its mapper, export/NAME-run.yaml.
func (m *Maker) Export(d scene.Domain, f File) error {
	networks := f.Existing
	if networks == "" {
		networks = d.Name()
		generator := m.Path(exported, networks, "generator")
		if _, err := os.Stat(generator); err != nil {
			return unfinished(d.Name(), "networks")
		}
	}
	if err := m.exportCLIP(); err != nil {
		return err
	}
	text := fmt.Appendf(nil, domainYAML, d.Name(), networks, f.TextPrompt, m.Plan.Size, m.Plan.Generator.StyleDim,
		m.Plan.CLIP.ProjectionDim)
	if f.Descriptions != nil {
		if err := os.MkdirAll(m.Path(exported, d.Name()), 0o777); err != nil {
			return err
		}
		text = fmt.Appendf(text, "descriptions: %s/descriptions.json\n", d.Name())
		if err := files.WriteFile(m.Path(exported, d.Name(), "descriptions.json"), f.Descriptions, 0o666); err != nil {
			return err
		}
	}
	file := m.Path(exported, d.Name()+".yaml")
	if err := files.WriteFile(file, text, 0o666); err != nil {
		return err
	}
	return m.exportRun(d)
}

// exportRun writes the run that trains the domain's mapper, export/NAME-run.yaml: Lorelei's, with samples of the
// domain's own captions.
func (m *Maker) exportRun(d scene.Domain) error {
	latent, err := scene.NewLatent(d)
	if err != nil {
		return err
	}
	run, err := configs.OpenRun("lorelei", nil)
	if err != nil {
		return err
	}
	run.Domain = d.Name() + ".yaml" // beside it
	for i := range run.Train.Validation.Texts {
		run.Train.Validation.Texts[i] = d.Caption(latent.Sample(m.Plan.Seed+60, i).Scene, scene.Random(m.Plan.Seed+61, i))
	}
	data, err := run.YAML()
	if err != nil {
		return err
	}
	return files.WriteFile(m.Path(exported, d.Name()+"-run.yaml"), data, 0o666)
}

const domainYAML = `name: %[1]s
generator: %[2]s/generator
clip: clip
classifier: %[2]s/classifier
text_prompt: %[3]s
alpha: 1
size: %[4]d
z_dim: %[5]d
embed_dim: %[6]d
`

// meanSamples is the number of random z whose mean W is stored with the generator.
const meanSamples = 10000

// exportGenerator writes the generator with its mean W.
func (m *Maker) exportGenerator(ctx context.Context, d scene.Domain) error {
	weights, err := m.generatorWeights(d, detailsStage)
	if err != nil {
		return err
	}
	cfg := m.Plan.Generator
	r := batch.NewRunner(m.Backend)
	if err := stylegan2.Load(r.Store.Scope("/"+generatorScope), cfg, weights, dtypes.Float32); err != nil {
		return err
	}
	latent, err := scene.NewLatent(d)
	if err != nil {
		return err
	}
	var z []float32
	for i := range meanSamples {
		z = append(z, latent.Sample(m.Plan.Seed+30, i).Z...)
	}
	out, err := batch.Run(ctx, r, "mapping", func(scope *model.Scope, z *Node) *Node {
		return stylegan2.Mapping(scope.At(generatorScope), cfg, z)
	}, 1000, batch.Rows(z, scene.ZDim))
	if err != nil {
		return err
	}
	sums, mean := make([]float64, cfg.StyleDim), make([]float32, cfg.StyleDim)
	for i, w := range out[0] {
		sums[i%cfg.StyleDim] += float64(w)
	}
	for i, s := range sums {
		mean[i] = float32(s / meanSamples)
	}
	weights.Tensors[stylegan2.LatentAvg] = checkpoints.Float32Tensor(mean, cfg.StyleDim)
	return checkpoints.Write(m.Path(exported, d.Name(), "generator"), checkpoints.Contents{
		Config: cfg, Weights: weights, Layout: "stylegan2/rosinality", Tool: tool, Replace: true,
	})
}

// exportCLIP writes the CLIP in Hugging Face's layout.
func (m *Maker) exportCLIP() error {
	weights, err := m.clipWeights()
	if err != nil {
		return err
	}
	contents := map[string][]byte{}
	for _, name := range []string{vocabFile, mergesFile} {
		if contents[name], err = os.ReadFile(m.Path(Shared, name)); err != nil {
			return err
		}
	}
	cfg := m.Plan.CLIP
	t, err := clip.NewTokenizer(contents[vocabFile], contents[mergesFile], cfg.Text.MaxPositionEmbeddings)
	if err != nil {
		return err
	}
	cfg.Text.VocabSize, cfg.Text.EOSTokenID = t.VocabSize(), int(t.EndID())
	config, err := huggingFaceConfig(cfg)
	if err != nil {
		return err
	}
	for name, value := range tokenizerFiles(cfg) {
		if contents[name], err = json.MarshalIndent(value, "", "  "); err != nil {
			return err
		}
	}
	return checkpoints.Write(m.Path(exported, "clip"), checkpoints.Contents{
		Config: config, Weights: weights, Files: contents, Layout: "clip/huggingface", Tool: tool, Replace: true,
	})
}

type object = map[string]any

// huggingFaceConfig is cfg with what transformers' CLIPConfig wants besides.
func huggingFaceConfig(cfg clip.Config) (json.RawMessage, error) {
	data, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	var all object
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	all["architectures"], all["logit_scale_init_value"] = []string{"CLIPModel"}, clip.InitialLogitScale
	text, vision := all["text_config"].(object), all["vision_config"].(object)
	text["model_type"], vision["model_type"] = "clip_text_model", "clip_vision_model"
	text["bos_token_id"], text["pad_token_id"] = cfg.Text.EOSTokenID-1, cfg.Text.EOSTokenID
	text["projection_dim"], vision["projection_dim"] = cfg.ProjectionDim, cfg.ProjectionDim
	data, err = json.MarshalIndent(all, "", "  ")
	return append(data, '\n'), err
}

// tokenizerFiles are the other files by which transformers opens a CLIP.
func tokenizerFiles(cfg clip.Config) map[string]object {
	const begin, end = "<|startoftext|>", "<|endoftext|>"
	token := func(content string) object {
		return object{"content": content, "lstrip": false, "normalized": true, "rstrip": false, "single_word": false}
	}
	special := func(content string) object {
		t := token(content)
		t["special"] = true
		return t
	}
	return map[string]object{
		"special_tokens_map.json": {"bos_token": token(begin), "eos_token": token(end), "pad_token": end,
			"unk_token": token(end)},
		"tokenizer_config.json": {
			"added_tokens_decoder": object{fmt.Sprint(cfg.Text.EOSTokenID - 1): special(begin),
				fmt.Sprint(cfg.Text.EOSTokenID): special(end)},
			"bos_token": begin, "eos_token": end, "pad_token": end, "unk_token": end, "errors": "replace",
			"clean_up_tokenization_spaces": false, "model_max_length": cfg.Text.MaxPositionEmbeddings,
			"tokenizer_class": "CLIPTokenizer",
		},
		"preprocessor_config.json": {
			"crop_size": object{"height": cfg.Vision.ImageSize, "width": cfg.Vision.ImageSize}, "do_center_crop": true,
			"do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
			"image_mean": clip.Mean, "image_std": clip.Std, "image_processor_type": "CLIPImageProcessor", "resample": 3,
			"rescale_factor": 1. / 255, "size": object{"shortest_edge": cfg.Vision.ImageSize},
		},
	}
}
