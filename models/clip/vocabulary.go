package clip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"illustrator/internal/fault"
)

// mergesHeader is the first line of merges.txt. OpenAI's file of merges has one like it.
const mergesHeader = "#version: 0.2"

// VocabularyOfMerges makes Hugging Face's vocab.json and merges.txt of OpenAI's bpe_simple_vocab_16e6.txt, unpacked,
// for size token embeddings. OpenAI's vocabulary is a matter of counting: the 256 bytes, the same as ends of words,
// a token for each merge, the two special tokens. The file has more merges than its vocabulary of 49,408 tokens takes.
func VocabularyOfMerges(merges []byte, size int) (vocabJSON, mergesTXT []byte, err error) {
	bad := func(err error) ([]byte, []byte, error) {
		return nil, nil, fault.Hint(fmt.Errorf("read merges: %w", err),
			"the file must be OpenAI's bpe_simple_vocab_16e6.txt.gz, as it is in the packages clip and open-clip-torch")
	}
	lines := strings.Split(string(merges), "\n")
	taken := size - 2*256 - 2
	if !strings.Contains(lines[0], "#version") {
		return bad(fmt.Errorf(`line 1 is %.40q; expected one with "#version"`, lines[0]))
	}
	if lines = lines[1:]; taken < 0 || taken > len(lines) {
		return bad(fmt.Errorf("it has %d merges; a vocabulary of %d tokens has %d", len(lines), size, taken))
	}
	tokens := ownSymbolsFirst()
	for _, symbol := range tokens {
		tokens = append(tokens, symbol+endOfWord)
	}
	var text strings.Builder
	text.WriteString(mergesHeader + "\n")
	for i, line := range lines[:taken] {
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return bad(fmt.Errorf("line %d is %.40q; expected two tokens", i+2, line))
		}
		tokens = append(tokens, left+right)
		text.WriteString(line + "\n")
	}
	ids := map[string]int{}
	for id, token := range append(tokens, startToken, endToken) {
		if _, ok := ids[token]; ok {
			return bad(fmt.Errorf("token %q occurs twice", token))
		}
		ids[token] = id
	}
	var vocab bytes.Buffer
	enc := json.NewEncoder(&vocab)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(ids); err != nil {
		return bad(err)
	}
	return vocab.Bytes(), []byte(text.String()), nil
}

// ownSymbolsFirst returns the characters that stand for bytes in the order of the vocabulary: bytes that stand for
// themselves, then the others.
func ownSymbolsFirst() []string {
	var own, moved []string
	for b, symbol := range byteSymbols() {
		if symbol == string(rune(b)) {
			own = append(own, symbol)
		} else {
			moved = append(moved, symbol)
		}
	}
	return append(own, moved...)
}
