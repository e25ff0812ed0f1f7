package terminal

import (
	"bytes"
	"testing"
)

// What a terminal would obey is written as an escape; texts of all languages are left as they are.
func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"a\tb\nc":                   "a\tb\nc",
		"Ä 漢字 😀 \u200f\u0301":       "Ä 漢字 😀 \u200f\u0301",
		"\x1b[31mred\x07\r\x7f\x00": `\x1b[31mred\x07\x0d\x7f\x00`,
		"\u009b2J":                  `\u009b2J`,
		"\x9b2J \xff\ufffd":         "\\x9b2J \\xff\ufffd",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q becomes %q; want %q", text, got, want)
		}
	}
	var out bytes.Buffer
	c := &console{w: &out}
	if n, err := c.Write([]byte("a \x1b[2Jname\n")); n != 11 || err != nil || out.String() != "a \\x1b[2Jname\n" {
		t.Errorf("%d, %v, %q on standard error", n, err, out.String())
	}
	out.Reset()
	if err := PrintTable(&out, [][]string{{"\x1b]0;x\a", "b"}, {"c", "\x1b[1m"}}); err != nil ||
		out.String() != `\x1b]0;x\x07  b`+"\n"+`c             \x1b[1m`+"\n" {
		t.Errorf("%v, %q in a table", err, out.String())
	}
}
