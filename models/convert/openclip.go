package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
)

// openCLIPConfig is OpenCLIP's configuration, and openCLIPWeights are the names of the weights beside it,
// the best first.
const openCLIPConfig = "open_clip_config.json"

var openCLIPWeights = []string{"open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
	"open_clip_pytorch_model.bin"}

// openCLIPFields are the fields of model_cfg and of its parts that change the graph, with the values under which it is
// the one that is built in. null is right for each. A field that is neither here nor read is refused.
var openCLIPFields = map[string][]string{
	"custom_text": {"false"}, "nonscalar_logit_scale": {"false"}, "multimodal_cfg": nil,
	"attentional_pool": {"false"}, "no_ln_pre": {"false"}, "pos_embed_type": {`"learnable"`},
	"final_ln_after_pool": {"false"}, "ls_init_value": nil,
	"pool_type": {`"tok"`, `"argmax"`}, "act_kwargs": {"{}"}, "norm_kwargs": {"{}"}, "block_type": {`"default"`},
	"qk_norm": {"false"}, "scaled_cosine_attn": {"false"}, "scale_heads": {"false"}, "scale_attn_inner": {"false"},
	"scale_attn": {"false"}, "scale_fc": {"false"},
	"timm_model_name": nil, "hf_model_name": nil, "hf_tokenizer_name": nil, "tokenizer_mode": nil,
	"tokenizer_kwargs": {"{}", `{"clean":"lower"}`, `{"clean":"whitespace"}`, `{"clean":"canonicalize"}`,
		`{"clean":"whitespace_underscore"}`},
	"embed_cls": {"false"}, "no_causal_mask": {"false"}, "proj_bias": {"false"}, "proj_type": {`"linear"`},
}

// openCLIPIgnored are fields that do not change the graph, or only beside one that is refused.
var openCLIPIgnored = []string{
	"init_logit_scale", "init_logit_bias", "output_dict", "output_tokens", "cast_dtype", "patch_dropout",
	"attn_pooler_queries", "attn_pooler_heads",
	"pad_id", "eos_id", "timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop", "timm_drop_path",
	"hf_model_pretrained", "hf_proj_type", "hf_pooler_type",
}

// openCLIPPart is a tower's part of the configuration.
type openCLIPPart struct {
	Layers    int     `json:"layers"`
	Width     int     `json:"width"`
	Heads     int     `json:"heads"`
	HeadWidth int     `json:"head_width"`
	MLPRatio  float64 `json:"mlp_ratio"`
	PatchSize int     `json:"patch_size"`
	ImageSize int     `json:"image_size"`
	Context   int     `json:"context_length"`
	Vocab     int     `json:"vocab_size"`
	Tokenizer struct {
		Clean string `json:"clean"`
	} `json:"tokenizer_kwargs"`
}

var openCLIPRead = []string{"embed_dim", "quick_gelu", "vision_cfg", "text_cfg", "layers", "width", "heads",
	"head_width", "mlp_ratio", "patch_size", "image_size", "context_length", "vocab_size"}

// openCLIP is OpenCLIP's configuration.
type openCLIP struct {
	Model struct {
		EmbedDim  int             `json:"embed_dim"`
		QuickGELU bool            `json:"quick_gelu"`
		Vision    json.RawMessage `json:"vision_cfg"`
		Text      json.RawMessage `json:"text_cfg"`
	} `json:"model_cfg"`
	Preprocess struct {
		Mean          []float64 `json:"mean"`
		Std           []float64 `json:"std"`
		Interpolation string    `json:"interpolation"`
		ResizeMode    string    `json:"resize_mode"`
	} `json:"preprocess_cfg"`

	vision, text openCLIPPart
}

// readOpenCLIP completes a configuration that was read off the shapes: heads and activation. The rest must agree.
func readOpenCLIP(path string, cfg *clip.Config) (preprocessor []byte, err error) {
	data, err := readText(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return nil, err
	}
	file, err := parseOpenCLIP(data)
	if err == nil {
		err = file.complete(cfg)
	}
	if err == nil {
		preprocessor, err = openCLIPPreprocessor(file.Preprocess.Interpolation, file.Preprocess.ResizeMode,
			cfg.Vision.ImageSize)
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("%s: %w", path, err),
			"only OpenCLIP's plain vision transformers with OpenAI's text transformer are supported")
	}
	return preprocessor, nil
}

// parseOpenCLIP parses a configuration. Absent fields have the defaults of OpenCLIP's CLIPVisionCfg and CLIPTextCfg.
func parseOpenCLIP(data []byte) (openCLIP, error) {
	file := openCLIP{
		vision: openCLIPPart{Layers: 12, Width: 768, HeadWidth: headWidth, MLPRatio: 4, PatchSize: 16, ImageSize: 224},
		text:   openCLIPPart{Layers: 12, Width: 512, Heads: 8, MLPRatio: 4, Context: 77, Vocab: 49408},
	}
	var raw struct {
		Model json.RawMessage `json:"model_cfg"`
	}
	if err := firstError(json.Unmarshal(data, &file), json.Unmarshal(data, &raw)); err != nil {
		return file, err
	}
	for _, part := range []struct {
		raw  json.RawMessage
		into any
	}{{raw.Model, nil}, {file.Model.Vision, &file.vision}, {file.Model.Text, &file.text}} {
		if err := checkOpenCLIPFields(part.raw); err != nil {
			return file, err
		}
		if part.into != nil {
			if err := json.Unmarshal(part.raw, part.into); err != nil {
				return file, err
			}
		}
	}
	return file, checkPreprocess(file.Preprocess.Mean, file.Preprocess.Std)
}

