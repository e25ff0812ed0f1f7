package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"illustrator/internal/fault"
)

// flagError gives a flag mistake its hint: the nearest name, or what the value should have been.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		value   *pflag.InvalidValueError
		missing *pflag.ValueRequiredError
	)
	help := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return fault.Usage(fmt.Errorf("unknown flag -%s", name), "%s", help)
		}
		if near := fault.Nearest(name, flagNames(cmd)); near != "" {
			help = fmt.Sprintf("did you mean --%s?", near)
		}
		return fault.Usage(fmt.Errorf("unknown flag --%s", name), "%s", help)
	case errors.As(err, &value):
		flag, reason := value.GetFlag(), value.Unwrap()
		_, usage := pflag.UnquoteUsage(flag)
		if number := (*strconv.NumError)(nil); errors.As(reason, &number) {
			reason = number.Err // without the name of the Go function
		}
		return fault.Usage(fmt.Errorf("--%s %q is not valid: %w", flag.Name, value.GetValue(), reason),
			"--%s takes %s: %s", flag.Name, valueType(flag), usage)
	case errors.As(err, &missing):
		flag := missing.GetFlag()
		_, usage := pflag.UnquoteUsage(flag)
		return fault.Usage(fmt.Errorf("--%s has no value", flag.Name), "--%s takes %s: %s", flag.Name, valueType(flag), usage)
	}
	return fault.Usage(err, "%s", help)
}

// flagNames lists the flags of cmd that a user may write, its parents' included.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	collect := func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	cmd.Flags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	slices.Sort(names)
	return slices.Compact(names)
}

// valueType names a flag's type for someone who does not write Go.
func valueType(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int32", "int64":
		return "a whole number"
	case "uint", "uint32", "uint64":
		return "a whole number, 0 or more"
	case "float32", "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration such as 90s or 5m"
	case "stringSlice", "stringArray", "intSlice":
		return "a list"
	}
	return "a value"
}
