// Package pipelinetest makes a domain of random weights that is small enough for tests.
package pipelinetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/clip"
	"illustrator/models/nn"
	"illustrator/models/stylegan2"
)

// Sizes of the tiny domain: nothing is as in the embedded one, and pictures are larger than CLIP's input.
const (
	Size     = 16 // of pictures
	ZDim     = 12
	EmbedDim = 20
	context  = 16 // of CLIP, in tokens
)

const domainYAML = `name: tiny
generator: generator
clip: clip
text_prompt: A picture.
alpha: 1.5
size: %d
z_dim: %d
embed_dim: %d
`

// Write writes a domain into the folder dir, generator/, clip/ and tiny.yaml with relative paths, and returns the path
// of the YAML file. Another seed gives other weights. It has no classifier, no mapper and no prompts.
func Write(dir string, seed uint64) (domain string, err error) {
	generator := stylegan2.Config{
		ModelType: stylegan2.ModelType, Size: Size, StyleDim: ZDim, NMLP: 2, LRMLP: 0.01,
		Channels: map[int]int{4: 8, 8: 6, 16: 4}, ColorOrder: "RGB",
	}
	if err := checkpoints.Write(filepath.Join(dir, "generator"), checkpoints.Contents{
		Config: generator, Weights: random(generator.Shapes(), seed, 1), Replace: true,
	}); err != nil {
		return "", err
	}
	if err := writeCLIP(filepath.Join(dir, "clip"), seed); err != nil {
		return "", err
	}
	domain = filepath.Join(dir, "tiny.yaml")
	return domain, os.WriteFile(domain, fmt.Appendf(nil, domainYAML, Size, ZDim, EmbedDim), 0o666)
}

// writeCLIP writes a CLIP with the vocabulary of the embedded one.
func writeCLIP(dir string, seed uint64) error {
	embedded, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		return err
	}
	cfg, _, err := clip.Open(embedded)
	if err != nil {
		return err
	}
	cfg.ProjectionDim = EmbedDim
	cfg.Text.HiddenSize, cfg.Text.IntermediateSize, cfg.Text.NumHiddenLayers, cfg.Text.NumAttentionHeads = 24, 40, 1, 3
	cfg.Text.MaxPositionEmbeddings = context
	cfg.Vision.HiddenSize, cfg.Vision.IntermediateSize, cfg.Vision.NumHiddenLayers, cfg.Vision.NumAttentionHeads = 20, 36,
		1, 5
	cfg.Vision.ImageSize, cfg.Vision.PatchSize = 8, 4
	files := map[string][]byte{}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		if files[name], err = embedded.ReadFile(name); err != nil {
			return err
		}
	}
	return checkpoints.Write(dir, checkpoints.Contents{
		Config: cfg, Weights: random(cfg.Shapes(), seed+1, 0.3), Files: files, Replace: true,
	})
}

// LoadFloat64 loads the generator and the CLIP of the domain in dir again, in float64, for gradients that are compared
// with finite differences. generator is its configuration.
func LoadFloat64(store *model.Store, generator stylegan2.Config, dir string) error {
	for _, network := range []string{"generator", "clip"} {
		folder, err := checkpoints.Open(filepath.Join(dir, network))
		if err != nil {
			return err
		}
		weights, err := folder.Weights()
		if err != nil {
			return err
		}
		if network == "generator" {
			err = stylegan2.Load(store.Scope(network), generator, weights, dtypes.Float64)
		} else {
			err = nn.Load(store.Scope(network), weights, dtypes.Float64, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// random returns normal weights of the given deviation; what scales (norms, styles) lies around 1.
func random(shapes checkpoints.Shapes, seed uint64, deviation float64) *checkpoints.Weights {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := &checkpoints.Weights{Source: "random", Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		mean, spread := 0.0, deviation
		switch {
		case strings.HasSuffix(name, "modulation.bias"), strings.Contains(name, "norm") && strings.HasSuffix(name, ".weight"):
			mean, spread = 1, 0.1
		case strings.HasSuffix(name, ".bias"), strings.HasSuffix(name, "noise.weight"):
			spread = 0.3
		case strings.HasPrefix(name, "style."):
			spread = 100 // the learning rate of 0.01 scales it
		}
		values := make([]float32, checkpoints.Tensor{Shape: shapes[name]}.Elements())
		for i := range values {
			values[i] = float32(mean + spread*rng.NormFloat64())
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, shapes[name]...)
	}
	return w
}
