package draw

import (
	"fmt"
	"slices"

	"illustrator/internal/fault"
)

// Code says what is wrong with a field.
type Code string

// Codes of a FieldError.
const (
	OutOfRange Code = "out_of_range" // Low and High bound it
	Unknown    Code = "unknown"      // Choices are its values
	Conflict   Code = "conflict"     // with Other
)

// FieldError is the first invalid field of a Spec or another request: facts, from which a caller makes a hint that
// names its own flags or fields.
type FieldError struct {
	Code  Code
	Field string // its JSON name
	Value any
	// Low and High are the smallest and the largest value.
	Low, High any
	Choices   []string
	// Other is the field that Field goes not together with, and OtherValue its value.
	Other      string
	OtherValue any
	// Remedy says in a sentence which values work; it may be empty. Fields stand in it in backquotes.
	Remedy string
}

// Error states the field and its value.
func (e *FieldError) Error() string {
	switch {
	case e.Code == Unknown:
		return fmt.Sprintf("%s %q is unknown", e.Field, e.Value)
	case e.Code == Conflict && e.OtherValue == nil:
		return fmt.Sprintf("%s and %s are given", e.Other, e.Field)
	case e.Code == Conflict:
		return fmt.Sprintf("%s %v with %s %v", e.Field, e.Value, e.Other, e.OtherValue)
	}
	return fmt.Sprintf("%s is %v", e.Field, e.Value)
}

// Want says what would be right.
func (e *FieldError) Want() string {
	switch {
	case e.Remedy != "":
		return e.Remedy
	case e.Code == Unknown:
		return "use " + fault.AnyOf(e.Choices)
	}
	return fmt.Sprintf("%s must be from %v to %v", e.Field, e.Low, e.High)
}

// number is a field's value that can be compared.
type number interface{ ~int | ~uint64 | ~float64 }

// check returns an error unless value lies from low to high; NaN does not.
func check[N number](field string, value, low, high N) *FieldError {
	if value >= low && value <= high {
		return nil
	}
	return &FieldError{Code: OutOfRange, Field: field, Value: value, Low: low, High: high}
}

// checkChoice returns an error unless value is one of values.
func checkChoice[E ~string](field string, value E, values []E) *FieldError {
	if slices.Contains(values, value) {
		return nil
	}
	e := &FieldError{Code: Unknown, Field: field, Value: string(value)}
	for _, v := range values {
		e.Choices = append(e.Choices, string(v))
	}
	return e
}

// first returns the first error that is not nil.
func first(errs ...*FieldError) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
