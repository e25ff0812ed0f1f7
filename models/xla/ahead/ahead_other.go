//go:build !(linux && cgo)

package ahead

import (
	"errors"

	"illustrator/models/xla/programs"
)

// Compiler compiles nothing on this system, which has no CUDA plugin.
type Compiler struct{}

// Open returns an error: XLA's CUDA plugin is for Linux, and is called through cgo.
func Open(string, Device) (*Compiler, error) {
	return nil, errors.New("programs are compiled ahead of time on Linux, by a build with cgo")
}

// Compile is never called: NewCompiler returns an error.
func (*Compiler) Compile(programs.Program) (Memory, []byte, error) {
	return Memory{}, nil, errors.New("programs are compiled ahead of time on Linux, by a build with cgo")
}
