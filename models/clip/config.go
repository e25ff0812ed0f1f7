// Package clip is CLIP (Radford et al. 2021) as a GoMLX graph: text and pictures to one embedding space.
// Configuration, weights and tokenizer are read from a folder in Hugging Face's layout.
package clip

import (
	"encoding/json"
	"fmt"

	"illustrator/internal/fault"
)

// ModelType is the "model_type" of a CLIP's config.json.
const ModelType = "clip"

// Config holds what the graph needs of Hugging Face's CLIP config.json; other fields of that file are ignored.
type Config struct {
	ModelType     string       `json:"model_type"`
	ProjectionDim int          `json:"projection_dim"`
	Text          TextConfig   `json:"text_config"`
	Vision        VisionConfig `json:"vision_config"`
	// TextCleaning is this program's own field: how texts are cleaned. Empty is that of the vocabulary.
	TextCleaning Cleaning `json:"text_cleaning,omitempty"`
	// Unclamped has Preprocess leave pictures as they are. It is a setting of a loss, not of the network.
	Unclamped bool `json:"-"`
}

// Activation is the function between the linear layers of a transformer's blocks.
type Activation string

// The activations of the published networks: x·σ(1.702x), OpenAI's, and the exact x·Φ(x).
const (
	QuickGELU Activation = "quick_gelu"
	GELU      Activation = "gelu"
)

// UnmarshalText reads an activation.
func (a *Activation) UnmarshalText(text []byte) error {
	return fault.Choose(a, "activation", text, QuickGELU, GELU)
}

// MarshalText writes the name.
func (a Activation) MarshalText() ([]byte, error) { return []byte(a), nil }

// TextConfig describes the text transformer.
type TextConfig struct {
	HiddenSize            int        `json:"hidden_size"`
	IntermediateSize      int        `json:"intermediate_size"`
	NumHiddenLayers       int        `json:"num_hidden_layers"`
	NumAttentionHeads     int        `json:"num_attention_heads"`
	MaxPositionEmbeddings int        `json:"max_position_embeddings"`
	VocabSize             int        `json:"vocab_size"`
	HiddenAct             Activation `json:"hidden_act"`
	LayerNormEps          float64    `json:"layer_norm_eps"`
	EOSTokenID            int        `json:"eos_token_id"`
}

// VisionConfig describes the vision transformer.
type VisionConfig struct {
	HiddenSize        int        `json:"hidden_size"`
	IntermediateSize  int        `json:"intermediate_size"`
	NumHiddenLayers   int        `json:"num_hidden_layers"`
	NumAttentionHeads int        `json:"num_attention_heads"`
	NumChannels       int        `json:"num_channels"`
	ImageSize         int        `json:"image_size"`
	PatchSize         int        `json:"patch_size"`
	HiddenAct         Activation `json:"hidden_act"`
	LayerNormEps      float64    `json:"layer_norm_eps"`
}

// Activations is the number of values that the layers give for one picture, from which a program's memory follows: in
// each block two normalisations, query, key, value, their mixture, its projection and the two linear layers, and the
// attention of all heads.
func (c VisionConfig) Activations() int {
	tokens := (c.ImageSize/c.PatchSize)*(c.ImageSize/c.PatchSize) + 1
	block := tokens*(8*c.HiddenSize+2*c.IntermediateSize) + 2*c.NumAttentionHeads*tokens*tokens
	return c.NumChannels*c.ImageSize*c.ImageSize + c.NumHiddenLayers*block
}

// legacyEOS is the wrong "eos_token_id" in the configurations of OpenAI's networks as they were first converted. The
// text is then pooled at its largest id, which is <|endoftext|> in their vocabulary (transformers, modeling_clip.py,
// does so too).
const legacyEOS = 2

// DecodeConfig reads a Hugging Face config.json. Absent fields have the values that transformers' CLIPConfig gives them
// (those of ViT-B/32). The result is valid, or the error names the first field that is not.
func DecodeConfig(data []byte) (Config, error) {
	text, vision := defaultText(), defaultVision()
	// Old files repeat a part under another name; transformers then takes that one, with defaults where it is silent.
	file := struct {
		ModelType  string          `json:"model_type"`
		Projection *int            `json:"projection_dim"`
		Text       json.RawMessage `json:"text_config"`
		TextDict   json.RawMessage `json:"text_config_dict"`
		Vision     json.RawMessage `json:"vision_config"`
		VisionDict json.RawMessage `json:"vision_config_dict"`
		Cleaning   Cleaning        `json:"text_cleaning"`
	}{}
	if err := json.Unmarshal(data, &file); err != nil {
		return Config{}, badJSON("config.json", err)
	}
	for _, part := range []struct {
		name        string
		plain, dict json.RawMessage
		into        any
	}{
		{"text_config", file.Text, file.TextDict, &text},
		{"vision_config", file.Vision, file.VisionDict, &vision},
	} {
		name, raw := part.name, part.plain
		if len(part.dict) > 0 && string(part.dict) != "null" {
			name, raw = part.name+"_dict", part.dict
		}
		if len(raw) == 0 {
			continue
		}
		if err := json.Unmarshal(raw, part.into); err != nil {
			return Config{}, badJSON("config.json: "+name, err)
		}
	}
	c := Config{ModelType: file.ModelType, ProjectionDim: 512, Text: text, Vision: vision, TextCleaning: file.Cleaning}
	if file.Projection != nil {
		c.ProjectionDim = *file.Projection
	}
	return c, c.Validate()
}

func badJSON(where string, err error) error {
	return fault.Suggest(fmt.Errorf("read CLIP's %s: %w", where, err),
		"the file must be Hugging Face's config.json of a CLIPModel")
}

// defaultText is transformers' CLIPTextConfig().
func defaultText() TextConfig {
	return TextConfig{HiddenSize: 512, IntermediateSize: 2048, NumHiddenLayers: 12, NumAttentionHeads: 8,
		MaxPositionEmbeddings: 77, VocabSize: 49408, HiddenAct: QuickGELU, LayerNormEps: 1e-5, EOSTokenID: 49407}
}

// defaultVision is transformers' CLIPVisionConfig().
func defaultVision() VisionConfig {
	return VisionConfig{HiddenSize: 768, IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12,
		NumChannels: 3, ImageSize: 224, PatchSize: 32, HiddenAct: QuickGELU, LayerNormEps: 1e-5}
}
