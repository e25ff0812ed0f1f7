package clip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"illustrator/internal/fault"
)

// LearnVocabulary learns a byte-level BPE from texts and returns its vocab.json and merges.txt: the pair of
// neighbours that occurs most often in all words is joined, of pairs that occur equally often the last in the order
// of their bytes, until the vocabulary has size tokens or no word has neighbours left. Texts are cleaned and split
// as a Tokenizer does.
func LearnVocabulary(texts []string, size int) (vocabJSON, mergesTXT []byte, err error) {
	base := ownSymbolsFirst()
	merges := size - 2*len(base) - 2
	if merges < 1 {
		return nil, nil, fault.Field("vocabulary size", size, "at least %d", 2*len(base)+3)
	}
	l := learner{counts: map[string]int{}}
	for _, text := range texts {
		l.read(text)
	}
	lines := []string{mergesHeader}
	for range merges {
		pair, ok := l.commonest()
		if !ok {
			break
		}
		l.join(pair)
		lines = append(lines, pair[0]+" "+pair[1])
	}
	tokens := base
	for _, symbol := range base {
		tokens = append(tokens, symbol+endOfWord)
	}
	for _, line := range lines[1:] {
		tokens = append(tokens, strings.Replace(line, " ", "", 1))
	}
	ids := map[string]int{}
	for id, token := range append(tokens, startToken, endToken) {
		if _, twice := ids[token]; twice {
			return nil, nil, fmt.Errorf("token %q occurs twice", token)
		}
		ids[token] = id
	}
	var vocab bytes.Buffer
	enc := json.NewEncoder(&vocab)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(ids); err != nil {
		return nil, nil, err
	}
	return vocab.Bytes(), []byte(strings.Join(lines, "\n") + "\n"), nil
}

// learner holds the words of texts as symbols that are joined step by step.
type learner struct {
	counts map[string]int // of words
	words  [][]string     // their symbols, in the order of their first occurrence
	names  []string       // the words themselves
}

// read counts the words of a text.
func (l *learner) read(text string) {
	symbols := byteSymbols()
	for _, raw := range strings.Fields(CleanTransformers.Clean(text)) {
		for _, piece := range pieces.FindAllString(CleanTransformers.word(raw), -1) {
			if l.counts[piece]++; l.counts[piece] > 1 {
				continue
			}
			word := make([]string, len(piece))
			for i := range len(piece) {
				word[i] = symbols[piece[i]]
			}
			word[len(word)-1] += endOfWord
			l.words, l.names = append(l.words, word), append(l.names, piece)
		}
	}
}

// commonest returns the pair of neighbours that occurs most often.
func (l *learner) commonest() (best [2]string, ok bool) {
	counts := map[[2]string]int{}
	for i, word := range l.words {
		for j := range len(word) - 1 {
			counts[[2]string{word[j], word[j+1]}] += l.counts[l.names[i]]
		}
	}
	most := 0
	for pair, n := range counts {
		if n > most || n == most && (pair[0] > best[0] || pair[0] == best[0] && pair[1] > best[1]) {
			best, most = pair, n
		}
	}
	return best, most > 0
}

// join replaces a pair of neighbours in all words by one symbol.
func (l *learner) join(pair [2]string) {
	for i, word := range l.words {
		joined := word[:0]
		for j := 0; j < len(word); j++ {
			if j+1 < len(word) && word[j] == pair[0] && word[j+1] == pair[1] {
				joined = append(joined, pair[0]+pair[1])
				j++
			} else {
				joined = append(joined, word[j])
			}
		}
		l.words[i] = joined
	}
}
