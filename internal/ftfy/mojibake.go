package ftfy

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

var badness = regexp.MustCompile(tables.Badness)

// encoding is one of 8 bits that text may have been decoded by instead of UTF-8.
type encoding struct {
	decode [256]rune
	encode map[rune]byte
	// sloppy encodings decode unassigned bytes as Latin-1, and 1A as U+FFFD.
	sloppy bool
}

const (
	latin1 = iota
	windows1252
	macRoman = 8
)

// encodings are those that are tried, in this order.
var encodings = []encoding{
	newEncoding(charmap.ISO8859_1, false), newEncoding(charmap.Windows1252, true), newEncoding(charmap.Windows1251, true),
	newEncoding(charmap.Windows1250, true), newEncoding(charmap.Windows1253, true), newEncoding(charmap.Windows1254, true),
	newEncoding(charmap.Windows1257, true), newEncoding(charmap.ISO8859_2, false), newEncoding(charmap.Macintosh, false),
	newEncoding(charmap.CodePage437, false),
}

func newEncoding(m *charmap.Charmap, sloppy bool) encoding {
	e := encoding{encode: map[rune]byte{}, sloppy: sloppy}
	for i := range e.decode {
		r := m.DecodeByte(byte(i))
		if i < 0x80 || r == utf8.RuneError {
			r = rune(i)
		}
		if i == 0x1a && sloppy {
			r = utf8.RuneError
		}
		e.decode[i], e.encode[r] = r, byte(i)
	}
	return e
}

// bytesOf returns the bytes that were decoded to text, if they can have been.
func (e encoding) bytesOf(text string) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := e.encode[r]
		if !ok {
			return nil, false
		}
		out = append(out, b)
	}
	return out, true
}

// fixEncoding repairs mojibake until there is none that it can repair.
func fixEncoding(text string) string {
	for {
		fixed := fixEncodingOnce(text)
		if fixed == text {
			return text
		}
		text = fixed
	}
}

func fixEncodingOnce(text string) string {
	if isASCII(text) || !badness.MatchString(text) {
		return text
	}
	for i, e := range encodings {
		raw, ok := e.bytesOf(text)
		if !ok {
			continue
		}
		if i != macRoman {
			raw = restoreSpaces(raw)
		}
		if e.sloppy {
			raw = replaceLost(raw)
		}
		if fixed, ok := decodeUTF8(raw); ok {
			return fixed
		}
	}
	if fixed := fixInside(text); fixed != text {
		return fixed
	}
	if raw, ok := encodings[latin1].bytesOf(text); ok {
		if fixed, ok := strict1252(raw); ok && fixed != text {
			return fixed
		}
	}
	return fixControls1(text)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// strict1252 decodes bytes by Windows-1252 without those that it does not assign.
func strict1252(raw []byte) (string, bool) {
	var out strings.Builder
	for _, b := range raw {
		switch b {
		case 0x81, 0x8d, 0x8f, 0x90, 0x9d:
			return "", false
		case 0x1a:
			out.WriteByte(b)
		default:
			out.WriteRune(encodings[windows1252].decode[b])
		}
	}
	return out.String(), true
}

// fixControls1 reads C1 control characters as Windows-1252's.
func fixControls1(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 && r <= 0x9f {
			return encodings[windows1252].decode[r]
		}
		return r
	}, text)
}

// Patterns of bytes, each written as the character of its number.
var (
	spaced = regexp.MustCompile("[\u00c2\u00c3\u00c5\u00ce\u00d0\u00d9] " +
		"|[\u00e2\u00e3] [\u0080-\u0084\u0086-\u009f\u00a1-\u00bf]" +
		"|[\u00e0-\u00e3][\u0080-\u0084\u0086-\u009f\u00a1-\u00bf] " +
		"|\u00f0 [\u0080-\u00bf][\u0080-\u00bf]|\u00f0[\u0080-\u00bf] [\u0080-\u00bf]|\u00f0[\u0080-\u00bf][\u0080-\u00bf] ")
	lost = regexp.MustCompile("[\u00c2-\u00df]\x1a|[\u00c2-\u00c3][?]" +
		"|\u00ed[\u00a0-\u00af][\x1a?]\u00ed[\u00b0-\u00bf][\x1a?\u0080-\u00bf]" +
		"|\u00ed[\u00a0-\u00af][\x1a?\u0080-\u00bf]\u00ed[\u00b0-\u00bf][\x1a?]" +
		"|[\u00e0-\u00ef][\x1a?][\x1a\u0080-\u00bf]|[\u00e0-\u00ef][\x1a\u0080-\u00bf][\x1a?]" +
		"|[\u00f0-\u00f4][\x1a?][\x1a\u0080-\u00bf][\x1a\u0080-\u00bf]" +
		"|[\u00f0-\u00f4][\x1a\u0080-\u00bf][\x1a?][\x1a\u0080-\u00bf]" +
		"|[\u00f0-\u00f4][\x1a\u0080-\u00bf][\x1a\u0080-\u00bf][\x1a?]|\x1a")
)

