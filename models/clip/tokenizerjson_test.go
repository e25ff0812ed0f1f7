package clip

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// changedTokenizer returns testdata's tokenizer.json after a change.
func changedTokenizer(t *testing.T, change func(all, model map[string]any)) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(readFile(t, TokenizerFile), &all); err != nil {
		t.Fatal(err)
	}
	change(all, all["model"].(map[string]any))
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The embedded CLIP's tokenizer as transformers saves it in one file is that of its vocab.json and merges.txt, whether
// merges are pairs or, as before, lines.
func TestVocabularyOfTokenizer(t *testing.T) {
	want := lorelei(t, 48)
	lines := changedTokenizer(t, func(_, model map[string]any) {
		for i, m := range model["merges"].([]any) {
			pair := m.([]any)
			model["merges"].([]any)[i] = pair[0].(string) + " " + pair[1].(string)
		}
	})
	for name, data := range map[string][]byte{"pairs": readFile(t, TokenizerFile), "lines": lines} {
		vocab, merges, err := VocabularyOfTokenizer(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := NewTokenizer(vocab, merges, 48)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got.bpe, want.bpe) {
			t.Errorf("%s: vocabulary or merges differ", name)
		}
		for _, c := range tokenCases(t, "lorelei_tokens.json") {
			if ids := got.Encode(c.Text).IDs; !slices.Equal(ids, c.IDs) {
				t.Errorf("%s: %q gives %v, want %v", name, c.Text, ids, c.IDs)
			}
		}
	}
}

func TestVocabularyOfOtherTokenizers(t *testing.T) {
	for want, change := range map[string]func(all, model map[string]any){
		`model.type is "WordPiece"`:         func(_, m map[string]any) { m["type"] = "WordPiece" },
		`model.end_of_word_suffix is ""`:    func(_, m map[string]any) { m["end_of_word_suffix"] = nil }, // GPT-2's
		`continuing_subword_prefix is "##"`: func(_, m map[string]any) { m["continuing_subword_prefix"] = "##" },
		"byte_fallback is true":             func(_, m map[string]any) { m["byte_fallback"] = true }, // Llama's
		"no model.vocab or no model.merges": func(_, m map[string]any) { delete(m, "merges") },
		"expected Lowercase in it": func(all,
			_ map[string]any) {
			all["normalizer"] = map[string]any{"type": "NFC"}
		},
		"expected ByteLevel in it": func(all, _ map[string]any) { all["pre_tokenizer"] = nil },
		`"<cat>" has id 934`: func(all, _ map[string]any) {
			all["added_tokens"] = []any{map[string]any{"id": 934, "content": "<cat>"}}
		},
		`"<|endoftext|>" has id 7`: func(all,
			_ map[string]any) {
			all["added_tokens"] = []any{map[string]any{"id": 7, "content": endToken}}
		},
		"expected two tokens": func(_, m map[string]any) { m["merges"] = []any{"a b c"} },
		// a unigram model's
		"model.vocab: ":                       func(_, m map[string]any) { m["vocab"] = []any{[]any{"a", -1.5}} },
		"are not in vocab.json":               func(_, m map[string]any) { m["merges"] = []any{[]any{"a", "zzz"}} },
		`token "!" is missing`:                func(_, m map[string]any) { delete(m["vocab"].(map[string]any), "!") },
		"expected 0 to":                       func(_, m map[string]any) { m["vocab"].(map[string]any)["wolf"] = 1 << 30 },
		"a merge is 7; expected two tokens":   func(_, m map[string]any) { m["merges"] = []any{7} },
		`a merge is "a "; expected two token`: func(_, m map[string]any) { m["merges"] = []any{"a "} },
	} {
		_, _, err := VocabularyOfTokenizer(changedTokenizer(t, change))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), TokenizerFile) ||
			fault.HintOf(err) == "" {
			t.Errorf("got %v, hint %q; want %q and a hint", err, fault.HintOf(err), want)
		}
	}
	for _, text := range []string{"", "{", "[]", `{"model": {"vocab": {}}}`} {
		if _, _, err := VocabularyOfTokenizer([]byte(text)); err == nil || fault.HintOf(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
