package decode

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/kovidgoyal/imaging/prism/meta"
	"github.com/kovidgoyal/imaging/prism/meta/icc"
)

// pngColours are the chunks of a PNG that say what its colours are, in the order of their precedence (PNG 3, section
// 4.3).
type pngColours struct {
	cicp, iccp, srgb, gamma, chromaticities []byte
}

const pngHead = 8 // bytes before the first chunk

// readPNG finds the chunks, which come before the pixels.
func readPNG(file []byte) (c pngColours) {
	for rest := file[min(pngHead, len(file)):]; len(rest) >= 12; {
		size, kind := binary.BigEndian.Uint32(rest), string(rest[4:8])
		if kind == "IDAT" || int64(size) > int64(len(rest)-12) {
			break
		}
		body := rest[8 : 8+size]
		switch kind {
		case "cICP":
			c.cicp = body
		case "iCCP":
			c.iccp = body
		case "sRGB":
			c.srgb = body
		case "gAMA":
			c.gamma = body
		case "cHRM":
			c.chromaticities = body
		}
		rest = rest[12+size:]
	}
	return c
}

func pngSpace(file []byte) (*space, error) {
	switch c := readPNG(file); {
	case len(c.cicp) == 4:
		return cicpSpace(meta.CodingIndependentCodePoints{
			ColorPrimaries: c.cicp[0], TransferCharacteristics: c.cicp[1], MatrixCoefficients: c.cicp[2],
			VideoFullRange: c.cicp[3], IsSet: true,
		})
	case c.iccp != nil:
		profile, err := inflated(c.iccp)
		if err != nil {
			return nil, err
		}
		return iccSpace(profile)
	case c.srgb != nil:
		return nil, nil
	case len(c.gamma) == 4:
		return gammaSpace(c.gamma, c.chromaticities)
	}
	return nil, nil
}

// inflated returns the profile of an iCCP chunk: a name, 0, the method 0, and the profile compressed.
func inflated(body []byte) ([]byte, error) {
	_, rest, ok := bytes.Cut(body, []byte{0})
	if !ok || len(rest) < 1 || rest[0] != 0 {
		return nil, errProfile
	}
	z, err := zlib.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return nil, errProfile
	}
	profile, err := io.ReadAll(io.LimitReader(z, maxProfile+1))
	if err != nil {
		return nil, errProfile
	}
	return profile, nil
}

// The transfer functions of ITU-T H.273 for pictures brighter than a screen's white.
const transferPQ, transferHLG = 16, 18

func cicpSpace(c meta.CodingIndependentCodePoints) (*space, error) {
	if c.TransferCharacteristics == transferPQ || c.TransferCharacteristics == transferHLG {
		return nil, errors.New("the picture has a high dynamic range (PQ or HLG)")
	}
	if c.IsSRGB() {
		return nil, nil
	}
	pipeline := c.PipelineToSRGB()
	if pipeline == nil {
		return nil, fmt.Errorf("cICP %d/%d/%d/%d is not supported", c.ColorPrimaries, c.TransferCharacteristics,
			c.MatrixCoefficients, c.VideoFullRange)
	}
	return &space{3, pipeline}, nil
}

// In gAMA and cHRM.
const pngUnit = 100_000

// srgbGamma is the gAMA that programs write for sRGB, which is not a power: PNG 3, section 4.3, has it read as sRGB.
// The tolerance is libpng's.
const srgbGamma, gammaTolerance = 45_455, 0.05

// The primaries and the white of sRGB.
var srgbPrimaries = meta.Primaries{
	Red: meta.XY{X: 0.64, Y: 0.33}, Green: meta.XY{X: 0.30, Y: 0.60}, Blue: meta.XY{X: 0.15, Y: 0.06},
	White: meta.XY{X: 0.3127, Y: 0.3290},
}

// gammaSpace is the colour space of values v^(1/gAMA) in the primaries of cHRM, those of sRGB where there are none.
func gammaSpace(gamma, chromaticities []byte) (*space, error) {
	g := float64(binary.BigEndian.Uint32(gamma)) / pngUnit
	if g < 0.01 || g > 100 {
		return nil, fmt.Errorf("gAMA is %g", g)
	}
	from := srgbPrimaries
	if len(chromaticities) == 32 {
		at := func(i int) meta.XY {
			return meta.XY{X: float64(binary.BigEndian.Uint32(chromaticities[8*i:])) / pngUnit,
				Y: float64(binary.BigEndian.Uint32(chromaticities[8*i+4:])) / pngUnit}
		}
		from = meta.Primaries{White: at(0), Red: at(1), Green: at(2), Blue: at(3)}
	}
	if math.Abs(g*pngUnit/srgbGamma-1) <= gammaTolerance && same(from, srgbPrimaries) {
		return nil, nil
	}
	matrix, err := between(from, srgbPrimaries)
	if err != nil {
		return nil, err
	}
	decode := func(v float64) float64 { return math.Pow(v, 1/g) }
	p := &icc.Pipeline{}
	p.Append(icc.NewUniformFunctionTransformer("gAMA", decode), matrix, icc.NewUniformFunctionTransformer("sRGB", toCurve))
	p.Finalize(true)
	return &space{3, p}, nil
}

func same(a, b meta.Primaries) bool {
	const tolerance = 0.001
	near := func(p, q meta.XY) bool { return math.Abs(p.X-q.X) < tolerance && math.Abs(p.Y-q.Y) < tolerance }
	return near(a.Red, b.Red) && near(a.Green, b.Green) && near(a.Blue, b.Blue) && near(a.White, b.White)
}

// toCurve is the curve of IEC 61966-2-1, for a linear value, which it clamps.
func toCurve(v float64) float64 {
	switch v = max(0, min(v, 1)); {
	case v <= 0.0031308:
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// bradford is the cone response of Lam's Bradford adaptation, as ICC.1:2022, annex E, gives it.
var bradford = icc.Matrix3{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}

// between returns the matrix from linear values of some primaries to those of others, white to white.
func between(from, to meta.Primaries) (*icc.Matrix3, error) {
	for _, p := range []meta.XY{from.Red, from.Green, from.Blue, from.White} {
		if p.Y <= 0 {
			return nil, errors.New("cHRM has no colours")
		}
	}
	a, b := from.CalculateRGBtoXYZMatrix(), to.CalculateRGBtoXYZMatrix()
	back, err := b.Inverted()
	if err != nil {
		return nil, err
	}
	cones, err := bradford.Inverted()
	if err != nil {
		return nil, err
	}
	white := func(p meta.XY) (x, y, z float64) { return bradford.Transform(p.X/p.Y, 1, (1-p.X-p.Y)/p.Y) }
	fx, fy, fz := white(from.White)
	tx, ty, tz := white(to.White)
	scale := icc.Matrix3{{tx / fx, 0, 0}, {0, ty / fy, 0}, {0, 0, tz / fz}}
	adapted := cones.Multiply(scale)
	adapted = adapted.Multiply(bradford)
	out := back.Multiply(adapted)
	out = out.Multiply(a)
	return &out, nil
}
