// Command illustrator turns descriptions into pictures, and trains and judges the networks that do so.
package main

import (
	"os"

	"illustrator/cmd/terminal"
)

func main() { os.Exit(terminal.Main("illustrator", newRootCommand)) }
