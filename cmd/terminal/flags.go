package terminal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
		hint := fault.HintOf(reason)
		if choice := (*fault.ChoiceError)(nil); errors.As(reason, &choice) {
			return fault.Usage(fmt.Errorf("--%s %q is unknown", flag.Name, value.GetValue()), "%s", hint)
		}
		if hint != "" {
			return fault.Usage(fmt.Errorf("--%s %q is not valid: %w", flag.Name, value.GetValue(), reason), "%s", hint)
		}
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

// excludes is cobra's annotation of flags that exclude each other; its value is a list of groups of names.
const excludes = "cobra_annotation_mutually_exclusive"

// checkFlags words what cobra checks next: flags that must be given, and flags of which one may be.
func checkFlags(cmd *cobra.Command) (err error) {
	var missing *pflag.Flag
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[cobra.BashCompOneRequiredFlag] != nil && !f.Changed && missing == nil {
			missing = f
		}
		for _, group := range f.Annotations[excludes] {
			var given []string
			for name := range strings.FieldsSeq(group) {
				if cmd.Flags().Changed(name) {
					given = append(given, "--"+name)
				}
			}
			if len(given) > 1 && err == nil {
				err = fault.Usage(fmt.Errorf("%s exclude each other", strings.Join(given, " and ")), "give one of them")
			}
		}
	})
	if err == nil && missing != nil {
		_, usage := pflag.UnquoteUsage(missing)
		err = fault.Usage(fmt.Errorf("--%s is missing", missing.Name), "give --%s: %s", missing.Name,
			strings.TrimSuffix(usage, " (required)"))
	}
	return err
}

// strictCommands has the commands that cobra adds refuse names that they don't know.
func strictCommands(root *cobra.Command, args []string) {
	root.InitDefaultCompletionCmd(args...)
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			Group(c)
		case "help":
			c.Args = func(_ *cobra.Command, names []string) error {
				if cmd, rest, err := root.Find(names); err != nil || len(rest) > 0 {
					return unknownCommand(cmd, rest[0])
				}
				return nil
			}
		}
	}
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
	case "float", "float32", "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration such as 90s or 5m"
	case "stringSlice", "stringArray":
		return "a list"
	case "intSlice", "float64Slice":
		return "numbers with commas between"
	}
	return "a value"
}

// unknownCommand is the error for a name that no command below cmd has.
func unknownCommand(cmd *cobra.Command, name string) error {
	err := fmt.Errorf("unknown command %q", name)
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if near := fault.Nearest(name, names); near != "" {
		return fault.Usage(err, "did you mean `%s %s`?", cmd.CommandPath(), near)
	}
	slices.Sort(names)
	return fault.Usage(err, "the commands are %s", strings.Join(names, ", "))
}

// ExactArgs refuses another number of arguments and says what they are.
func ExactArgs(n int, what string) cobra.PositionalArgs {
	return checkArgs(func(given int) bool { return given == n }, fmt.Sprint(n), what)
}

// OptionalArg refuses more than one argument.
func OptionalArg(what string) cobra.PositionalArgs {
	return checkArgs(func(given int) bool { return given <= 1 }, "at most 1", what)
}

// NoArgs refuses arguments: of a command that has none, and names of commands that do not exist.
func NoArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return unknownCommand(cmd, args[0])
	}
	return fault.Usage(fmt.Errorf("%s takes no argument; %q is given", cmd.CommandPath(), args[0]),
		"see `%s --help`", cmd.CommandPath())
}

// SomeArgs refuses to be given none.
func SomeArgs(what string) cobra.PositionalArgs {
	return checkArgs(func(given int) bool { return given > 0 }, "1 or more", what)
}

func checkArgs(right func(given int) bool, number, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if right(len(args)) {
			return nil
		}
		return fault.Usage(fmt.Errorf("%d arguments are given, not %s", len(args), number), "give %s; see `%s --help`", what,
			cmd.CommandPath())
	}
}
