package xla

import (
	"errors"
	"strconv"

	"illustrator/models/xla/cuda"
)

// CUDAChoice reads and writes the choice of the CUDA plugin in Options as text, as pflag.Value does: true, false, or
// the CUDA version.
type CUDAChoice struct{ *Options }

// Set reads a choice.
func (f CUDAChoice) Set(text string) error {
	switch text {
	case "true", "false":
		f.CUDA, f.CUDAVersion = text == "true", 0
		return nil
	}
	version, _ := strconv.Atoi(text) // 0 has no release
	release, err := cuda.ReleaseOf(version)
	if err != nil {
		return errors.New("it is 12 or 13, or nothing: the driver then decides")
	}
	f.CUDA, f.CUDAVersion = true, release.Version
	return nil
}

func (f CUDAChoice) String() string {
	switch {
	case f.Options == nil || !f.CUDA:
		return "false"
	case f.CUDAVersion == 0:
		return "true"
	}
	return strconv.Itoa(f.CUDAVersion)
}

// Type names what the text holds.
func (f CUDAChoice) Type() string { return "version" }
