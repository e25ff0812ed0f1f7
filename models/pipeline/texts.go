package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/internal/fault"
	"illustrator/models/batch"
	"illustrator/models/clip"
)

// Lost is the end of a text that did not fit into CLIP's context.
type Lost struct {
	Text int    // index of the text
	End  string // what was cut off
}

// Cut returns what CLIP does not read of texts.
func (n *Networks) Cut(texts []string) (cut []Lost) {
	for i, text := range texts {
		if lost := n.Tokenizer.Encode(text).Lost; lost != "" {
			cut = append(cut, Lost{i, lost})
		}
	}
	return cut
}

// EmbedTexts returns the scaled CLIP embeddings of texts [N,E] and what was lost of those that are too long.
func (n *Networks) EmbedTexts(ctx context.Context, texts []string) ([]float32, []Lost, error) {
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return nil, nil, fault.Usage(fmt.Errorf("text %d is empty", i+1),
				"give a description, such as \"a wizard with round glasses\"")
		}
	}
	return n.embedTexts(ctx, texts)
}

// EmbedTextPrompt returns the scaled embedding [E] of a text prompt, which, other than a description, may be empty.
func (n *Networks) EmbedTextPrompt(ctx context.Context, text string) ([]float32, error) {
	embed, _, err := n.embedTexts(ctx, []string{text})
	return embed, err
}

// embedTexts computes the texts that fit into half of CLIP's context at half of it, the others at all of it: a token
// sees none of those behind it, and most texts are short. Each text's own length decides, so that its embedding does
// not depend on the texts beside it.
func (n *Networks) embedTexts(ctx context.Context, texts []string) (embeds []float32, lost []Lost, err error) {
	if err := n.need(clipScope); err != nil {
		return nil, nil, err
	}
	half := (n.Tokenizer.Context() + 1) / 2
	var short, long tokens
	for i, text := range texts {
		encoding := n.Tokenizer.Encode(text)
		if slices.Index(encoding.IDs, n.Tokenizer.EndID()) < half {
			short.add(i, encoding.IDs[:half])
		} else {
			long.add(i, encoding.IDs)
		}
		if encoding.Lost != "" {
			lost = append(lost, Lost{i, encoding.Lost})
		}
	}
	embeds = make([]float32, len(texts)*n.CLIP.ProjectionDim)
	for _, t := range []tokens{short, long} {
		if err := n.embedTokens(ctx, t, embeds); err != nil {
			return nil, nil, err
		}
	}
	return embeds, lost, nil
}

// tokens are the ids of some texts, all of one length.
type tokens struct {
	texts []int // their indexes
	ids   []int32
}

func (t *tokens) add(text int, ids []int32) {
	t.texts, t.ids = append(t.texts, text), append(t.ids, ids...)
}

// embedTokens sets the embeddings of the texts that t has.
func (n *Networks) embedTokens(ctx context.Context, t tokens, embeds []float32) error {
	if len(t.texts) == 0 {
		return nil
	}
	length, dim := len(t.ids)/len(t.texts), n.CLIP.ProjectionDim
	out, err := batch.Run(ctx, n.Runner, fmt.Sprintf("embed texts of %d tokens", length),
		func(scope *model.Scope, ids *graph.Node) *graph.Node {
			return clip.Scaled(clip.TextEmbeds(scope.At(clipScope), n.CLIP, ids))
		}, batchSize, batch.Rows(t.ids, length))
	if err != nil {
		return err
	}
	for at, text := range t.texts {
		copy(embeds[text*dim:(text+1)*dim], out[0][at*dim:])
	}
	return nil
}
