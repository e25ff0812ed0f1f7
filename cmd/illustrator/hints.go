package main

import (
	"errors"

	"illustrator/internal/fault"
	"illustrator/train/runs"
)

// explain gives errors of packages, which state facts, hints that name this program's commands and flags.
func explain(err error) error {
	var run *runs.Error
	var interrupted *runs.Interrupted
	switch {
	case errors.As(err, &run):
		return explainRun(err, run)
	case errors.As(err, &interrupted) && interrupted.Step == 0:
		return fault.Hint(err, "the same command goes on")
	case errors.As(err, &interrupted):
		return fault.Hint(err, "the same command goes on after step %d; `illustrator generate --mapper %s --run %s` draws with the mapper so far",
			interrupted.Step, interrupted.Folder.LastMapper(), interrupted.Folder)
	}
	return err
}

func explainRun(err error, run *runs.Error) error {
	switch run.Code {
	case runs.NotARun:
		return fault.Hint(err, "name the folder of a run that `illustrator train` began")
	case runs.NoFolder:
		return fault.Usage(err, "`illustrator runs list` lists the runs in the folder %s", runs.DefaultFolder)
	case runs.NoRun:
		return fault.Usage(err, "`illustrator runs list` lists them; a run elsewhere is given by the path of its folder")
	case runs.OneRun:
		return fault.Usage(err, "`illustrator runs show %s` shows it", run.Folder)
	case runs.Taken:
		return fault.Usage(err, "give another --out, or remove that folder")
	case runs.OtherNetworks:
		return fault.Hint(err, "name the run's own domain with --domain, or train a mapper for this one")
	}
	return err
}
