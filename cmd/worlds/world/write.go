package world

import (
	"fmt"
	"os"

	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

// write writes a JSON file into a domain's folder.
func (m *Maker) write(domain, name string, value any) error {
	if err := os.MkdirAll(m.Path(domain), 0o777); err != nil {
		return err
	}
	return jsonfile.Write(m.Path(domain, name), value)
}

// unfinished is the error of a stage that needs another one first.
func unfinished(domain, stage string) error {
	flags := "--stage " + stage
	if domain != Shared {
		flags = "--domain " + domain + " " + flags
	}
	return fault.Usage(fmt.Errorf("stage %s of %s is not complete", stage, domain),
		"run `worlds %s` first, or leave out --stage", flags)
}
