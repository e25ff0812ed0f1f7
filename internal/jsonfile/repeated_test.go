package jsonfile

import (
	"strings"
	"testing"
)

func TestRepeatedKey(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}]}`: "", `["a", "a"]`: "", `{"a": "a", "b": "a"}`: "", `"a"`: "",
		`{"a": 1, "a": 2}`: "a", `[{"x": [], "y": {}, "x": 1}]`: "x", `{"a": {"b": 1, "b": 2}}`: "b", `{"": 1, "": 2}`: "",
		`{"a": 1, "\u0061": 2}`: "a", "{\"a\": 1}\n{\"a\": 2}": "", `{"a": 1, "a"`: "a", `{"a" 1}`: "", "": "",
		strings.Repeat("[", 20_000): "",
	} {
		key, at, ok := RepeatedKey([]byte(text))
		if wantOK := want != "" || text == `{"": 1, "": 2}`; key != want || ok != wantOK || ok && at < 5 {
			t.Errorf("%.60s: %q at %d, %v", text, key, at, ok)
		}
	}
}
