package jsonfile

import (
	"strconv"
	"unicode/utf16"
)

// LoneSurrogate returns where JSON escapes a half of a character, such as \ud83d alone, or -1. encoding/json reads
// U+FFFD in its place.
func LoneSurrogate(text []byte) int {
	for at := 0; at+1 < len(text); at++ {
		if text[at] != '\\' {
			continue
		}
		first, ok := escaped(text[at:])
		switch {
		case !ok:
			at++ // the character behind the backslash
		case !utf16.IsSurrogate(first):
			at += 5
		default:
			second, _ := escaped(text[at+6:])
			if utf16.DecodeRune(first, second) == '\uFFFD' {
				return at
			}
			at += 11
		}
	}
	return -1
}

// escaped returns the value of an escape \uXXXX at the beginning of text.
func escaped(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}
