package runs

import (
	"fmt"

	"illustrator/configs"
	"illustrator/train"
)

// Further returns a run that trains the mapper of a finished one further: with the settings of that run and set, from
// its last mapper. Optimizer and schedules begin afresh, so train.stages give the steps to come and their rates.
func Further(folder string, set []string) (run configs.Run, err error) {
	of := train.Folder(folder)
	info, err := of.ReadInfo()
	if err != nil {
		return run, err
	}
	if info == nil {
		return run, unfinished(folder, of.Info())
	}
	if info.Status != train.Finished {
		return run, &Error{Code: Unfinished, Text: fmt.Sprintf("run %q is not finished", folder)}
	}
	if run, err = configs.OpenRun(of.Config(), set); err != nil {
		return run, fmt.Errorf("run %q: %w", folder, err)
	}
	run.Init = of.LastMapper()
	return run, nil
}
