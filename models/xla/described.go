package xla

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"illustrator/models/xla/programs"
)

// describedPlugin is the name under which go-xla knows the plugin of OpenDescribed. It takes the plugin for CUDA's by
// it.
const describedPlugin = "/described/cuda"

// OpenDescribed returns a backend for which GoMLX and the networks build the graphs of a CUDA device, on a machine that
// has none. It computes nothing: programs go to take, and their compilation is an error. The first plugin that a
// process opens must be this one. cuda is the path of the CUDA plugin that will compile them: the environment gets what
// XLA reads when that is loaded. options are those that follow a backend's name.
func OpenDescribed(cuda string, options []string, take func(programs.Program)) (compute.Backend, error) {
	path, ok := Find("cpu") // its client holds the arguments
	if !ok {
		return nil, target{name: "cpu"}.missing(fmt.Errorf("no XLA plugin %q", "cpu"))
	}
	if err := inspect(path); err != nil {
		return nil, fmt.Errorf("open XLA plugin %q: %w", path, err)
	}
	if err := programs.InterceptAs(path, filepath.FromSlash(describedPlugin)); err != nil {
		return nil, fmt.Errorf("open XLA plugin %q: %w", path, err)
	}
	programs.Capture(take)
	config := append([]string{filepath.FromSlash(describedPlugin)}, prepareCUDA(cuda, options)...)
	backend, err := newBackend(strings.Join(config, ","), nil)
	if err != nil {
		return nil, fmt.Errorf("open XLA plugin %q for a described device: %w", path, err)
	}
	return backend, nil
}
