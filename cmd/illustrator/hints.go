package main

import (
	"errors"
	"fmt"

	"illustrator/draw"
	"illustrator/draw/story"
	"illustrator/eval/album"
	"illustrator/eval/studies"
	"illustrator/internal/fault"
	"illustrator/train/runs"
)

// explain gives errors of packages, which state facts, hints that name this program's commands and flags.
func explain(err error) error {
	var run *runs.Error
	var interrupted *runs.Interrupted
	var study *studies.Error
	var field *draw.FieldError
	var character *story.LongCharacter
	var mixed *album.MixedError
	switch {
	case errors.As(err, &field):
		return asFlags(err, nil)
	case errors.As(err, &character):
		return fault.Usage(fmt.Errorf("--%w", err), "describe the character in fewer words")
	case errors.As(err, &mixed):
		return fault.Usage(fmt.Errorf("--out %w", err),
			"name another folder with --out, or add --replace, which removes them")
	case errors.As(err, &study):
		return explainStudy(err, study)
	case errors.As(err, &run):
		return explainRun(err, run)
	case errors.As(err, &interrupted) && interrupted.Step == 0:
		return fault.Hint(err, "the same command resumes")
	case errors.As(err, &interrupted):
		return fault.Hint(err,
			"the same command resumes after step %d; "+
				"`illustrator generate --mapper %s --run %s` draws with the mapper so far",
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
	case runs.Unfinished:
		return fault.Hint(err, "give the folder of a finished `illustrator train` or `illustrator demo`")
	case runs.NoMapper:
		return fault.Usage(err, "train one with `%s --out runs/first`, then add --run runs/first", run.Train)
	case runs.NoPrompts:
		return fault.Hint(err, "give a file that `illustrator prompt` wrote, or an image prompt of the official release")
	case runs.MapperFile:
		return fault.Usage(err, "give the folder that `illustrator convert %s --out FOLDER` writes", run.Folder)
	case runs.SameDomain:
		return fault.Usage(err, "name each domain once; in domains' files give each a name of its own")
	case runs.OneMapper:
		return fault.Usage(err, "leave --mapper out, and name runs with --run: each draws its own domain")
	case runs.SameName:
		return fault.Usage(err, "name each run once; folders of one name must be renamed to be told apart")
	case runs.OtherNetworks:
		return fault.Hint(err, "name the run's own domain with --domain, or train a mapper for this one")
	}
	return err
}

func explainStudy(err error, study *studies.Error) error {
	switch study.Code {
	case studies.InvalidSeeds:
		return fmt.Errorf("--%w", err)
	case studies.TrainsItself:
		return fault.Usage(fmt.Errorf("--%w", err), "leave --run out")
	case studies.OtherCell:
		return fault.Usage(err, "give another --out, or remove that folder")
	}
	return err
}
