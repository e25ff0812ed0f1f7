package jsonfile

import "errors"

// maxDepth is the depth that encoding/json reads.
const maxDepth = 10_000

// RepeatedKey finds the first key that an object of text has twice, and where its second value begins. encoding/json
// takes the last value of a key and drops the others. Text that is not JSON is left to the reader of its values.
func RepeatedKey(text []byte) (key string, at int, ok bool) {
	end := errors.New("end")
	_ = Walk(text, func(t Token) error {
		if t.Repeated {
			key, at, ok = t.Value.(string), t.At, true
		}
		if ok || t.Depth > maxDepth {
			return end
		}
		return nil
	})
	return key, at, ok
}
