// Package hints words errors for people who use the command: packages state facts and codes, the hints here name
// commands and flags.
package hints

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/draw/story"
	"illustrator/eval/album"
	"illustrator/eval/studies"
	"illustrator/internal/fault"
	"illustrator/models/doctor"
	"illustrator/models/xla"
	"illustrator/train/runs"
)

// Explain gives errors of packages hints that name commands and flags.
func Explain(err error) error {
	var run *runs.Error
	var interrupted *runs.Interrupted
	var study *studies.Error
	var field *draw.FieldError
	var character *story.LongCharacter
	var mixed *album.MixedError
	switch {
	case errors.As(err, &field):
		return AsFlags(err)
	case errors.As(err, &character):
		return fault.Usage(fmt.Errorf("--%w", err), "describe the character in fewer words")
	case errors.As(err, &mixed) && fault.HintOf(err) == "":
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
				"`illustrator generate \"A TEXT\" --mapper %s --run %s` draws with the mapper so far",
			interrupted.Step, interrupted.Folder.LastMapper(), interrupted.Folder)
	}
	return explainCode(err)
}

// Of returns the hint of an error; "" if it has none.
func Of(err error) string { return fault.HintOf(Explain(err)) }

// Fix returns what corrects a problem that doctor found.
func Fix(c doctor.Check) string { return cmp.Or(fixes[c.Lack], Of(c.Err), c.Fix) }

// fixes names the commands that install what a machine lacks.
var fixes = map[doctor.Lack]string{
	doctor.OwnPlugin: "install the plugin that belongs to this program: `illustrator setup`, " +
		"for CUDA `illustrator setup --cuda`",
	doctor.OtherPlugin: "install another plugin with `illustrator setup`",
	doctor.Pip: "install Python's pip (on Debian or Ubuntu: `apt install python3-pip`), " +
		"with which `illustrator setup` installs the plugin",
}

// explainCode gives an error with a code its hint.
func explainCode(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Code == "" {
		return err
	}
	if slices.Contains(flags, e.Code) && err.Error() == e.Error() {
		err = fmt.Errorf("--%w", err)
	}
	hint := e.Hint
	if format := byCode[e.Code]; format != "" {
		hint = fmt.Sprintf(format, e.Args...)
	}
	switch e.Code {
	case configs.NoPrompts:
		hint = fmt.Sprintf("`%s --pairs PAIRS` computes them; --run FOLDER uses those of a run",
			command("prompt", fmt.Sprint(e.Args...)))
	case xla.NotInstalled:
		hint = fmt.Sprintf("run `illustrator setup%s` to install it", device(e, " --cuda"))
	case xla.Broken:
		hint = fmt.Sprintf("run `illustrator doctor%s` to see what is wrong", device(e, " --device cuda"))
	}
	if hint == "" {
		return err
	}
	if e.Usage {
		return fault.Usage(err, "%s", hint)
	}
	return fault.Hint(err, "%s", hint)
}

// device returns the flag of a command for CUDA, where an error is of CUDA's plugin.
func device(e *fault.Error, flag string) string {
	if slices.Contains(e.Args, any("cuda")) {
		return flag
	}
	return ""
}

// command returns the command line of a command for the domain called ref.
func command(name, ref string) string {
	if ref == "" || ref == configs.DefaultDomain {
		return "illustrator " + name
	}
	return fmt.Sprintf("illustrator %s --domain %s", name, ref)
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
		return fault.Usage(err, "train one with `%s --out runs/first`, then add --run runs/first",
			command("train", run.Domain))
	case runs.NoPrompts:
		return fault.Hint(err,
			"give a file that `illustrator prompt` wrote, or an image prompt of the official release")
	case runs.MapperFile:
		return fault.Usage(err, "give the folder that `illustrator convert %s --out FOLDER` writes", run.Folder)
	case runs.SameDomain:
		return fault.Usage(err, "name each domain once; in domains' files give each a name of its own")
	case runs.OneMapper:
		return fault.Usage(err, "leave --mapper out, and name runs with --run: each draws its own domain")
	case runs.NotPacked:
		return fault.Hint(err,
			"a run of the hub is one that `illustrator runs pack` wrote; check its name and revision")
	case runs.LocalNetwork:
		return fault.Usage(err, "add --networks, which packs the networks too if their licences allow that, "+
			"or name them by weights: with sources in the domain's file")
	case runs.NoFigures:
		return fault.Hint(err, "evaluate the run again: `illustrator eval %s`", run.Folder)
	case runs.SameName:
		return fault.Usage(err, "name each run once")
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
