package clip

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// TokenizerFile is Hugging Face's tokenizer in one file, which some CLIPs have in place of vocab.json and merges.txt.
const TokenizerFile = "tokenizer.json"

// tokenizerJSON holds the fields that identify CLIP's tokenizer, and its vocabulary.
type tokenizerJSON struct {
	Model struct {
		Type         string          `json:"type"`
		Prefix       string          `json:"continuing_subword_prefix"`
		Suffix       string          `json:"end_of_word_suffix"`
		ByteFallback bool            `json:"byte_fallback"`
		Vocab        json.RawMessage `json:"vocab"`
		Merges       []jsonMerge     `json:"merges"`
	} `json:"model"`
	AddedTokens []struct {
		ID      int32  `json:"id"`
		Content string `json:"content"`
	} `json:"added_tokens"`
	Normalizer   *jsonStep `json:"normalizer"`
	PreTokenizer *jsonStep `json:"pre_tokenizer"`
}

// jsonStep is a step of a text's way to tokens, or a sequence of steps.
type jsonStep struct {
	Type          string     `json:"type"`
	Normalizers   []jsonStep `json:"normalizers"`
	PreTokenizers []jsonStep `json:"pretokenizers"`
}

// kinds lists the types of all steps.
func (s *jsonStep) kinds() (all []string) {
	if s == nil {
		return nil
	}
	for _, step := range slices.Concat(s.Normalizers, s.PreTokenizers) {
		all = append(all, step.kinds()...)
	}
	if len(all) == 0 {
		all = []string{s.Type}
	}
	return all
}

// jsonMerge is two tokens: written as ["a", "b"], or as "a b" by the package tokenizers before 0.20.
type jsonMerge string

func (m *jsonMerge) UnmarshalJSON(data []byte) error {
	var tokens []string
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte{'"'}) {
		var line string
		if err := json.Unmarshal(data, &line); err != nil {
			return err
		}
		tokens = strings.Split(line, " ")
	} else if err := json.Unmarshal(data, &tokens); err != nil {
		return fmt.Errorf("a merge is %.40s; expected two tokens", data)
	}
	if len(tokens) != 2 || slices.ContainsFunc(tokens,
		func(s string) bool { return s == "" || strings.ContainsAny(s, " \t\r\n") }) {
		return fmt.Errorf("a merge is %.40s; expected two tokens", data)
	}
	*m = jsonMerge(tokens[0] + " " + tokens[1])
	return nil
}

// VocabularyOfTokenizer takes vocab.json and merges.txt out of a tokenizer.json. A tokenizer of another kind than
// CLIP's is an error: its vocabulary would be read, and texts become other tokens than the network was trained with.
func VocabularyOfTokenizer(data []byte) (vocabJSON, mergesTXT []byte, err error) {
	var t tokenizerJSON
	if err = json.Unmarshal(data, &t); err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, nil, fault.Hint(fmt.Errorf("%s: %w", TokenizerFile, err),
			"it must be CLIP's tokenizer as Hugging Face has it: byte-level BPE with </w> at the ends of words and lower case")
	}
	var merges strings.Builder
	merges.WriteString(mergesHeader + "\n")
	for _, m := range t.Model.Merges {
		merges.WriteString(string(m) + "\n")
	}
	vocabJSON, mergesTXT = t.Model.Vocab, []byte(merges.String())
	if _, err := newBPE(vocabJSON, mergesTXT); err != nil {
		return nil, nil, fmt.Errorf("%s, taken apart: %w", TokenizerFile, err)
	}
	return vocabJSON, mergesTXT, nil
}

func (t tokenizerJSON) check() error {
	m := t.Model
	switch normal, before := t.Normalizer.kinds(), t.PreTokenizer.kinds(); {
	case m.Type != "" && m.Type != "BPE":
		return fmt.Errorf("model.type is %q; expected BPE", m.Type)
	case len(m.Vocab) == 0 || len(m.Merges) == 0:
		return errors.New("it has no model.vocab or no model.merges")
	case m.Suffix != endOfWord:
		return fmt.Errorf("model.end_of_word_suffix is %q; expected %q", m.Suffix, endOfWord)
	case m.Prefix != "":
		return fmt.Errorf("model.continuing_subword_prefix is %q; expected none", m.Prefix)
	case m.ByteFallback:
		return errors.New("model.byte_fallback is true; expected false")
	case !slices.Contains(normal, "Lowercase"):
		return fmt.Errorf("normalizer is %q; expected Lowercase in it", normal)
	case !slices.Contains(before, "ByteLevel"):
		return fmt.Errorf("pre_tokenizer is %q; expected ByteLevel in it", before)
	}
	var ids map[string]int32
	if err := json.Unmarshal(m.Vocab, &ids); err != nil {
		return fmt.Errorf("model.vocab: %w", err)
	}
	for _, added := range t.AddedTokens {
		if id, ok := ids[added.Content]; !ok || id != added.ID {
			return fmt.Errorf("added token %q has id %d, which model.vocab does not give it", added.Content, added.ID)
		}
	}
	return nil
}
