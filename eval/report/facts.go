package report

import (
	"fmt"
	"time"

	"illustrator/internal/version"
)

// Facts says how a report came about: by which command, when, and with which versions.
func Facts(command string) []Fact {
	v := version.Read()
	return []Fact{
		{Name: "Command", Value: command, Code: true},
		{Name: "Date", Value: time.Now().UTC().Format("2006-01-02")},
		{Name: "Versions", Value: fmt.Sprintf("illustrator %s, GoMLX %s, go-xla %s, %s", v.Illustrator, v.GoMLX, v.GoXLA,
			v.Go)},
	}
}
