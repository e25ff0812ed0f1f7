package clip

import "fmt"

// transformer is what the text and the vision tower have in common.
type transformer struct {
	config string // the part of config.json, for messages
	model  string // the prefix of the weights' names
	width  int    // D
	inner  int    // hidden units of the MLP
	layers int
	heads  int
	act    string
	eps    float64
	causal bool // tokens see none after themselves
}

func (c Config) textTransformer() transformer {
	t := c.Text
	return transformer{config: "text_config", model: "text_model", width: t.HiddenSize, inner: t.IntermediateSize,
		layers: t.NumHiddenLayers, heads: t.NumAttentionHeads, act: t.HiddenAct, eps: t.LayerNormEps, causal: true}
}

func (c Config) visionTransformer() transformer {
	v := c.Vision
	return transformer{config: "vision_config", model: "vision_model", width: v.HiddenSize, inner: v.IntermediateSize,
		layers: v.NumHiddenLayers, heads: v.NumAttentionHeads, act: v.HiddenAct, eps: v.LayerNormEps}
}

func (t transformer) layerName(i int) string { return fmt.Sprintf("%s.encoder.layers.%d", t.model, i) }
