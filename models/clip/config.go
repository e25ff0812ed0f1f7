// Package clip is CLIP (Radford et al. 2021) as a GoMLX graph: text and pictures to one embedding space.
// Configuration, weights and tokenizer are read from a folder in Hugging Face's layout.
package clip

// ModelType is the "model_type" of a CLIP's config.json.
const ModelType = "clip"

// Config holds what the graph needs of Hugging Face's CLIP config.json; other fields of that file are ignored.
type Config struct {
	ModelType     string       `json:"model_type"`
	ProjectionDim int          `json:"projection_dim"`
	Text          TextConfig   `json:"text_config"`
	Vision        VisionConfig `json:"vision_config"`
}

// TextConfig describes the text transformer.
type TextConfig struct {
	HiddenSize            int     `json:"hidden_size"`
	IntermediateSize      int     `json:"intermediate_size"`
	NumHiddenLayers       int     `json:"num_hidden_layers"`
	NumAttentionHeads     int     `json:"num_attention_heads"`
	MaxPositionEmbeddings int     `json:"max_position_embeddings"`
	VocabSize             int     `json:"vocab_size"`
	HiddenAct             string  `json:"hidden_act"`
	LayerNormEps          float64 `json:"layer_norm_eps"`
	EOSTokenID            int     `json:"eos_token_id"`
}

// VisionConfig describes the vision transformer.
type VisionConfig struct {
	HiddenSize        int     `json:"hidden_size"`
	IntermediateSize  int     `json:"intermediate_size"`
	NumHiddenLayers   int     `json:"num_hidden_layers"`
	NumAttentionHeads int     `json:"num_attention_heads"`
	NumChannels       int     `json:"num_channels"`
	ImageSize         int     `json:"image_size"`
	PatchSize         int     `json:"patch_size"`
	HiddenAct         string  `json:"hidden_act"`
	LayerNormEps      float64 `json:"layer_norm_eps"`
}
