package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/batch"
	"illustrator/models/clip"
	"illustrator/models/pipeline/pipelinetest"
)

// Texts have the embeddings that the whole context gives, and the same bits whatever the length of those beside them.
func TestTextsOfAllLengths(t *testing.T) {
	n, ctx := tiny(t), t.Context()
	embed := func(texts ...string) []float32 {
		embeds, err := n.EmbedTexts(ctx, texts)
		if err != nil {
			t.Fatal(err)
		}
		return embeds
	}
	half, ends := n.Tokenizer.Context()/2, map[int]bool{}
	texts := []string{"a wizard"}
	for words := range n.Tokenizer.Context() {
		text := "a" + strings.Repeat(" a", words)
		texts = append(texts, text)
		ends[slices.Index(n.Tokenizer.Encode(text).IDs, n.Tokenizer.EndID())] = true
	}
	if !ends[half-1] || !ends[half] || !ends[n.Tokenizer.Context()-1] {
		t.Fatalf("the texts end at tokens %v", ends)
	}
	got := embed(texts...)
	var ids []int32
	for _, text := range texts {
		ids = append(ids, n.Tokenizer.Encode(text).IDs...)
	}
	whole, err := batch.Run(ctx, n.Runner, "whole context", func(scope *model.Scope, ids *graph.Node) *graph.Node {
		return clip.Scaled(clip.TextEmbeds(scope.At("clip"), n.CLIP, ids))
	}, len(texts), batch.Rows(ids, n.Tokenizer.Context()))
	if err != nil {
		t.Fatal(err)
	}
	expectClose(t, "embeddings", got, whole[0], 1e-5)

	n.Shapes = []int{1} // bits depend on the rows that a program has
	alone := embed("a wizard")
	for i, text := range texts {
		if beside := embed(text, "a wizard", texts[len(texts)-1-i]); !slices.Equal(
			beside[pipelinetest.EmbedDim:2*pipelinetest.EmbedDim], alone) {
			t.Errorf("beside %q %q has another embedding than alone", text, "a wizard")
		}
	}
}
