package main

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"illustrator/checkpoints"
	"illustrator/data/arrays"
	"illustrator/data/pairs"
	"illustrator/data/pictures"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
	"illustrator/train/sampling"
)

// tinyDomain is the scripts' command `tiny-domain FOLDER SEED`: it writes a domain of random weights, tiny.yaml with
// its networks and prompts, and beside it 40 pairs (pairs), an untrained mapper (mapper), one z (z.npy) and a picture
// of another size (other.png), and an image prompt in the official release's form (image_prompt.pth).
// It needs no plugin.
func tinyDomain() {
	seed, err := strconv.ParseUint(os.Args[2], 10, 64)
	if err == nil {
		err = writeTinyDomain(os.Args[1], seed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writeTinyDomain(dir string, seed uint64) error {
	if _, err := pipelinetest.Write(dir, seed); err != nil {
		return err
	}
	networks, err := pipeline.Open(nil, pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 9))
	normal := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(rng.NormFloat64())
		}
		return values
	}
	if err := pipeline.WritePrompts(filepath.Join(dir, "tiny.prompts.safetensors"), pipeline.PromptFile{
		Prompts:    pipeline.Prompts{Text: normal(pipelinetest.EmbedDim), Image: normal(pipelinetest.EmbedDim)},
		TextPrompt: "A picture.", CLIPSHA256: networks.Hashes["clip"],
	}); err != nil {
		return err
	}
	released := checkpoints.Float32Tensor(normal(pipelinetest.EmbedDim), 1, pipelinetest.EmbedDim).Entry("image_prompt")
	if err := checkpoints.WriteTorch(filepath.Join(dir, "image_prompt.pth"),
		[]checkpoints.TorchEntry{released}); err != nil {
		return err
	}
	cfg := mapper.Config{
		ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: pipelinetest.EmbedDim, ZDim: pipelinetest.ZDim,
		Width: 16, Blocks: 1, Layers: 2,
	}
	if err := checkpoints.Write(filepath.Join(dir, "mapper"),
		checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, seed)}); err != nil {
		return err
	}
	if err := arrays.Write(filepath.Join(dir, "z.npy"),
		&arrays.Array{Shape: []int{1, cfg.ZDim}, Data: normal(cfg.ZDim)}); err != nil {
		return err
	}
	if err := pictures.WritePNG(filepath.Join(dir, "other.png"), image.NewGray(image.Rect(0, 0, 20, 9)), nil); err != nil {
		return err
	}
	return writeTinyPairs(filepath.Join(dir, "pairs"), networks, normal)
}

// writeTinyPairs writes pairs whose values are random: they fit each other in nothing but their widths.
func writeTinyPairs(path string, networks *pipeline.Networks, normal func(n int) []float32) error {
	pairs, err := pairs.OpenWriter(path, sampling.Meta(networks, "tiny", 0, stylegan2.NoiseRandom, ""),
		pairs.DefaultShardRows)
	if err != nil {
		return err
	}
	const rows = 40
	if err := pairs.Append(0, normal(rows*pipelinetest.ZDim), normal(rows*pipelinetest.EmbedDim)); err != nil {
		return err
	}
	return pairs.Close()
}
