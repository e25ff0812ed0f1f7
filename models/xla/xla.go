// Package xla finds, installs and opens the XLA backend that the models run on.
package xla

import (
	"fmt"

	"github.com/gomlx/gomlx/backends"
	gomlxxla "github.com/gomlx/gomlx/backends/xla"

	"illustrator/internal/fault"
)

// Open returns the backend of the PJRT plugin called name ("cpu", "cuda" or the absolute path of a library).
func Open(name string) (backends.Backend, error) {
	gomlxxla.EnableAutoInstall(false)
	backend, err := gomlxxla.NewWithOptions(name, nil)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("open XLA plugin %q: %w", name, err), "run `illustrator setup` to install it")
	}
	return backend, nil
}
