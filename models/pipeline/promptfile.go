package pipeline

import (
	"fmt"
	"math"
	"slices"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// PromptFile holds the two anchors of the prompt projection as a file keeps them, with what they were made from.
type PromptFile struct {
	Prompts
	TextPrompt string // the text behind Prompts.Text
	Source     string // what the image prompt is the mean of
	CLIPSHA256 string
}

const (
	textPromptTensor  = "text_prompt"
	imagePromptTensor = "image_prompt"
)

// WritePrompts writes the prompts to a safetensors file.
func WritePrompts(path string, p PromptFile) error {
	w := &checkpoints.Weights{Source: path, Tensors: map[string]checkpoints.Tensor{
		textPromptTensor:  checkpoints.Float32Tensor(p.Text, len(p.Text)),
		imagePromptTensor: checkpoints.Float32Tensor(p.Image, len(p.Image)),
	}}
	return checkpoints.WriteSafetensors(path, w, map[string]string{
		"text_prompt": p.TextPrompt, "source": p.Source, "clip_sha256": p.CLIPSHA256,
	})
}

// ParsePrompts reads the prompts of the file called path from its bytes. They must have been made with the CLIP of n.
func ParsePrompts(path string, raw []byte, n *Networks) (PromptFile, error) {
	w, err := checkpoints.ParseSafetensors(path, raw)
	if err != nil {
		return PromptFile{}, fault.Hint(fmt.Errorf("read prompts: %w", err), "compute them again with `illustrator prompt`")
	}
	dim := []int{n.CLIP.ProjectionDim}
	if err := w.Check(checkpoints.Shapes{textPromptTensor: dim, imagePromptTensor: dim}); err != nil {
		return PromptFile{}, fault.Hint(err, "prompts are made by `illustrator prompt`, with the CLIP of the domain that they are for")
	}
	p := PromptFile{TextPrompt: w.Metadata["text_prompt"], Source: w.Metadata["source"], CLIPSHA256: w.Metadata["clip_sha256"]}
	if want := n.Hashes["clip"]; p.CLIPSHA256 != want {
		return PromptFile{}, fault.Hint(fmt.Errorf("prompts %q were made with CLIP %.12s; this domain has %.12s", path, p.CLIPSHA256, want),
			"compute them again with `illustrator prompt`")
	}
	if p.Text, err = w.Tensors[textPromptTensor].Float32s(); err != nil {
		return PromptFile{}, fmt.Errorf("prompts %q: %w", path, err)
	}
	if p.Image, err = w.Tensors[imagePromptTensor].Float32s(); err != nil {
		return PromptFile{}, fmt.Errorf("prompts %q: %w", path, err)
	}
	for i, v := range slices.Concat(p.Text, p.Image) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return PromptFile{}, fault.Hint(fmt.Errorf("prompts %q: element %d of %s and %s is %v; expected a finite number", path, i, textPromptTensor, imagePromptTensor, v),
				"compute them again with `illustrator prompt`")
		}
	}
	return p, nil
}
