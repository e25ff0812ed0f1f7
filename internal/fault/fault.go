// Package fault marks errors that a user can correct. They carry a hint with the correction.
package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// Error is an error with a hint. Usage tells a mistake in a command line, a configuration or a value (exit code 2)
// from a failure of the world around: a missing file, a full disk (exit code 1).
type Error struct {
	Err   error
	Hint  string
	Usage bool
	// Code and Args are what a program makes a hint of that names its own commands and flags; Code may be "".
	Code Code
	Args []any
}

// Code says what is wrong, for a program that knows a better hint than the package which found it.
type Code string

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint returns err with a hint formatted from format and args. A nil err stays nil.
func Hint(err error, format string, args ...any) error {
	return wrap(err, false, format, args)
}

// Suggest is Hint for an err that may have a hint already, which it then keeps.
func Suggest(err error, format string, args ...any) error {
	if HintOf(err) != "" {
		return err
	}
	return Hint(err, format, args...)
}

// Usage is Hint for a mistake in what the user typed or configured.
func Usage(err error, format string, args ...any) error {
	return wrap(err, true, format, args)
}

func wrap(err error, usage bool, format string, args []any) error {
	if err == nil {
		return nil
	}
	return &Error{Err: err, Hint: fmt.Sprintf(format, args...), Usage: usage}
}

// WithCode gives err, which keeps its hint, a code. args are values that the program's hint names.
func WithCode(err error, code Code, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Err: err, Hint: HintOf(err), Usage: IsUsage(err), Code: code, Args: args}
}

// CodeOf returns the code nearest to the surface of err's chain, or "".
func CodeOf(err error) Code {
	for ; err != nil; err = errors.Unwrap(err) {
		if e, ok := err.(*Error); ok && e.Code != "" {
			return e.Code
		}
	}
	return ""
}

// HintOf returns the hint nearest to the surface of err's chain, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// IsUsage reports whether err was caused by what the user typed or configured.
func IsUsage(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Usage
}

// Words describe a value that Field does not show, such as Words("empty").
type Words string

// Field returns the usage error of a field or flag with a wrong value. want says what would be right; it is formatted
// with args. name may begin with a place and a colon, as in "mapper config: width"; the hint leaves the place out.
// Strings are quoted.
func Field(name string, value any, want string, args ...any) error {
	if v := reflect.ValueOf(value); v.Kind() == reflect.String && v.Type() != reflect.TypeFor[Words]() {
		value = strconv.Quote(v.String())
	}
	field := name[strings.LastIndex(name, ": ")+1:]
	return Usage(fmt.Errorf("%s is %v", name, value), "%s must be %s", strings.TrimSpace(field),
		fmt.Sprintf(want, args...))
}

// Recovered returns the error of a panic of a library: its own error or words. An error of Go's runtime, such as an
// index out of range, says nothing to a user: what takes its place.
func Recovered(panicked any, what string) error {
	err, ok := panicked.(error)
	if !ok {
		err = fmt.Errorf("%v", panicked)
	}
	return Contained(err, what)
}

// Contained returns err, or what in the place of an error of Go's runtime.
func Contained(err error, what string) error {
	var inner runtime.Error
	if errors.As(err, &inner) {
		return errors.New(what)
	}
	return err
}

// ErrPartial marks work of which some was kept and some lost (exit code 3).
var ErrPartial = errors.New("partial result")

// Missing is the error of an input that does not exist, in words of its own: errors.Is takes it for fs.ErrNotExist,
// which commands report as a mistake in what the user named (exit code 2).
type Missing string

func (m Missing) Error() string        { return string(m) }
func (m Missing) Is(target error) bool { return target == fs.ErrNotExist }

// OneLine joins the lines of the text of an error.
func OneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
