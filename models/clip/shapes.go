package clip

import "illustrator/checkpoints"

// TokenEmbedding is the name of the table [V,W] of token embeddings.
const TokenEmbedding = "text_model.embeddings.token_embedding.weight"

// Shapes are the tensors of the network under the names of transformers' CLIPModel, without the constant
// "position_ids" that old files hold beside the position embeddings.
func (c Config) Shapes() checkpoints.Shapes {
	t, v := c.Text, c.Vision
	side := v.ImageSize / v.PatchSize
	s := checkpoints.Shapes{
		"logit_scale":              {},
		"text_projection.weight":   {c.ProjectionDim, t.HiddenSize},
		"visual_projection.weight": {c.ProjectionDim, v.HiddenSize},

		TokenEmbedding: {t.VocabSize, t.HiddenSize},
		"text_model.embeddings.position_embedding.weight": {t.MaxPositionEmbeddings, t.HiddenSize},

		"vision_model.embeddings.class_embedding":           {v.HiddenSize},
		"vision_model.embeddings.patch_embedding.weight":    {v.HiddenSize, v.NumChannels, v.PatchSize, v.PatchSize},
		"vision_model.embeddings.position_embedding.weight": {side*side + 1, v.HiddenSize},
	}
	layerNorm := func(name string, width int) {
		s[name+".weight"] = []int{width}
		s[name+".bias"] = []int{width}
	}
	layerNorm("text_model.final_layer_norm", t.HiddenSize)
	layerNorm("vision_model.pre_layrnorm", v.HiddenSize)
	layerNorm("vision_model.post_layernorm", v.HiddenSize)
	linear := func(name string, in, out int) {
		s[name+".weight"] = []int{out, in}
		s[name+".bias"] = []int{out}
	}
	for _, tr := range []transformer{c.textTransformer(), c.visionTransformer()} {
		for i := range tr.layers {
			layer := tr.layerName(i)
			for _, p := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
				linear(layer+".self_attn."+p, tr.width, tr.width)
			}
			layerNorm(layer+".layer_norm1", tr.width)
			layerNorm(layer+".layer_norm2", tr.width)
			linear(layer+".mlp.fc1", tr.width, tr.inner)
			linear(layer+".mlp.fc2", tr.inner, tr.width)
		}
	}
	return s
}
