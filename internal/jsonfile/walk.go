package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Token is a key, or the beginning of a value.
type Token struct {
	Value any // a key or text as string, json.Number, bool or nil; json.Delim '{' or '['
	IsKey bool
	// Depth is the number of objects and lists around it, Number its own number in the innermost, from 1: among the keys
	// of an object, or the values of an object or list. InList tells a list from an object.
	Depth, Number int
	InList        bool
	Repeated      bool // a key that the object has before
	At            int  // where it ends in the text
}

// level is an object or a list that a walk is in.
type level struct {
	keys   map[string]bool // nil in a list
	values int
	isKey  bool // of the next token
}

// Walk calls visit with the tokens of JSON text, one after the other, before values are made of them. It ends with the
// error of visit, or of text that is not JSON.
func Walk(text []byte, visit func(Token) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var open []level
	for {
		value, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if value == json.Delim('}') || value == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		if err := visit(next(open, value, int(d.InputOffset()))); err != nil {
			return err
		}
		switch value {
		case json.Delim('{'):
			open = append(open, level{keys: map[string]bool{}, isKey: true})
		case json.Delim('['):
			open = append(open, level{})
		}
	}
}

// next returns the token of a value, and counts it in the innermost of the open levels.
func next(open []level, value any, at int) Token {
	t := Token{Value: value, Depth: len(open), Number: 1, At: at}
	if len(open) == 0 {
		return t
	}
	in := &open[len(open)-1]
	if in.isKey {
		name := value.(string) // the decoder has refused other keys
		t.IsKey, t.Repeated = true, in.keys[name]
		in.keys[name], in.isKey = true, false
		t.Number = len(in.keys)
		return t
	}
	in.values++
	in.isKey = in.keys != nil
	t.InList, t.Number = in.keys == nil, in.values
	return t
}
