package draw

import (
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// NoiseMode says where the generator's noise comes from.
type NoiseMode = stylegan2.NoiseMode

// Noise modes: that of each picture's own seed, the default, and that which is stored with the generator.
const (
	RandomNoise = stylegan2.NoiseRandom
	ConstNoise  = stylegan2.NoiseConst
)

// Diversity says what the pictures of one text differ in.
type Diversity string

// Diversities.
const (
	ByNoise Diversity = "noise" // the generator's noise
	ByStyle Diversity = "style" // and the styles of the first layers, which are the seed's: the paper's way
	ByZ     Diversity = "z"     // and z, which lies around the predicted one
)

// Diversities lists the values of Diversity.
func Diversities() []Diversity { return []Diversity{ByNoise, ByStyle, ByZ} }

// Keep says what of an origin's own a manipulation keeps beside its embedding.
type Keep string

// What a manipulation keeps. Adding a change of z to the origin's z instead changed far more than the text names on
// Lorelei: the sum is as long as no z that the generator knows.
const (
	// KeepNothing draws what the mapper makes of eq. 11's embedding.
	KeepNothing Keep = "nothing"
	// KeepW adds the change of the mapper's styles to the origin's own: w_origin + w(CIE_target) - w(CIE_origin).
	// Alpha 0 is the origin itself.
	KeepW Keep = "w"
)

// UnmarshalText reads a diversity; the empty text leaves it to the default.
func (d *Diversity) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = ""
		return nil
	}
	return fault.Choose(d, "diversity", text, Diversities()...)
}

// MarshalText writes the name.
func (d Diversity) MarshalText() ([]byte, error) { return []byte(d), nil }

// UnmarshalText reads what is kept; the empty text keeps nothing.
func (k *Keep) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		text = []byte(KeepNothing)
	}
	return fault.Choose(k, "keep", text, KeepNothing, KeepW)
}

// MarshalText writes the name.
func (k Keep) MarshalText() ([]byte, error) { return []byte(k), nil }
