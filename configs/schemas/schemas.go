// Package schemas holds the JSON Schemas of the YAML files of runs, domains and studies, which editors complete and
// check them by. A test of package configs generates them from the Go types.
package schemas

import (
	"embed"
	"fmt"
)

//go:embed *.schema.json
var files embed.FS

// Kinds lists the kinds of files that have a schema.
var Kinds = []string{"domain", "run", "study"}

// Read returns the schema of a kind of file.
func Read(kind string) ([]byte, error) {
	raw, err := files.ReadFile(kind + ".schema.json")
	if err != nil {
		return nil, fmt.Errorf("no schema of %q exists", kind)
	}
	return raw, nil
}
