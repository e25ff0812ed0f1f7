package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// PromptFile holds the two anchors of the prompt projection as a file keeps them, with what they were made from.
type PromptFile struct {
	Prompts
	TextPrompt string // the text behind Prompts.Text, which is nil until CompletePrompts where the file lacks it
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
// An image prompt alone, [1,E] or [E] in a PyTorch file as the official release has it, goes with the text prompt text,
// whose embedding CompletePrompts computes.
func ParsePrompts(path string, raw []byte, n *Networks, text string) (PromptFile, error) {
	isTensors := len(raw) > 8 && raw[8] == '{' // the length before it may begin with any byte
	if !isTensors && (bytes.HasPrefix(raw, []byte("PK")) || bytes.HasPrefix(raw, []byte{0x80})) {
		image, err := parseImagePrompt(path, raw, n.CLIP.ProjectionDim)
		return PromptFile{
			Prompts: Prompts{Image: image}, TextPrompt: text, Source: "the image prompt " + filepath.Base(path),
			CLIPSHA256: n.Hashes["clip"],
		}, err
	}
	w, err := checkpoints.ParseSafetensors(path, raw)
	if err != nil {
		return PromptFile{}, invalidPrompts(fmt.Errorf("read prompts: %w", err))
	}
	dim := []int{n.CLIP.ProjectionDim}
	if err := w.Check(checkpoints.Shapes{textPromptTensor: dim, imagePromptTensor: dim}); err != nil {
		return PromptFile{},
			fault.WithCode(fault.Hint(err, "prompts are computed with the CLIP of the domain that they are for"), OtherPrompts)
	}
	p := PromptFile{TextPrompt: w.Metadata["text_prompt"], Source: w.Metadata["source"],
		CLIPSHA256: w.Metadata["clip_sha256"]}
	if want := n.Hashes["clip"]; p.CLIPSHA256 != want {
		return PromptFile{}, invalidPrompts(fmt.Errorf("prompts %q were made with CLIP %.12s; this domain has %.12s", path,
			p.CLIPSHA256, want))
	}
	if p.Text, err = w.Tensors[textPromptTensor].Float32s(); err != nil {
		return PromptFile{}, fmt.Errorf("prompts %q: %w", path, err)
	}
	if p.Image, err = w.Tensors[imagePromptTensor].Float32s(); err != nil {
		return PromptFile{}, fmt.Errorf("prompts %q: %w", path, err)
	}
	for i, v := range slices.Concat(p.Text, p.Image) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return PromptFile{}, invalidPrompts(fmt.Errorf("prompts %q: element %d of %s and %s is %v; expected a finite number",
				path, i, textPromptTensor, imagePromptTensor, v))
		}
	}
	return p, nil
}

// parseImagePrompt reads an image prompt of the official release, and scales it to the length √E.
func parseImagePrompt(path string, raw []byte, dim int) ([]float32, error) {
	const hint = "an image prompt is a tensor [1,E] of a CLIP that embeds to E values, as torch.save writes it"
	f, err := checkpoints.ParseTorch(path, raw)
	if err != nil {
		return nil, err
	}
	if keys := f.Keys(); len(keys) != 1 {
		return nil, fault.Hint(fmt.Errorf("image prompt %q: it holds %d entries, not one tensor", path, len(keys)), hint)
	}
	t, err := f.Tensor(f.Keys()[0])
	if err != nil {
		return nil, fault.Hint(err, hint)
	}
	if !slices.Equal(t.Shape, []int{1, dim}) && !slices.Equal(t.Shape, []int{dim}) {
		return nil, fault.Hint(fmt.Errorf("image prompt %q: it has shape %v; expected [1 %d]", path, t.Shape, dim), hint)
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("image prompt %q: %w", path, err), hint)
	}
	sum := 0.0
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fault.Hint(fmt.Errorf("image prompt %q: element %d is %v; expected a finite number", path, i, v), hint)
		}
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return nil, fault.Hint(fmt.Errorf("image prompt %q: all its elements are 0", path), hint)
	}
	scale := math.Sqrt(float64(dim) / sum)
	for i, v := range values {
		values[i] = float32(float64(v) * scale)
	}
	return values, nil
}

// CompletePrompts computes the text prompt's embedding where the file has an image prompt alone.
func (n *Networks) CompletePrompts(ctx context.Context, p *PromptFile) (err error) {
	if p.Text == nil {
		if p.Text, err = n.EmbedTextPrompt(ctx, p.TextPrompt); err != nil {
			return fmt.Errorf("text prompt %q: %w", p.TextPrompt, err)
		}
	}
	return nil
}

// Codes of errors that a program's commands correct.
const (
	InvalidPrompts fault.Code = "pipeline.invalid_prompts" // damaged, or of another CLIP
	OtherPrompts   fault.Code = "pipeline.other_prompts"   // a file of other tensors
)

func invalidPrompts(err error) error {
	return fault.WithCode(fault.Hint(err, "compute them again"), InvalidPrompts)
}
