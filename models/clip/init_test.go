package clip

import (
	"strings"
	"testing"
)

// TestLearnVocabulary learns words whole, those that occur most often first, and the tokenizer reads what it wrote.
func TestLearnVocabulary(t *testing.T) {
	texts := []string{"a Red house", "a red barn", "red houses, a barn!", "ümlaut"}
	vocab, merges, err := LearnVocabulary(texts, 2000)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := NewTokenizer(vocab, merges, 20)
	if err != nil {
		t.Fatal(err)
	}
	if first := strings.Split(string(merges), "\n")[1]; first != "r e" { // of the pairs that occur three times the last
		t.Errorf("the first merge is %q", first)
	}
	for _, word := range []string{"a", "red", "house", "houses", "barn", "ümlaut"} {
		if ids := tokenizer.Encode(word).IDs; ids[2] != tokenizer.EndID() {
			t.Errorf("%q has tokens %v", word, ids)
		}
	}
	if ids := tokenizer.Encode("rebar").IDs; ids[2] == tokenizer.EndID() {
		t.Error("a word that no text has is one token")
	}
	again, _, err := LearnVocabulary(texts, 2000)
	if err != nil || string(again) != string(vocab) {
		t.Errorf("a second vocabulary differs: %v", err)
	}
	small, _, err := LearnVocabulary(texts, 520)
	if err != nil || strings.Count(string(small), ":") < 520 {
		t.Errorf("a vocabulary of 520 tokens: %v", err)
	}
	if _, _, err := LearnVocabulary(texts, 100); err == nil {
		t.Error("a vocabulary of fewer tokens than bytes is accepted")
	}
}

// TestInit gives every tensor of a CLIP a value, the temperature its own.
func TestInit(t *testing.T) {
	cfg := Config{ModelType: ModelType, ProjectionDim: 4, Text: defaultText(), Vision: defaultVision()}
	cfg.Text.VocabSize, cfg.Text.HiddenSize, cfg.Text.NumHiddenLayers = 30, 8, 1
	cfg.Vision.HiddenSize, cfg.Vision.NumHiddenLayers = 12, 1
	w := Init(cfg, 1)
	if err := w.Check(cfg.Shapes()); err != nil {
		t.Fatal(err)
	}
	scale, err := w.Tensors["logit_scale"].Float32s()
	if err != nil || scale[0] != float32(InitialLogitScale) {
		t.Errorf("logit_scale is %v: %v", scale, err)
	}
	for name, tensor := range w.Tensors {
		values, _ := tensor.Float32s()
		zero := true
		for _, v := range values {
			zero = zero && v == 0
		}
		if zero != strings.HasSuffix(name, ".bias") {
			t.Errorf("%s: all zero is %t", name, zero)
		}
	}
}
