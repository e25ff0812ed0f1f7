package texts

import (
	"regexp"
	"strings"
)

var notPlain = regexp.MustCompile(`[^\pL\pN]+`)

// Slug turns a text into a short part of a file name, in lower case: letters and digits of any script, and hyphens. It is
// empty where the text has neither.
func Slug(text string) string {
	runes := []rune(strings.Trim(notPlain.ReplaceAllString(strings.ToLower(text), "-"), "-"))
	if len(runes) > 40 {
		runes = runes[:40]
	}
	return strings.Trim(string(runes), "-")
}
