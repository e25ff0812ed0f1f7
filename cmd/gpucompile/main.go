// Command gpucompile compiles the programs of the toolkit for GPUs that need not be present, and writes down what XLA
// makes of them. It is for those who develop the toolkit: `make gpu-compile` runs it.
package main

import (
	"os"

	"illustrator/cmd/terminal"
)

func main() { os.Exit(terminal.Main("gpucompile", newRootCommand)) }
