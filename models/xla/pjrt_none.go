//go:build !cgo

package xla

import (
	"errors"

	"github.com/gomlx/compute"

	"illustrator/internal/fault"
)

// cpuVersion is empty: GoMLX's installer gets no plugin for a build without cgo.
const cpuVersion = ""

// errNoCgo is the error of a build without cgo, which go-xla needs to load plugins.
var errNoCgo = fault.Hint(errors.New("this program was built without cgo and loads no XLA plugins"),
	"build it with CGO_ENABLED=1 on Linux or macOS")

func newBackend(string, map[string]any) (compute.Backend, error) { return nil, errNoCgo }

// Load returns an error: a build without cgo loads no plugins.
func Load(string) (Info, error) { return Info{}, errNoCgo }

func describe(string) (Info, error) { return Info{}, errNoCgo }
