package clip

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"illustrator/internal/fault"
)

// Special tokens of CLIP's vocabularies. The end token also pads.
const (
	startToken = "<|startoftext|>"
	endToken   = "<|endoftext|>"
)

// Tokenizer is CLIP's byte-level BPE, token for token that of transformers' CLIPTokenizerFast or, by its Cleaning, that
// of OpenAI's simple_tokenizer. They differ only where their Unicode tables do: in letters and digits added after
// Unicode 15, and in the order of accents added after Unicode 9. It can be used by several goroutines.
type Tokenizer struct {
	// Cleaning is set before the first text. NewTokenizer sets that of the vocabulary.
	Cleaning Cleaning

	bpe        *bpe
	start, end int32
	context    int

	mu    sync.RWMutex
	cache map[string]word
}

// The cache is emptied when it is full, and long words do not enter it: a server's memory stays bounded.
const (
	cacheWords     = 1 << 14
	cacheWordBytes = 64
)

// Encoding is a text as CLIP reads it.
type Encoding struct {
	// IDs are the start token, the text's tokens, the end token, and end tokens up to the context.
	IDs []int32
	// Lost is the end of the text that did not fit, "" if all did.
	Lost string
}

// word is a part of a text between white space, in the tokenizer's normal form, with its tokens.
type word struct {
	text   string
	tokens []token
}

// token is an entry of the vocabulary and the number of bytes of text that it stands for.
type token struct {
	id    int32
	bytes int
}

// NewTokenizer reads Hugging Face's vocab.json (token → id) and merges.txt (a comment line "#version: …", then two
// tokens a line, in order of priority). context is the number of ids of an Encoding, at least 3. Errors name the file
// and the line.
func NewTokenizer(vocabJSON, mergesTXT []byte, context int) (*Tokenizer, error) {
	if context < 3 {
		return nil, fault.Field("clip config: text_config.max_position_embeddings", context,
			"at least 3: a start token, a word and an end token")
	}
	bpe, err := newBPE(vocabJSON, mergesTXT)
	if err != nil {
		return nil, err
	}
	return &Tokenizer{Cleaning: CleaningOf(mergesTXT), bpe: bpe, start: bpe.ids[startToken], end: bpe.ids[endToken],
		context: context, cache: map[string]word{}}, nil
}

// Context is the number of ids of an Encoding.
func (t *Tokenizer) Context() int { return t.context }

// EndID is the id of the end token, at which a text is pooled.
func (t *Tokenizer) EndID() int32 { return t.end }

// VocabSize is the smallest "vocab_size" that has a place for every id.
func (t *Tokenizer) VocabSize() int { return int(t.bpe.maxID) + 1 }

// Encode returns the tokens of text after its cleaning, without regard to the kind and number of spaces; invalid UTF-8
// is read as U+FFFD. Special tokens that are spelt in the text are recognised, as transformers does: what follows
// an "<|endoftext|>" is not seen by the network.
//
// A text that is too long is cut before the first word that does not fit. Only a word that is longer than the whole
// context is cut inside, so that scripts without spaces lose no more than they must. The omitted rest is returned as it
// was written or, by another cleaning than transformers', cleaned; the rest of a word that was cut inside, in normal
// form.
func (t *Tokenizer) Encode(text string) Encoding {
	text = t.Cleaning.Clean(strings.ToValidUTF8(text, string(utf8.RuneError)))
	room := t.context - 2
	ids := make([]int32, 0, t.context)
	ids = append(ids, t.start)
	lost := ""
	for rest := strings.TrimLeftFunc(text, unicode.IsSpace); rest != ""; {
		raw, after := rest, ""
		if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
			raw, after = rest[:i], strings.TrimLeftFunc(rest[i:], unicode.IsSpace)
		}
		w := t.word(raw)
		fits := len(w.tokens)
		if fits > room {
			fits, lost = 0, rest
			if len(w.tokens) > t.context-2 {
				fits = room
				lost = w.from(fits) + rest[len(raw):]
			}
			after = ""
		}
		for _, tok := range w.tokens[:fits] {
			ids = append(ids, tok.id)
		}
		room -= fits
		rest = after
	}
	for len(ids) < t.context {
		ids = append(ids, t.end)
	}
	return Encoding{IDs: ids, Lost: strings.TrimRightFunc(lost, unicode.IsSpace)}
}

// from returns the word's text from its token i on; a character of which a part is lost is lost.
func (w word) from(i int) string {
	offset := 0
	for _, tok := range w.tokens[:i] {
		offset += tok.bytes
	}
	for offset < len(w.text) && !utf8.RuneStart(w.text[offset]) {
		offset--
	}
	return w.text[offset:]
}

// word returns the tokens of raw, which has no white space. Normal form C never joins characters across white space,
// so that the words of a text can be handled one at a time.
func (t *Tokenizer) word(raw string) word {
	t.mu.RLock()
	w, ok := t.cache[raw]
	t.mu.RUnlock()
	if ok {
		return w
	}
	short := len(raw) <= cacheWordBytes
	if short {
		raw = strings.Clone(raw) // the cache must not hold on to the whole text
	}
	if w.text = t.Cleaning.word(raw); t.Cleaning == CleanTransformers {
		w.tokens = t.tokensAroundSpecial(w.text)
	} else {
		w.tokens = t.tokens(w.text)
	}
	if short {
		t.mu.Lock()
		if len(t.cache) >= cacheWords {
			clear(t.cache)
		}
		t.cache[raw] = w
		t.mu.Unlock()
	}
	return w
}

// tokensAroundSpecial returns the tokens of a word in transformers' order: special tokens first.
func (t *Tokenizer) tokensAroundSpecial(word string) (all []token) {
	for rest := word; rest != ""; {
		piece, special := nextSpecial(rest)
		for _, part := range pieces.FindAllString(piece, -1) {
			all = append(all, t.bpe.encode(part)...)
		}
		if special != "" {
			all = append(all, token{t.bpe.ids[special], len(special)})
		}
		rest = rest[len(piece)+len(special):]
	}
	return all
}

// pieces is CLIP's split pattern for a text without white space, in lower case: no token crosses its matches.
var pieces = regexp.MustCompile(piecesPattern)

const piecesPattern = `'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{L}\p{N}]+`

// nextSpecial returns what comes before the first special token in text, and that token, "" if there is none.
func nextSpecial(text string) (before, special string) {
	before = text
	for _, s := range []string{startToken, endToken} {
		if i := strings.Index(before, s); i >= 0 {
			before, special = before[:i], s
		}
	}
	return before, special
}

// lower lower-cases each character by itself: a final Σ becomes σ, not ς, as in the original.
// The one character whose lower case is two characters is missing in Go's simple mapping.
func lower(s string) string {
	return strings.ReplaceAll(strings.Map(func(r rune) rune {
		if r == 'İ' {
			return r
		}
		return unicode.ToLower(r)
	}, s), "İ", "i\u0307")
}
