package jsonfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// typeError is a value of another type than its field has, without the names of Go.
type typeError struct{ *json.UnmarshalTypeError }

func (e typeError) Error() string {
	article := "a "
	if strings.HasPrefix(e.Value, "array") || strings.HasPrefix(e.Value, "object") {
		article = "an "
	}
	text := fmt.Sprintf("%s is %s%s", cmp.Or(e.Field, "the whole"), article, e.Value)
	if want := typeName(e.Type); want != "" {
		text += "; it must be " + want
	}
	return text
}

func (e typeError) Unwrap() error { return e.UnmarshalTypeError }

// typeName returns what JSON calls the values of a type.
func typeName(t reflect.Type) string {
	if t == nil {
		return ""
	}
	switch kind := t.Kind(); {
	case kind == reflect.String:
		return "a string"
	case kind == reflect.Bool:
		return "true or false"
	case kind == reflect.Float32 || kind == reflect.Float64:
		return "a number"
	case kind >= reflect.Int && kind <= reflect.Uint64:
		return "a whole number"
	case kind == reflect.Slice || kind == reflect.Array:
		return "an array"
	case kind == reflect.Struct || kind == reflect.Map:
		return "an object"
	case kind == reflect.Pointer:
		return typeName(t.Elem())
	}
	return ""
}

// Explain words an error of encoding/json for whoever wrote the JSON.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return typeError{wrong}
	}
	if text, ok := strings.CutPrefix(err.Error(), "json: "); ok {
		return errors.New(text)
	}
	return err
}
