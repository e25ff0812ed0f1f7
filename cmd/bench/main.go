// Command bench measures the speed of sampling and training, and compares it with PyTorch's. It is for those who
// develop the toolkit: `make bench` and `make gpu-check` run it.
package main

import (
	"os"

	"illustrator/cmd/terminal"
)

func main() { os.Exit(terminal.Main("bench", newRootCommand)) }
