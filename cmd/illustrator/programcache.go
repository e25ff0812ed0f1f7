package main

import (
	"fmt"

	"illustrator/cmd/terminal"
	"illustrator/models/xla/programs"
)

// checkPrograms says where compiled programs are kept and how much they take.
func checkPrograms(cache *programs.Cache) check {
	c := check{Name: "programs", Status: statusOK}
	if cache == nil {
		c.Detail = "compiled programs are not kept"
		return c
	}
	count, bytes, err := cache.Size()
	if err != nil {
		c.Status, c.Detail = statusWarning, fmt.Sprintf("compiled programs are not kept: %v", err)
		c.Fix = fmt.Sprintf("set %s to a folder that you may write to", terminal.ProgramsEnv)
		return c
	}
	c.Detail = fmt.Sprintf("%d compiled, %s of at most %s in %s", count, terminal.ByteSize(bytes), terminal.ByteSize(programs.DefaultLimit), cache.Folder)
	return c
}
