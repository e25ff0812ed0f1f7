package main

import (
	"io"
	"log/slog"

	"illustrator/cmd/terminal"
)

// globalOptions is what every command shares: the flags before or after any command's name, and where to write.
type globalOptions struct {
	*terminal.Options
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

func newGlobalOptions(o *terminal.Options) *globalOptions {
	return &globalOptions{Options: o, stdout: o.Stdout, stderr: o.Stderr, log: o.Log}
}
