package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/doctor"
)

func newDoctorCommand(opts *terminal.Options) *cobra.Command {
	var asJSON bool
	var config string
	var set []string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the machine, and name the command that repairs a problem",
		Example: `  illustrator doctor
  illustrator doctor --device cuda --config lorelei --set train.batch=256
  illustrator doctor --json`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			need, err := needOf(cmd.Context(), opts, config, set)
			if err != nil {
				return err
			}
			return runDoctor(cmd.Context(), opts, need, asJSON)
		},
	}
	cmd.Flags().StringVar(&config, "config", "",
		"run whose training must fit into the memory: a name or the path of a YAML file")
	cmd.Flags().StringArrayVar(&set, "set", nil, "override a setting of the run: `key=value`; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// needOf estimates the memory of a run's training; nothing for no run.
func needOf(ctx context.Context, opts *terminal.Options, config string, set []string) (need doctor.Need, err error) {
	if config == "" {
		if len(set) > 0 {
			return need, fault.Usage(errors.New("--set without --config"), "name the run with --config")
		}
		return need, nil
	}
	run, err := configs.OpenRun(config, set)
	if err != nil {
		return need, err
	}
	s, err := readDomain(opts, run.Domain)
	if err != nil {
		return need, err
	}
	plan, err := jobOf(opts, s, run, "").Plan(ctx)
	return doctor.Need{CPU: plan.Memory.Total(), GPU: plan.OnGPU.Total()}, err
}

func runDoctor(ctx context.Context, opts *terminal.Options, need doctor.Need, asJSON bool) error {
	backend, err := opts.BackendName()
	if err != nil {
		return err
	}
	diagnosis := doctor.Diagnose(ctx, backend, need, opts.ProgramCache(), verifyCommand)
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, c := range diagnosis.Checks {
		diagnosis.Checks[i].Fix = hints.Fix(c)
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
