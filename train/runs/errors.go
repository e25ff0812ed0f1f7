package runs

import (
	"fmt"

	"illustrator/train"
)

// Code says what is wrong.
type Code string

// Codes of an Error.
const (
	NotARun       Code = "not_a_run"      // the folder has no config.yaml or run.json
	NoFolder      Code = "no_folder"      // a path leads nowhere
	NoRun         Code = "no_run"         // the default folder has no run of that number or name
	OneRun        Code = "one_run"        // Folder is a run, where a folder of runs is expected
	Taken         Code = "taken"          // the folder holds a run of other settings, pairs or starting mapper
	Unfinished    Code = "unfinished"     // the run lacks a file that its training writes
	NoMapper      Code = "no_mapper"      // the domain has no mapper of its own
	NoPrompts     Code = "no_prompts"     // a file of prompts cannot be read
	MapperFile    Code = "mapper_file"    // Folder, the mapper to start from, is a file
	OtherNetworks Code = "other_networks" // the run was trained with other networks than the domain's
	SameDomain    Code = "same_domain"    // two domains that are opened together have one name
	OneMapper     Code = "one_mapper"     // a mapper is given for several domains
	SameName      Code = "same_name"      // two runs that are opened together have one name
	NotPacked     Code = "not_packed"     // what the hub has by that name is not a packed run
	LocalNetwork  Code = "local_network"  // a network of the run to pack is a folder of this machine
	NoFigures     Code = "no_figures"     // the figures of Folder, a run, cannot be read
)

// Error states what is wrong with a run's folder.
type Error struct {
	Code   Code
	Text   string
	Folder string // with OneRun, MapperFile and NoFigures
	Domain string // with NoMapper, by name or file
	Err    error  // the cause, if there is one
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Err }

func notARun(err error) error { return &Error{Code: NotARun, Text: err.Error(), Err: err} }

// Interrupted is the error of a training that was stopped. Its state is saved, unless no step is done.
type Interrupted struct {
	Step, Steps int
	Folder      train.Folder
	Cause       error
}

func (e *Interrupted) Error() string {
	if e.Step == 0 {
		return fmt.Sprintf("no step of %d is done", e.Steps)
	}
	return fmt.Sprintf("%d of %d steps are done and saved", e.Step, e.Steps)
}

func (e *Interrupted) Unwrap() error { return e.Cause }
