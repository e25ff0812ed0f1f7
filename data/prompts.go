package data

import (
	"context"
	"fmt"
	"math"
	"slices"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// Prompts are the two anchors of the prompt projection as they are kept in a file, with what they were made from.
type Prompts struct {
	pipeline.Prompts
	TextPrompt string // the text behind Prompts.Text
	Source     string // what the image prompt is the mean of
	CLIPSHA256 string
}

const (
	textPromptTensor  = "text_prompt"
	imagePromptTensor = "image_prompt"
)

// ImagePrompt is eq. 4-7: the mean of image embeddings [N,E], normalised and scaled to length √E. Of all unit vectors it
// has the largest mean cosine with them.
func ImagePrompt(imageEmbeds []float32, dim int) ([]float32, error) {
	sum := make([]float64, dim)
	addRows(sum, imageEmbeds)
	return direction(sum, len(imageEmbeds)/dim)
}

// ImagePrompt is the image prompt of all rows, read from the files in order.
func (p *Pairs) ImagePrompt(ctx context.Context) ([]float32, error) {
	sum := make([]float64, p.Meta.EmbedDim)
	for batch, err := range p.Batches() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		addRows(sum, batch.ImageEmbeds)
	}
	return direction(sum, p.Len())
}

// addRows adds rows [N,E] to sum [E].
func addRows(sum []float64, rows []float32) {
	for i, v := range rows {
		sum[i%len(sum)] += float64(v)
	}
}

// direction scales the sum of count rows to length √E.
func direction(sum []float64, count int) ([]float32, error) {
	norm := 0.0
	for _, v := range sum {
		norm += v * v
	}
	if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("the mean of %d image embeddings has no direction", count)
	}
	scale := math.Sqrt(float64(len(sum)) / norm)
	prompt := make([]float32, len(sum))
	for i, v := range sum {
		prompt[i] = float32(v * scale)
	}
	return prompt, nil
}

// WritePrompts writes the prompts to a safetensors file.
func WritePrompts(path string, p Prompts) error {
	w := &checkpoints.Weights{Source: path, Tensors: map[string]checkpoints.Tensor{
		textPromptTensor:  checkpoints.Float32Tensor(p.Text, len(p.Text)),
		imagePromptTensor: checkpoints.Float32Tensor(p.Image, len(p.Image)),
	}}
	return checkpoints.WriteSafetensors(path, w, map[string]string{
		"text_prompt": p.TextPrompt, "source": p.Source, "clip_sha256": p.CLIPSHA256,
	})
}

// ParsePrompts reads the prompts of the file called path from its bytes. They must have been made with the CLIP of n.
func ParsePrompts(path string, raw []byte, n *pipeline.Networks) (Prompts, error) {
	w, err := checkpoints.ParseSafetensors(path, raw)
	if err != nil {
		return Prompts{}, fault.Hint(fmt.Errorf("read prompts: %w", err), "compute them again with `illustrator prompt`")
	}
	dim := []int{n.CLIP.ProjectionDim}
	if err := w.Check(checkpoints.Shapes{textPromptTensor: dim, imagePromptTensor: dim}); err != nil {
		return Prompts{}, fault.Hint(err, "prompts are made by `illustrator prompt`, with the CLIP of the domain that they are for")
	}
	p := Prompts{TextPrompt: w.Metadata["text_prompt"], Source: w.Metadata["source"], CLIPSHA256: w.Metadata["clip_sha256"]}
	if want := n.Hashes["clip"]; p.CLIPSHA256 != want {
		return Prompts{}, fault.Hint(fmt.Errorf("prompts %q were made with CLIP %.12s; this domain has %.12s", path, p.CLIPSHA256, want),
			"compute them again with `illustrator prompt`")
	}
	if p.Text, err = w.Tensors[textPromptTensor].Float32s(); err != nil {
		return Prompts{}, fmt.Errorf("prompts %q: %w", path, err)
	}
	if p.Image, err = w.Tensors[imagePromptTensor].Float32s(); err != nil {
		return Prompts{}, fmt.Errorf("prompts %q: %w", path, err)
	}
	for i, v := range slices.Concat(p.Text, p.Image) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return Prompts{}, fault.Hint(fmt.Errorf("prompts %q: element %d of %s and %s is %v; expected a finite number", path, i, textPromptTensor, imagePromptTensor, v),
				"compute them again with `illustrator prompt`")
		}
	}
	return p, nil
}
