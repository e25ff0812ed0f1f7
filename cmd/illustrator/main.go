// Command illustrator turns descriptions into pictures, and trains and judges the networks that do so.
package main

import (
	"os"

	"illustrator/cmd/terminal"
)

func main() { os.Exit(terminal.Run("illustrator", os.Args[1:], os.Stdout, os.Stderr, newRootCommand)) }
