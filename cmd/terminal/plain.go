package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain returns a text with its control characters as escapes, but for ends of lines and tabs. Names within files come
// from anyone, and a terminal obeys what it reads.
func plain(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, isControl) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1, isControl(r) && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case isControl(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}

func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
