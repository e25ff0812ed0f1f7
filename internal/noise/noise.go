// Package noise names the sources of a generator's noise.
package noise

import "illustrator/internal/fault"

// Mode says where the noise of the synthesis network comes from.
type Mode string

// Noise modes, named as in the StyleGAN world.
const (
	Const  Mode = "const"  // the noise pictures stored with the weights
	Random Mode = "random" // N(0,1) drawn from a key for each picture
	None   Mode = "none"
)

// Modes lists the values of Mode.
func Modes() []Mode { return []Mode{Const, Random, None} }

// UnmarshalText reads a noise mode.
func (m *Mode) UnmarshalText(text []byte) error {
	return fault.Choose(m, "noise mode", text, Modes()...)
}

// MarshalText writes the name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m), nil }
