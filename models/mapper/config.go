// Package mapper is the one trained network of the method: CLIP image embedding → StyleGAN2 Z.
package mapper

// ModelType is the "model_type" of a mapper's config.json.
const ModelType = "mapper"

// Config is a mapper from CLIP image embeddings to StyleGAN's Z, as stored in config.json.
type Config struct {
	ModelType string `json:"model_type" yaml:"-"`
	// Arch is "dense", the paper's network of dense blocks, or "baseline", its 54-layer plain network.
	Arch string `json:"arch" yaml:"arch"`
	// EmbedDim is CLIP's width E, ZDim the generator's width Z. A domain fixes both.
	EmbedDim int `json:"embed_dim" yaml:"-"`
	ZDim     int `json:"z_dim" yaml:"-"`
	// Width is the number of hidden units (512 in the paper).
	Width int `json:"width" yaml:"width"`
	// Blocks is the number of dense blocks (5), Layers the number of layers in each (5). The baseline has Layers layers (54).
	Blocks int `json:"blocks" yaml:"blocks"`
	Layers int `json:"layers" yaml:"layers"`
	// Dropout is the probability that a block's output unit is dropped in training (0.1).
	Dropout float64 `json:"dropout" yaml:"dropout"`
}
