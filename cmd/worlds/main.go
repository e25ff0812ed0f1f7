// Command worlds makes the embedded domains: it draws their pictures, trains their networks and exports them. It is for
// those who develop the toolkit: `make worlds` runs it.
package main

import (
	"os"

	"illustrator/cmd/terminal"
)

func main() { os.Exit(terminal.Run("worlds", os.Args[1:], os.Stdout, os.Stderr, newRootCommand)) }
