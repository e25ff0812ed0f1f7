package texts

import (
	"regexp"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
)

// notPlain matches the parts that become hyphens, with the marks on them: a mark belongs to the letter before it.
var notPlain = regexp.MustCompile(`(?:[^\pL\pN\pM]+\pM*)+|^\pM+`)

const slugCharacters = 40

// Slug turns a text into a short part of a file name, in lower case and normal form C: letters and digits of any script
// with their marks, and hyphens. It is empty where the text has neither.
func Slug(text string) string {
	text = norm.NFC.String(strings.ToLower(text))
	text = strings.Trim(notPlain.ReplaceAllString(text, "-"), "-")
	var short strings.Builder
	for n, rest := 0, text; rest != "" && n < slugCharacters; n++ {
		var character string
		character, rest, _, _ = uniseg.FirstGraphemeClusterInString(rest, -1)
		if short.Len()+len(character) > 4*slugCharacters { // file systems bound names by bytes
			break
		}
		short.WriteString(character)
	}
	return strings.Trim(short.String(), "-")
}
