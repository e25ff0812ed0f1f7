package clip

import (
	"encoding/json"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

func TestDecodeConfigDefaults(t *testing.T) {
	// Everything absent: transformers' CLIPConfig(), which is ViT-B/32.
	c, err := DecodeConfig([]byte(`{"model_type": "clip", "text_config": null, "vision_config": {"hidden_size": null}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{ModelType: "clip", ProjectionDim: 512,
		Text: TextConfig{HiddenSize: 512, IntermediateSize: 2048, NumHiddenLayers: 12, NumAttentionHeads: 8,
			MaxPositionEmbeddings: 77,
			VocabSize:             49408, HiddenAct: "quick_gelu", LayerNormEps: 1e-5, EOSTokenID: 49407},
		Vision: VisionConfig{HiddenSize: 768, IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12,
			NumChannels: 3,
			ImageSize:   224, PatchSize: 32, HiddenAct: "quick_gelu", LayerNormEps: 1e-5}}
	if c != want {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
	parameters := 0
	for _, shape := range c.Shapes() {
		n := 1
		for _, d := range shape {
			n *= d
		}
		parameters += n
	}
	if parameters != 151277313 { // openai/clip-vit-base-patch32
		t.Errorf("ViT-B/32 has %d parameters, want 151277313", parameters)
	}
}

func TestDecodeConfigParts(t *testing.T) {
	// text_config_dict replaces text_config as a whole, as in transformers: the layers fall back to the default.
	c, err := DecodeConfig([]byte(`{"model_type": "clip", "projection_dim": 768,
		"text_config": {"hidden_size": 640, "num_hidden_layers": 3, "eos_token_id": 2},
		"text_config_dict": {"hidden_size": 768, "num_attention_heads": 12},
		"vision_config": {"patch_size": 16, "eos_token_id": 2}, "vision_config_dict": null}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.ProjectionDim != 768 || c.Text.HiddenSize != 768 || c.Text.NumHiddenLayers != 12 || c.Text.EOSTokenID != 49407 ||
		c.Vision.PatchSize != 16 {
		t.Errorf("got %+v", c)
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := DecodeConfig(data); err != nil || again != c {
		t.Errorf("written and read again: %+v, %v", again, err)
	}
}

func TestDecodeConfigErrors(t *testing.T) {
	for _, test := range []struct{ data, err, hint string }{
		{`{`, "config.json", "CLIPModel"},
		{`{"model_type": "clip", "text_config": {"hidden_size": "wide"}}`, "text_config", "CLIPModel"},
		{`{"model_type": "siglip"}`, `model_type is "siglip"`, `"clip"`},
		{`{}`, "model_type is ", `"clip"`},
		{`{"model_type": "clip", "projection_dim": 0}`, "projection_dim is 0", "from 1 to"},
		{`{"model_type": "clip", "text_config": {"num_attention_heads": 7}}`, "text_config.num_attention_heads is 7",
			"divisor of hidden_size 512"},
		{`{"model_type": "clip", "text_config": {"eos_token_id": 49408}}`, "eos_token_id is 49408", "below vocab_size 49408"},
		{`{"model_type": "clip", "text_config": {"max_position_embeddings": 2}}`, "max_position_embeddings is 2",
			"at least 3"},
		{`{"model_type": "clip", "text_config": {"vocab_size": 1000000000000}}`, "vocab_size is 1000000000000", "from 1 to"},
		{`{"model_type": "clip", "vision_config": {"patch_size": 15}}`, "vision_config.patch_size is 15",
			"divisor of image_size 224"},
		{`{"model_type": "clip", "vision_config": {"patch_size": 0}}`, "patch_size is 0", "divisor"},
		{`{"model_type": "clip", "vision_config": {"image_size": -224}}`, "image_size is -224", "from 1 to"},
		{`{"model_type": "clip", "vision_config": {"num_channels": 4}}`, "num_channels is 4", "red, green and blue"},
		{`{"model_type": "clip", "vision_config": {"hidden_act": "relu"}}`, `activation "relu" is unknown`,
			"quick_gelu or gelu"},
		{`{"model_type": "clip", "vision_config": {"layer_norm_eps": 0}}`, "layer_norm_eps is 0", "1e-5"},
	} {
		_, err := DecodeConfig([]byte(test.data))
		if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s\n got error %v, hint %q\nwant %q, %q", test.data, err, fault.HintOf(err), test.err, test.hint)
		}
	}
}