// complete compares the configuration with what the shapes of the weights show, and adds what they don't.
func (o *openCLIP) complete(cfg *clip.Config) error {
	t, v, vision, text := &cfg.Text, &cfg.Vision, o.vision, o.text
	for _, f := range []struct {
		name        string
		says, shows int
	}{
		{"embed_dim", o.Model.EmbedDim, cfg.ProjectionDim},
		{"vision_cfg.layers", vision.Layers, v.NumHiddenLayers}, {"vision_cfg.width", vision.Width, v.HiddenSize},
		{"vision_cfg.patch_size", vision.PatchSize, v.PatchSize}, {"vision_cfg.image_size", vision.ImageSize, v.ImageSize},
		{"text_cfg.layers", text.Layers, t.NumHiddenLayers}, {"text_cfg.width", text.Width, t.HiddenSize},
		{"text_cfg.context_length", text.Context, t.MaxPositionEmbeddings}, {"text_cfg.vocab_size", text.Vocab, t.VocabSize},
	} {
		if f.says != f.shows {
			return fmt.Errorf("%s is %d, the weights have %d", f.name, f.says, f.shows)
		}
	}
	if vision.HeadWidth < 1 || text.Heads < 1 {
		return fmt.Errorf("vision_cfg.head_width is %d and text_cfg.heads %d; both must be positive",
			vision.HeadWidth, text.Heads)
	}
	v.NumAttentionHeads, t.NumAttentionHeads = vision.Width/vision.HeadWidth, text.Heads
	act := clip.GELU
	if o.Model.QuickGELU {
		act = clip.QuickGELU
	}
	t.HiddenAct, v.HiddenAct = act, act
	switch text.Tokenizer.Clean {
	case "whitespace":
		cfg.TextCleaning = clip.CleanWhitespace
	case "whitespace_underscore":
		cfg.TextCleaning = clip.CleanUnderscore
	case "canonicalize":
		cfg.TextCleaning = clip.CleanCanonicalize
	}
	return nil
}

// openCLIPPreprocessor writes OpenCLIP's way of resizing as a preprocessor_config.json; nil is the default.
func openCLIPPreprocessor(interpolation, mode string, size int) ([]byte, error) {
	resample := clip.Bicubic
	switch interpolation {
	case "", "bicubic":
	case "bilinear":
		resample = clip.Bilinear
	default:
		return nil, fmt.Errorf("preprocess_cfg.interpolation is %q; expected bicubic or bilinear", interpolation)
	}
	p := map[string]any{"image_processor_type": "CLIPImageProcessor", "resample": resample,
		"size": map[string]int{"shortest_edge": size}, "crop_size": size}
	switch mode {
	case "", "shortest":
		if resample == clip.Bicubic {
			return nil, nil
		}
	case "squash":
		p["size"], p["do_center_crop"] = map[string]int{"height": size, "width": size}, false
	default:
		return nil, fmt.Errorf("preprocess_cfg.resize_mode is %q; expected shortest or squash", mode)
	}
	return json.MarshalIndent(p, "", "  ")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkOpenCLIPFields refuses a part of the configuration with a field that asks for another graph.
func checkOpenCLIPFields(part json.RawMessage) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(part, &fields); err != nil {
		return fmt.Errorf("a part of model_cfg: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(openCLIPRead, name) || slices.Contains(openCLIPIgnored, name) {
			continue
		}
		var value bytes.Buffer
		if err := json.Compact(&value, fields[name]); err != nil {
			return err
		}
		allowed, ok := openCLIPFields[name]
		if !ok {
			return fmt.Errorf("field %q is not known", name)
		}
		if v := value.String(); v != "null" && !slices.Contains(allowed, v) {
			return fmt.Errorf("%s is %.80s, which is not supported", name, v)
		}
	}
	return nil
}

// checkPreprocess compares the mean and deviation of colours with CLIP's, which the graph has built in.
func checkPreprocess(mean, std []float64) error {
	for _, c := range []struct {
		name      string
		got, want []float64
	}{{"mean", mean, clip.Mean[:]}, {"std", std, clip.Std[:]}} {
		if len(c.got) == 0 {
			continue // CLIP's are the defaults
		}
		if !slices.EqualFunc(c.got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }) {
			return fmt.Errorf("preprocess_cfg.%s is %v; expected %v", c.name, c.got, c.want)
		}
	}
	return nil
}

// readFirst reads the first of the files that folder has.
func (s *source) readFirst(folder string, names []string) (*checkpoints.Weights, string, error) {
	for _, name := range names {
		path := filepath.Join(folder, name)
		if !exists(path) {
			continue
		}
		w, err := s.readFile(path)
		return w, path, err
	}
	return nil, "", fault.Hint(fmt.Errorf("%s has none of the weights %v", folder, names),
		"fetch one of them into the folder")
}
