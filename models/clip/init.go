package clip

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"illustrator/checkpoints"
)

// InitialLogitScale is the logarithm of the factor that cosines are multiplied by when training begins: a
// temperature of 0.07 (Radford et al. 2021, section 2.5). MaxLogitScale bounds it: a factor of 100.
var (
	InitialLogitScale = math.Log(1 / 0.07)
	MaxLogitScale     = math.Log(100)
)

// Init returns fresh weights as OpenAI's CLIP initialises them (clip/model.py): normal distributions whose
// deviations fall with width and depth, biases 0, norms 1. Equal seeds give equal weights.
func Init(cfg Config, seed uint64) *checkpoints.Weights {
	sizes := cfg.Shapes()
	w := &checkpoints.Weights{Source: "fresh CLIP", Tensors: map[string]checkpoints.Tensor{}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		mean, deviation := cfg.initial(name)
		values := make([]float32, checkpoints.Tensor{Shape: sizes[name]}.Elements())
		for i := range values {
			values[i] = float32(mean + deviation*rng.NormFloat64())
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, sizes[name]...)
	}
	return w
}

// initial returns the mean and the deviation of a fresh tensor.
func (c Config) initial(name string) (mean, deviation float64) {
	tr := c.textTransformer()
	if strings.HasPrefix(name, "vision") || strings.HasPrefix(name, "visual") {
		tr = c.visionTransformer()
	}
	width := math.Pow(float64(tr.width), -0.5)
	residual := width * math.Pow(2*float64(tr.layers), -0.5)
	switch {
	case name == "logit_scale":
		return InitialLogitScale, 0
	case strings.HasSuffix(name, ".bias"):
		return 0, 0
	case strings.Contains(name, "norm") && strings.HasSuffix(name, ".weight"):
		return 1, 0
	case strings.HasSuffix(name, "token_embedding.weight"):
		return 0, 0.02
	case name == "text_model.embeddings.position_embedding.weight":
		return 0, 0.01
	case strings.HasSuffix(name, "patch_embedding.weight"):
		v := c.Vision // torch.nn.Conv2d's default: uniform in ±1/√inputs, here normal with the same deviation
		return 0, 1 / math.Sqrt(3*float64(v.NumChannels*v.PatchSize*v.PatchSize))
	case strings.HasSuffix(name, "out_proj.weight"), strings.HasSuffix(name, "fc2.weight"):
		return 0, residual
	case strings.HasSuffix(name, "fc1.weight"):
		return 0, math.Pow(2*float64(tr.width), -0.5)
	}
	return 0, width
}
