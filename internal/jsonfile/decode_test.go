package jsonfile

import (
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": 1}`: "", " {\"a\": 1}\n": "", `{"a": 1`: "the JSON ends too early", "": "the JSON ends too early",
		`{"b": 1}`: `unknown field "b"`, `{"a": 1} {}`: "byte 8: more follows the value", `{"a": x}`: "byte 7: ",
		`{"a": "1"}`: "a is a string; it must be a whole number",
		`{"a": 1.5}`: "a is a number 1.5; it must be a whole number",
		`[]`:         "the whole is an array; it must be an object", `{"a": 1} x`: "more follows the value",
	} {
		var v struct {
			A int `json:"a"`
		}
		err := Decode([]byte(text), &v)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && v.A != 1 {
			t.Errorf("%s: %+v, %v", text, v, err)
		}
	}
}