// asText writes each byte as the character of its number, asBytes is its inverse.
func asText(raw []byte) string {
	var out strings.Builder
	for _, b := range raw {
		out.WriteRune(rune(b))
	}
	return out.String()
}

func asBytes(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		out = append(out, byte(r))
	}
	return out
}

// restoreSpaces puts A0 back where it was written as a space inside of a character of UTF-8.
func restoreSpaces(raw []byte) []byte {
	text := asText(raw)
	if !spaced.MatchString(text) {
		return raw
	}
	// "à" is a word: the space behind it is one too, but for the Portuguese words that begin with it.
	words := strings.Split(text, "\u00c3 ")
	var out strings.Builder
	out.WriteString(words[0])
	for _, w := range words[1:] {
		if out.WriteString("\u00c3"); !startsOther(w) {
			out.WriteString("\u00a0")
		}
		out.WriteString(" " + w)
	}
	return asBytes(spaced.ReplaceAllStringFunc(out.String(),
		func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }))
}

func startsOther(text string) bool {
	return slices.ContainsFunc([]string{" ", "quele", "quela", "quilo", "s "},
		func(p string) bool { return strings.HasPrefix(text, p) })
}

// replaceLost replaces characters of UTF-8 of which a byte was lost, written as 1A, by U+FFFD.
func replaceLost(raw []byte) []byte {
	text := asText(raw)
	if !lost.MatchString(text) {
		return raw
	}
	return asBytes(lost.ReplaceAllString(text, "\u00ef\u00bf\u00bd"))
}

// decodeUTF8 decodes UTF-8, and of its variants CESU-8's pairs of surrogates and Java's null.
func decodeUTF8(raw []byte) (string, bool) {
	if utf8.Valid(raw) {
		return string(raw), true
	}
	if !slices.Contains(raw, 0xed) && !slices.Contains(raw, 0xc0) {
		return "", false
	}
	var out strings.Builder
	for len(raw) > 0 {
		if raw[0] == 0xc0 && len(raw) > 1 && raw[1] == 0x80 {
			out.WriteByte(0)
			raw = raw[2:]
			continue
		}
		if r, ok := surrogates(raw); ok {
			out.WriteRune(r)
			raw = raw[6:]
			continue
		}
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size <= 1 {
			return "", false
		}
		out.WriteRune(r)
		raw = raw[size:]
	}
	return out.String(), true
}

// surrogates decodes a character above U+FFFF that was written as two surrogates of three bytes.
func surrogates(b []byte) (rune, bool) {
	tail := func(v, low, high byte) bool { return v >= low && v <= high }
	if len(b) < 6 || b[0] != 0xed || !tail(b[1], 0xa0, 0xaf) || !tail(b[2], 0x80, 0xbf) || b[3] != 0xed ||
		!tail(b[4], 0xb0, 0xbf) || !tail(b[5], 0x80, 0xbf) {
		return 0, false
	}
	return rune(b[1]&0x0f)<<16 + rune(b[2]&0x3f)<<10 + rune(b[4]&0x0f)<<6 + rune(b[5]&0x3f) + 0x10000, true
}

// fixInside repairs parts of a text that look like UTF-8 that was decoded otherwise, where the whole does not.
func fixInside(text string) string {
	runes := []rune(text)
	var out strings.Builder
	for i := 0; i < len(runes); {
		n := 0
		if i == 0 || !strings.ContainsRune(tables.Strict, runes[i-1]) {
			n = utf8Like(runes[i:])
		}
		if n == 0 {
			out.WriteRune(runes[i])
			i++
			continue
		}
		part := string(runes[i : i+n])
		if n < len(runes) && badness.MatchString(part) {
			part = fixEncoding(part)
		}
		out.WriteString(part)
		i += n
	}
	return out.String()
}

// utf8Like counts the characters at the beginning that look like characters of UTF-8, two to four for each.
func utf8Like(runes []rune) (n int) {
	for {
		size := 0
		for i, first := range []string{tables.First2, tables.First3, tables.First4} {
			if size == 0 && n+i+2 <= len(runes) && strings.ContainsRune(first, runes[n]) && continues(runes[n+1:n+i+2]) {
				size = i + 2
			}
		}
		if size == 0 {
			return n
		}
		n += size
	}
}

func continues(runes []rune) bool {
	return !slices.ContainsFunc(runes, func(r rune) bool { return !strings.ContainsRune(tables.Continuation, r) })
}
