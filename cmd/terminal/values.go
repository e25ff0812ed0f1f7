package terminal

import (
	"encoding"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// optional is a flag whose value stays nil where it is not given.
type optional[T any] struct {
	to    **T
	kind  string
	parse func(string) (T, error)
}

func (o optional[T]) Type() string { return o.kind }

func (o optional[T]) String() string {
	if o.to == nil || *o.to == nil {
		return ""
	}
	return fmt.Sprint(**o.to)
}

func (o optional[T]) Set(s string) error {
	v, err := o.parse(s)
	if err == nil {
		*o.to = &v
	}
	return err
}

// OptionalInt adds a flag of a whole number. otherwise says in the help what is meant where it is not given.
func OptionalInt(flags *pflag.FlagSet, to **int, name string, otherwise int, usage string) {
	flags.Var(optional[int]{to, "int", strconv.Atoi}, name, usage)
	flags.Lookup(name).DefValue = fmt.Sprint(otherwise)
}

// OptionalUint adds a flag of a whole number from 0 on.
func OptionalUint(flags *pflag.FlagSet, to **uint64, name, usage string) {
	parse := func(s string) (uint64, error) { return strconv.ParseUint(s, 0, 64) }
	flags.Var(optional[uint64]{to, "uint", parse}, name, usage)
}

// OptionalFloat adds a flag of a number. otherwise is as in OptionalInt; 0 leaves it to usage.
func OptionalFloat(flags *pflag.FlagSet, to **float64, name string, otherwise float64, usage string) {
	parse := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	flags.Var(optional[float64]{to, "float", parse}, name, usage)
	flags.Lookup(name).DefValue = fmt.Sprint(otherwise)
}

// enum is a value that reads and writes itself as text.
type enum interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

type enumFlag struct{ enum }

func (enumFlag) Type() string { return "string" }

func (e enumFlag) Set(s string) error { return e.UnmarshalText([]byte(s)) }

func (e enumFlag) String() string {
	if e.enum == nil {
		return ""
	}
	text, err := e.MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

// Enum adds a flag of one of some names; the value that is there is the default.
func Enum(flags *pflag.FlagSet, to enum, name, usage string) { flags.Var(enumFlag{to}, name, usage) }
