package clip

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"illustrator/internal/fault"
)

// endOfWord marks the last symbol of a piece of text in the vocabulary.
const endOfWord = "</w>"

// bpe joins bytes to tokens (Sennrich et al. 2016), each pair of neighbours in the order of the merges.
type bpe struct {
	ids    map[string]int32
	maxID  int32
	merges map[pair]merge
	// first holds the ids of the 256 bytes, last those of the bytes at the end of a piece.
	first, last [256]int32
}

type pair struct{ left, right int32 }

type merge struct {
	rank int
	id   int32
}

// newBPE reads a vocabulary and its merges, and checks that no text can fall out of them.
func newBPE(vocabJSON, mergesTXT []byte) (*bpe, error) {
	b := &bpe{merges: map[pair]merge{}}
	if err := b.readVocab(vocabJSON); err != nil {
		return nil, fault.Hint(err, "vocab.json must map each token to its id, as in Hugging Face's CLIP folders")
	}
	if err := b.readMerges(mergesTXT); err != nil {
		return nil, fault.Hint(err, `merges.txt must hold a line "#version: …", then two tokens of vocab.json a line`)
	}
	return b, nil
}

func (b *bpe) readVocab(data []byte) error {
	if err := json.Unmarshal(data, &b.ids); err != nil {
		offset := int64(0)
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
			offset = kind.Offset
		}
		line := 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
		return fmt.Errorf("vocab.json:%d: %w", line, err)
	}
	owner := make(map[int32]string, len(b.ids))
	for tok, id := range b.ids {
		if id < 0 || id >= maxVocab {
			return fmt.Errorf("vocab.json: token %q has id %d; expected 0 to %d", tok, id, maxVocab-1)
		}
		if other, taken := owner[id]; taken {
			return fmt.Errorf("vocab.json: tokens %q and %q have the same id %d", min(tok, other), max(tok, other), id)
		}
		owner[id] = tok
		b.maxID = max(b.maxID, id)
	}
	for i, symbol := range byteSymbols() {
		b.first[i], b.last[i] = b.ids[symbol], b.ids[symbol+endOfWord]
		if err := b.require(symbol, symbol+endOfWord); err != nil {
			return err
		}
	}
	return b.require(startToken, endToken)
}

// require returns an error that names the first of the tokens that is not in the vocabulary.
func (b *bpe) require(tokens ...string) error {
	for _, tok := range tokens {
		if _, ok := b.ids[tok]; !ok {
			return fmt.Errorf("vocab.json: token %q is missing among %d tokens", tok, len(b.ids))
		}
	}
	return nil
}

func (b *bpe) readMerges(data []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		// transformers skips the first line whatever it holds: without this check a file that lacks it would lose a merge.
		if number == 1 {
			if !strings.Contains(line, "#version") {
				return fmt.Errorf(`merges.txt:1: got %q; expected "#version: …"`, line)
			}
			continue
		}
		parts := strings.Fields(line)
		if len(parts) == 0 {
			continue
		}
		if len(parts) != 2 {
			return fmt.Errorf("merges.txt:%d: got %q; expected two tokens", number, line)
		}
		left, okLeft := b.ids[parts[0]]
		right, okRight := b.ids[parts[1]]
		joined, okJoined := b.ids[parts[0]+parts[1]]
		if !okLeft || !okRight || !okJoined {
			return fmt.Errorf("merges.txt:%d: %q and %q, or both joined, are not in vocab.json", number, parts[0], parts[1])
		}
		if _, twice := b.merges[pair{left, right}]; twice {
			return fmt.Errorf("merges.txt:%d: %q and %q are joined on an earlier line already", number, parts[0], parts[1])
		}
		b.merges[pair{left, right}] = merge{rank: len(b.merges), id: joined}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("merges.txt:%d: %w", number+1, err)
	}
	if number == 0 {
		return errors.New("merges.txt: the file is empty")
	}
	return nil
}

// byteSymbols returns the character that stands for each byte in the vocabulary: itself if it is printable in Latin-1,
// else one from U+0100 on (GPT-2's bytes_to_unicode).
func byteSymbols() (symbols [256]string) {
	moved := rune(0)
	for i := range symbols {
		r := rune(i)
		if !('!' <= r && r <= '~' || '¡' <= r && r <= '¬' || '®' <= r && r <= 'ÿ') {
			r = 256 + moved
			moved++
		}
		symbols[i] = string(r)
	}
	return symbols
}

// encode returns the tokens of one piece of text: of all neighbours that can be merged those of the lowest rank are,
// the leftmost first, until none is left. The time is n·log n in the length: a text may be one long word.
func (b *bpe) encode(piece string) []token {
	symbols := make([]symbol, len(piece))
	for i := range len(piece) {
		symbols[i] = symbol{token{b.first[piece[i]], 1}, i - 1, i + 1}
	}
	symbols[len(piece)-1].id = b.last[piece[len(piece)-1]]
	queue := &candidates{}
	push := func(left int) {
		if left < 0 || symbols[left].next == len(symbols) {
			return
		}
		p := pair{symbols[left].id, symbols[symbols[left].next].id}
		if m, ok := b.merges[p]; ok {
			heap.Push(queue, candidate{m, left, p})
		}
	}
	for i := range symbols {
		push(i)
	}
	for queue.Len() > 0 {
		c := heap.Pop(queue).(candidate)
		left := &symbols[c.left]
		if left.bytes == 0 || left.next == len(symbols) || (pair{left.id, symbols[left.next].id}) != c.pair {
			continue // one of the two has been merged with another
		}
		right := &symbols[left.next]
		left.id, left.bytes, left.next = c.id, left.bytes+right.bytes, right.next
		right.bytes = 0
		if left.next < len(symbols) {
			symbols[left.next].previous = c.left
		}
		push(left.previous)
		push(c.left)
	}
	var tokens []token
	for i := 0; i < len(symbols); i = symbols[i].next {
		tokens = append(tokens, symbols[i].token)
	}
	return tokens
}

// symbol is an element of the linked list that a piece is while it is being merged; a merged one has 0 bytes.
type symbol struct {
	token
	previous, next int
}

// candidate is a merge that was possible when it entered the queue.
type candidate struct {
	merge
	left int
	pair pair
}

// candidates is a heap, the lowest rank first and the leftmost of equals.
type candidates []candidate

func (q candidates) Len() int { return len(q) }
func (q candidates) Less(i, j int) bool {
	return q[i].rank < q[j].rank || q[i].rank == q[j].rank && q[i].left < q[j].left
}
func (q candidates) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *candidates) Push(x any)   { *q = append(*q, x.(candidate)) }
func (q *candidates) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
