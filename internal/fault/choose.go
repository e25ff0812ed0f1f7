package fault

import (
	"encoding"
	"fmt"
	"slices"
	"strings"
)

// Choose sets *to to the one of values that text names, or returns a usage error that lists them. Types of a few named
// values implement encoding.TextUnmarshaler with it; what is their name in messages, such as "noise mode".
func Choose[E ~string](to *E, what string, text []byte, values ...E) error {
	if !slices.Contains(values, E(text)) {
		return Usage(&ChoiceError{what, string(text)}, "use %s", AnyOf(values))
	}
	*to = E(text)
	return nil
}

// ChoiceError is the error of Choose, without the hint.
type ChoiceError struct{ What, Value string }

func (e *ChoiceError) Error() string { return fmt.Sprintf("%s %q is unknown", e.What, e.Value) }

// CheckChoice returns the error of a value that its type does not read, as a zero value is. name is the field's.
func CheckChoice[E ~string, P interface {
	*E
	encoding.TextUnmarshaler
}](name string, value E) error {
	if err := P(&value).UnmarshalText([]byte(value)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// AnyOf lists values as "a, b or c".
func AnyOf[E ~string](values []E) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
