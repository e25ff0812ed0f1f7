package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/doctor"
)

func newDoctorCommand(opts *terminal.Options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the machine, and name the command that repairs a problem",
		Example: `  illustrator doctor
  illustrator doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), opts, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runDoctor(ctx context.Context, opts *terminal.Options, asJSON bool) error {
	backend, err := opts.BackendName()
	if err != nil {
		return err
	}
	diagnosis := doctor.Diagnose(ctx, backend, 0, opts.ProgramCache(), verifyCommand)
	if err := ctx.Err(); err != nil {
		return err
	}
	if asJSON {
		err = jsonfile.Print(opts.Stdout, diagnosis)
	} else {
		err = printDiagnosis(opts.Stdout, diagnosis)
	}
	if err != nil || diagnosis.OK {
		return err
	}
	var wrong []string
	fix := ""
	for _, c := range diagnosis.Checks {
		if c.Status == doctor.Wrong {
			wrong = append(wrong, c.Name)
			if fix == "" {
				fix = c.Fix
			}
		}
	}
	return fault.Hint(fmt.Errorf("wrong: %s", strings.Join(wrong, ", ")), "%s", fix)
}

func printDiagnosis(w io.Writer, d doctor.Diagnosis) error {
	var rows [][]string
	for _, c := range d.Checks {
		rows = append(rows, []string{c.Name, c.Status, c.Detail})
		if c.Fix != "" {
			rows = append(rows, []string{"", "", "fix: " + c.Fix})
		}
	}
	return terminal.PrintTable(w, rows)
}
