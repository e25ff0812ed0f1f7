package main

import (
	"fmt"
	"os"

	"illustrator/models/xla/programs"
)

// programsEnv names the environment variable with the folder of compiled programs; programsOff in its place keeps none.
const (
	programsEnv = "ILLUSTRATOR_PROGRAMS"
	programsOff = "off"
)

// programCache returns where compiled programs are kept; nil if they are not.
func (o *globalOptions) programCache() *programs.Cache {
	folder := os.Getenv(programsEnv)
	switch folder {
	case programsOff:
		return nil
	case "":
		var err error
		if folder, err = programs.DefaultFolder(); err != nil {
			o.log.Debug("programs are not kept", "reason", err)
			return nil
		}
	}
	return &programs.Cache{Folder: folder, Log: o.log}
}

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
		c.Fix = fmt.Sprintf("set %s to a folder that you may write to", programsEnv)
		return c
	}
	c.Detail = fmt.Sprintf("%d compiled, %s of at most %s in %s", count, byteSize(bytes), byteSize(programs.DefaultLimit), cache.Folder)
	return c
}
