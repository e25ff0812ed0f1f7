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

// Tokens are texts as CLIP reads them.
type Tokens []clip.Encoding

// Tokenize returns the tokens of texts, none of which may be empty. It needs no device.
func (n *Networks) Tokenize(texts []string) (Tokens, error) {
	tokens := make(Tokens, len(texts))
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return nil, fault.Usage(fmt.Errorf("text %d is empty", i+1),
				"give a description, such as \"a wizard with round glasses\"")
		}
		tokens[i] = n.Tokenizer.Encode(text)
	}
	return tokens, nil
}

// Cut returns what CLIP does not read of the texts.
func (t Tokens) Cut() (cut []Lost) {
	for i, encoding := range t {
		if encoding.Lost != "" {
			cut = append(cut, Lost{i, encoding.Lost})
		}
	}
	return cut
}

// EmbedTexts returns the scaled CLIP embeddings of texts [N,E].
func (n *Networks) EmbedTexts(ctx context.Context, texts []string) ([]float32, error) {
	tokens, err := n.Tokenize(texts)
	if err != nil {
		return nil, err
	}
	return n.EmbedTokens(ctx, tokens)
}

// EmbedTextPrompt returns the scaled embedding [E] of a text prompt, which, other than a description, may be empty.
func (n *Networks) EmbedTextPrompt(ctx context.Context, text string) ([]float32, error) {
	return n.EmbedTokens(ctx, Tokens{n.Tokenizer.Encode(text)})
}

// EmbedTokens returns the scaled CLIP embeddings of texts [N,E]. It computes the texts that fit into half of CLIP's
// context at half of it, the others at all of it: a token sees none of those behind it, and most texts are short. Each
// text's own length decides, so that its embedding does not depend on the texts beside it.
func (n *Networks) EmbedTokens(ctx context.Context, tokens Tokens) ([]float32, error) {
	if err := n.need(clipScope); err != nil {
		return nil, err
	}
	half := (n.Tokenizer.Context() + 1) / 2
	var short, long sameLength
	for i, encoding := range tokens {
		if slices.Index(encoding.IDs, n.Tokenizer.EndID()) < half {
			short.add(i, encoding.IDs[:half])
		} else {
			long.add(i, encoding.IDs)
		}
	}
	embeds := make([]float32, len(tokens)*n.CLIP.ProjectionDim)
	for _, t := range []sameLength{short, long} {
		if err := n.embedSameLength(ctx, t, embeds); err != nil {
			return nil, err
		}
	}
	return embeds, nil
}

// sameLength are the ids of some texts, all of one length.
type sameLength struct {
	texts []int // their indexes
	ids   []int32
}

func (t *sameLength) add(text int, ids []int32) {
	t.texts, t.ids = append(t.texts, text), append(t.ids, ids...)
}

// embedSameLength sets the embeddings of the texts that t has.
func (n *Networks) embedSameLength(ctx context.Context, t sameLength, embeds []float32) error {
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
