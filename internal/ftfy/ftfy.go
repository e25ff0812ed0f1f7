// Package ftfy repairs text as the Python package ftfy does (Robyn Speer, version 6.3.1, Apache-2.0), whose fix_text
// OpenAI's CLIP reads texts with: HTML entities, mojibake, ligatures, full-width forms, curly quotes, line breaks,
// control characters and Unicode's normal form C. Its tables of characters, tables.json, are ftfy's. It also has
// Python's html.unescape.
package ftfy

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// tables are the characters and patterns that mojibake is found by.
//
//go:embed tables.json
var tablesJSON []byte

var tables = func() (t struct {
	Badness      string            `json:"badness"`
	First2       string            `json:"utf8_first_of_2"`
	First3       string            `json:"utf8_first_of_3"`
	First4       string            `json:"utf8_first_of_4"`
	Continuation string            `json:"utf8_continuation"`
	Strict       string            `json:"utf8_continuation_strict"`
	Ligatures    map[string]string `json:"ligatures"`
}) {
	if err := json.Unmarshal(tablesJSON, &t); err != nil {
		panic(err)
	}
	return t
}()

// Fix returns ftfy.fix_text(text) with its default configuration. It differs only in characters that were added to
// Unicode after the version of the Python that runs ftfy. Text must be UTF-8, so that surrogates don't occur.
func Fix(text string) string {
	var out strings.Builder
	entities := true
	for text != "" {
		line := text
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			line = text[:end+1]
		}
		text = text[len(line):]
		entities = entities && !strings.Contains(line, "<") // in HTML they are left as they are, from there on
		out.WriteString(fixLine(line, entities))
	}
	return out.String()
}

// fixLine applies the repairs until none changes anything.
func fixLine(text string, entities bool) string {
	for {
		before := text
		if entities {
			text = unescapeEntities(text)
		}
		text = fixEncoding(text)
		text = fixControls1(text)
		text = ligatures.Replace(text)
		text = plainWidth(text)
		text = quotes.Replace(text)
		text = lineBreaks.Replace(text)
		text = terminal.ReplaceAllString(text, "")
		text = strings.Map(withoutControls, text)
		text = norm.NFC.String(text)
		if text == before {
			return text
		}
	}
}

var (
	terminal   = regexp.MustCompile("\x1b\\[[\\p{Nd};]*[a-zA-Z]")
	lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")
	quotes     = strings.NewReplacer("\u02bc", "'", "\u2018", "'", "\u2019", "'", "\u201a", "'", "\u201b", "'",
		"\u201c", `"`, "\u201d", `"`, "\u201e", `"`, "\u201f", `"`)
	ligatures = func() *strings.Replacer {
		var pairs []string
		for from, to := range tables.Ligatures {
			pairs = append(pairs, from, to)
		}
		return strings.NewReplacer(pairs...)
	}()
)

// plainWidth replaces full-width and half-width forms.
func plainWidth(text string) string {
	if !strings.ContainsFunc(text, otherWidth) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\u3000':
			out.WriteByte(' ')
		case otherWidth(r):
			out.WriteString(norm.NFKC.String(string(r)))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func otherWidth(r rune) bool { return r == '\u3000' || r >= '\uff01' && r <= '\uffef' }

// withoutControls drops control characters that are not white space, and characters that are not for texts.
func withoutControls(r rune) rune {
	switch {
	case r <= 0x08, r == 0x0b, r >= 0x0e && r <= 0x1f, r == 0x7f, r >= 0x206a && r <= 0x206f, r == 0xfeff,
		r >= 0xfff9 && r <= 0xfffc:
		return -1
	}
	return r
}
