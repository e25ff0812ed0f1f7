package cartoon

import (
	"image/color"
	"math"
	"slices"
)

// inks are a press's, with the angles of its screens: far from each other, and yellow, which shows least, upright.
var inks = [4]struct {
	color color.NRGBA
	angle float64 // degrees
}{
	{hex(0x00a5dc), 15}, {hex(0xe0218a), 75}, {hex(0xffe600), 0}, {hex(0x1c1a1e), 45},
}

// screen is a halftone's threshold in [0,1] by place: ink lies where it is below the tone. Each tone covers its own share.
type screen struct {
	cos, sin float64 // of the angle, divided by the pitch
	ranks    []float32
}

const screenRanks = 256

func newScreen(pitch, degrees float64) screen {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	// ranks turns the dots' height into the share of the plane that lies lower.
	var heights []float64
	for y := range 64 {
		for x := range 64 {
			heights = append(heights, height(float64(x)/64, float64(y)/64))
		}
	}
	slices.Sort(heights)
	ranks := make([]float32, screenRanks+1)
	for i := range ranks {
		at, _ := slices.BinarySearch(heights, float64(i)/screenRanks)
		ranks[i] = float32(at) / float32(len(heights))
	}
	return screen{cos / pitch, sin / pitch, ranks}
}

// height is lowest where dots begin and highest between them.
func height(u, v float64) float64 {
	return 0.5 - 0.25*(math.Cos(2*math.Pi*u)+math.Cos(2*math.Pi*v))
}

func (s screen) threshold(x, y int) float32 {
	u, v := s.cos*float64(x)+s.sin*float64(y), s.cos*float64(y)-s.sin*float64(x)
	return s.ranks[int(height(u, v)*screenRanks+0.5)]
}

// covered is the share of a pixel under ink, with a margin of about a pixel.
func covered(tone, threshold float32, pitch float64) float32 {
	return clamp01((tone-threshold)*float32(pitch)*0.4 + 0.5*smoothstep(0, 0.05, tone))
}

// halftone prints the canvas in four inks.
func (c canvas) halftone(pitch float64) {
	var soft canvas
	for k := range c {
		soft[k] = c[k].blur(pitch / 4)
	}
	for n, ink := range inks {
		s := newScreen(pitch, ink.angle)
		w := c[0].w
		rows(c[0].h, func(y int) {
			for x := range w {
				i := y*w + x
				if n == 0 { // the first starts from white
					for k := range c {
						c[k].v[i] = 1
					}
				}
				r, g, b := soft[0].v[i], soft[1].v[i], soft[2].v[i]
				black := 1 - max(r, g, b)
				tone := [4]float32{1 - r - black, 1 - g - black, 1 - b - black, black}[n]
				if n < 3 {
					tone /= max(1-black, 0.05)
				}
				share := covered(tone, s.threshold(x, y), pitch)
				for k, v := range [3]uint8{ink.color.R, ink.color.G, ink.color.B} {
					c[k].v[i] *= 1 - share*(1-float32(v)/255)
				}
			}
		})
	}
}

// benDay draws light colours as dots of a stronger one on white, half the area.
func (c canvas) benDay(pitch float64) {
	s := newScreen(pitch, 45)
	luminance := c.luminance()
	w := c[0].w
	rows(c[0].h, func(y int) {
		for x := range w {
			i := y*w + x
			light := smoothstep(0.55, 0.6, luminance.v[i]) * (1 - smoothstep(0.93, 0.95, luminance.v[i]))
			share := covered(0.5, s.threshold(x, y), pitch)
			for k := range c {
				strong := clamp01(1 - (1-c[k].v[i])*1.6)
				dotted := 1 + share*(strong-1)
				c[k].v[i] += light * (dotted - c[k].v[i])
			}
		}
	})
}
