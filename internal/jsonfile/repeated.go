package jsonfile

import (
	"bytes"
	"encoding/json"
)

// maxDepth is the depth that encoding/json reads.
const maxDepth = 10_000

// RepeatedKey finds the first key that an object of text has twice, and where its second value begins. encoding/json
// takes the last value of a key and drops the others. Text that is not JSON is left to the reader of its values.
func RepeatedKey(text []byte) (key string, at int, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var open []map[string]bool // the keys of the objects around; nil is a list
	isKey := false
	for {
		t, err := d.Token()
		if err != nil || len(open) > maxDepth {
			return "", 0, false
		}
		switch {
		case t == json.Delim('{'):
			open = append(open, map[string]bool{})
		case t == json.Delim('['):
			open = append(open, nil)
		case t == json.Delim('}') || t == json.Delim(']'):
			open = open[:len(open)-1]
		case isKey:
			name := t.(string)
			if keys := open[len(open)-1]; keys[name] {
				return name, int(d.InputOffset()), true
			} else {
				keys[name] = true
			}
			isKey = false
			continue
		}
		isKey = len(open) > 0 && open[len(open)-1] != nil
	}
}
