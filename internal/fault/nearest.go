package fault

import (
	"fmt"
	"strings"
)

// Nearest returns the candidate that word was most likely meant to be, or "" if none is near: at most one edit for
// every three letters (two edits for short words), or the only candidate that word begins.
func Nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	best, bestEdits := "", max(2, len(word)/3)+1
	prefixed, only := 0, ""
	for _, c := range candidates {
		low := strings.ToLower(c)
		if word != "" && strings.HasPrefix(low, word) {
			prefixed++
			only = c
		}
		if n := edits(word, low); n < bestEdits && n < len(low) {
			best, bestEdits = c, n
		}
	}
	if best == "" && prefixed == 1 {
		return only
	}
	return best
}

// Choices is a hint: what word was most likely meant to be, or all that it may be.
func Choices(what, word string, of []string) string {
	if near := Nearest(word, of); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return fmt.Sprintf("%s are %s", what, strings.Join(of, ", "))
}

// edits is the Levenshtein distance of a and b in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
