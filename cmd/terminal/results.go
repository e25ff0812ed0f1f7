package terminal

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/internal/jsonfile"
)

// Println prints a result in a line.
func (o *Options) Println(result any) error {
	_, err := fmt.Fprintln(o.Stdout, result)
	return err
}

// Printf prints a result.
func (o *Options) Printf(format string, args ...any) error {
	_, err := fmt.Fprintf(o.Stdout, format, args...)
	return err
}

// PrintResult prints a result as JSON if that is asked for, else its text.
func (o *Options) PrintResult(asJSON bool, result, text any) error {
	if asJSON {
		return jsonfile.Print(o.Stdout, result)
	}
	return o.Println(text)
}

// PrintRows prints a result as JSON if that is asked for, else as a table.
func (o *Options) PrintRows(asJSON bool, result any, rows [][]string) error {
	if asJSON {
		return jsonfile.Print(o.Stdout, result)
	}
	return PrintTable(o.Stdout, rows)
}

// Group has cmd print its help, since it does nothing beside its subcommands.
func Group(cmd *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs // so that RunE words the error
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	cmd.AddCommand(subcommands...)
	return cmd
}
