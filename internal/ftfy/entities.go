package ftfy

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

var (
	entity    = regexp.MustCompile(`&#?[0-9A-Za-z]{1,24};`)
	reference = regexp.MustCompile("&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")
	upper     = cases.Upper(language.Und)
)

// unescapeEntities replaces the entities that end in a semicolon, and those of letters that were written in capitals.
func unescapeEntities(text string) string {
	return entity.ReplaceAllStringFunc(text, func(e string) string {
		if strings.HasPrefix(e, "&#") {
			if plain := Unescape(e); !strings.Contains(plain, ";") {
				return plain
			}
			return e
		}
		name := e[1:]
		if s, ok := named(name); ok {
			return s
		}
		lower := strings.ToLower(name)
		if s, ok := named(lower); ok && name == strings.ToUpper(name) && Unescape(e) == e {
			return upper.String(s)
		}
		return e
	})
}

// named returns the characters of an HTML5 entity, by its name with or without a semicolon.
func named(name string) (string, bool) {
	in := "&" + name
	out := html.UnescapeString(in)
	// Where only a part of the name is an entity the rest follows: a letter or more, and the semicolon.
	most := 1
	if strings.HasSuffix(name, ";") {
		most = 2
	}
	return out, out != in && utf8.RuneCountInString(out) <= most
}

// Unescape returns Python's html.unescape(text), which also reads entities without a semicolon at the beginning of a
// name.
func Unescape(text string) string {
	if !strings.Contains(text, "&") {
		return text
	}
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		body := ref[1:]
		if strings.HasPrefix(body, "#") {
			return numbered(strings.TrimSuffix(body[1:], ";"))
		}
		if s, ok := named(body); ok {
			return s
		}
		runes := []rune(body)
		for n := len(runes) - 1; n > 1; n-- {
			if s, ok := named(string(runes[:n])); ok {
				return s + string(runes[n:])
			}
		}
		return ref
	})
}

// numbered returns the character of a reference such as 39 or x27, as HTML5's rules for wrong ones have it.
func numbered(digits string) string {
	base := 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	switch r := rune(n); {
	case err != nil || n > utf8.MaxRune || n == 0 || n >= 0xd800 && n <= 0xdfff:
		return "\ufffd"
	case n == 0x0d:
		return "\r"
	case n >= 0x80 && n <= 0x9f:
		return string(encodings[windows1252].decode[n])
	case n >= 0x01 && n <= 0x08, n == 0x0b, n >= 0x0e && n <= 0x1f, n >= 0x7f && n <= 0x9f, n >= 0xfdd0 && n <= 0xfdef,
		n&0xfffe == 0xfffe:
		return ""
	default:
		return string(r)
	}
}
