package clip

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"illustrator/internal/fault"
	"illustrator/internal/ftfy"
)

// Cleaning is the way to clean a text before the look-up of its tokens. A network must read texts as those that it was
// trained with.
type Cleaning string

// The cleanings.
const (
	// CleanTransformers is that of transformers' CLIPTokenizerFast: normal form C, lower case, white space.
	CleanTransformers Cleaning = "transformers"
	// CleanOpenAI is that of OpenAI's simple_tokenizer, and OpenCLIP's "lower": ftfy.fix_text, HTML entities twice, white
	// space, lower case.
	CleanOpenAI Cleaning = "openai"
	// CleanWhitespace is OpenCLIP's "whitespace": as CleanOpenAI without lower case.
	CleanWhitespace Cleaning = "openclip-whitespace"
	// CleanUnderscore is OpenCLIP's "whitespace_underscore": as CleanWhitespace, with spaces for underscores.
	CleanUnderscore Cleaning = "openclip-whitespace-underscore"
	// CleanCanonicalize is OpenCLIP's "canonicalize": as CleanOpenAI without punctuation.
	CleanCanonicalize Cleaning = "openclip-canonicalize"
)

var cleanings = []Cleaning{CleanTransformers, CleanOpenAI, CleanWhitespace, CleanUnderscore, CleanCanonicalize}

// UnmarshalText reads a cleaning; the empty text leaves it to the vocabulary.
func (c *Cleaning) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = ""
		return nil
	}
	return fault.Choose(c, "text_cleaning", text, cleanings...)
}

// MarshalText writes the name.
func (c Cleaning) MarshalText() ([]byte, error) { return []byte(c), nil }

// openAIMerges is the SHA-256 of the merges of OpenAI's vocabulary, one a line: of CLIP's networks, their copies by
// Hugging Face, and OpenCLIP's.
const openAIMerges = "d308b7377a8ceaa9707a21614fe8c831b9196e197b7aeb69833359362907af02"

// CleaningOf returns the cleaning that networks with a vocabulary were trained with: OpenAI's, or else transformers'.
func CleaningOf(mergesTXT []byte) Cleaning {
	hash := sha256.New()
	for i, line := range bytes.Split(mergesTXT, []byte("\n")) {
		if line = bytes.TrimSpace(line); i > 0 && len(line) > 0 {
			hash.Write(append(bytes.Clone(line), '\n'))
		}
	}
	if fmt.Sprintf("%x", hash.Sum(nil)) == openAIMerges {
		return CleanOpenAI
	}
	return CleanTransformers
}

// Clean returns the text that is looked up. transformers' cleaning is done word by word, by word.
func (c Cleaning) Clean(text string) string {
	if c == CleanTransformers {
		return text
	}
	text = strings.TrimSpace(ftfy.Unescape(ftfy.Unescape(ftfy.Fix(text))))
	switch c {
	case CleanCanonicalize:
		text = punctuation.Replace(text)
	case CleanUnderscore:
		text = strings.ReplaceAll(text, "_", " ")
	}
	text = strings.TrimSpace(whiteSpace.ReplaceAllString(text, " "))
	if c == CleanWhitespace || c == CleanUnderscore {
		return text
	}
	return lowerInContext(text)
}

// lowerInContext is Python's str.lower: a final Σ becomes ς. cases.Caser.String works in chunks, and forgets between
// two of them that a Σ ends a word; one call of Transform does not.
func lowerInContext(text string) string {
	out := make([]byte, 2*len(text)) // at most 2 bytes become 3
	n, _, err := cases.Lower(language.Und).Transform(out, []byte(text), true)
	if err != nil {
		panic(fmt.Sprintf("clip: lower case of %q: %v", text, err)) // out is large enough, and text is UTF-8
	}
	return string(out[:n])
}

// word returns a word of a cleaned text in the form that is looked up.
func (c Cleaning) word(raw string) string {
	if c == CleanTransformers {
		return lower(norm.NFC.String(raw))
	}
	return raw
}

// openAIPieces is pieces as OpenAI has it: with re.IGNORECASE, and special tokens only where no punctuation is before
// them. By IGNORECASE the mark U+0345 counts as the letter ι in [^\p{L}], but not in \p{L}: no piece holds it.
var openAIPieces = regexp.MustCompile(`(?i:<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d)|` +
	`\p{L}+|\p{N}|[^\p{L}\p{N}\x{345}]+`)

// tokens returns the tokens of a word of a text that was not cleaned as transformers does.
func (t *Tokenizer) tokens(word string) (all []token) {
	end := 0
	for _, at := range openAIPieces.FindAllStringIndex(word, -1) {
		piece, first := word[at[0]:at[1]], len(all)
		if piece == startToken || piece == endToken {
			all = append(all, token{t.bpe.ids[piece], len(piece)})
		} else {
			all = append(all, t.bpe.encode(piece)...)
		}
		all[first].bytes += at[0] - end // what no piece holds
		end = at[1]
	}
	return all
}

// whiteSpace is Python's \s.
var whiteSpace = regexp.MustCompile(
	`[\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+`)

// punctuation drops Python's string.punctuation, but for _, which becomes a space.
var punctuation = func() *strings.Replacer {
	pairs := []string{"_", " "}
	for _, r := range "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~" {
		pairs = append(pairs, string(r), "")
	}
	return strings.NewReplacer(pairs...)
}()
