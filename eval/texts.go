package eval

import (
	"context"
	"errors"
	"slices"

	"illustrator/eval/metrics"
	"illustrator/internal/vectors"
	"illustrator/models/pipeline"
)

// TextEmbeds are the embeddings of texts by the domain's CLIP and by the judge's. They are made once, and shared by
// evaluations of the same texts.
type TextEmbeds struct {
	own, judge embedded

	texts    []string
	networks map[string]string // SHA-256 of the CLIPs
}

// embedded are the embeddings [T,E] of texts as they stand, and after CLIPScore's prefix.
type embedded struct {
	plain, prefixed []float32
	dim, cut        int // how many prefixed texts did not fit
}

// EmbedTexts embeds r's texts by all that r judges with.
func EmbedTexts(ctx context.Context, n *pipeline.Networks, r Request) (*TextEmbeds, error) {
	e := &TextEmbeds{networks: r.textNetworks(n)}
	var prefixed []string
	for _, t := range r.Texts {
		e.texts, prefixed = append(e.texts, t.Text), append(prefixed, metrics.CLIPScorePrefix+t.Text)
	}
	embed := func(n *pipeline.Networks) (to embedded, err error) {
		defer fixed(n, len(e.texts))()
		to.dim = n.CLIP.ProjectionDim
		if to.plain, err = n.EmbedTexts(ctx, e.texts); err != nil {
			return to, err
		}
		tokens, err := n.Tokenize(prefixed)
		if err != nil {
			return to, err
		}
		to.cut = len(tokens.Cut())
		to.prefixed, err = n.EmbedTokens(ctx, tokens)
		return to, err
	}
	var err error
	if e.own, err = embed(n); err != nil || r.Judges.CLIP == nil {
		return e, err
	}
	e.judge, err = embed(r.Judges.CLIP)
	return e, err
}

func (r *Request) textNetworks(n *pipeline.Networks) map[string]string {
	networks := map[string]string{"clip": n.Hashes["clip"]}
	if r.Judges.CLIP != nil {
		networks["judge"] = r.Judges.CLIP.Hashes["clip"]
	}
	return networks
}

// check returns an error if the embeddings are of other texts or networks.
func (e *TextEmbeds) check(r *Request, n *pipeline.Networks) error {
	for name, hash := range r.textNetworks(n) {
		if e.networks[name] != hash {
			return errors.New("the texts were embedded by another CLIP: embed them again")
		}
	}
	texts := make([]string, len(r.Texts))
	for i, t := range r.Texts {
		texts[i] = t.Text
	}
	if !slices.Equal(texts, e.texts) {
		return errors.New("the embeddings are those of other texts: embed these")
	}
	return nil
}

func (m *measurement) embedTexts(ctx context.Context) (err error) {
	e := m.TextEmbeds
	if e == nil {
		if e, err = EmbedTexts(ctx, m.networks, m.Request); err != nil {
			return err
		}
	}
	m.own, m.judge = e.own, e.judge
	return nil
}

// cosine is that of text's row of texts with row i of embeds.
func (t *embedded) cosine(texts []float32, text int, embeds []float32, i int) float64 {
	return vectors.Cosine(texts[text*t.dim:(text+1)*t.dim], embeds[i*t.dim:(i+1)*t.dim])
}
