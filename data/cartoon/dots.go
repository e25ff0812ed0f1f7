package cartoon

import (
	"image/color"
	"math"
	"slices"
	"sync"
)

// inks are a press's, with the angles of its screens: far from each other, and yellow, which shows least, upright.
var inks = [4]struct {
	color color.NRGBA
	angle float64 // degrees
}{
	{hex(0x00a5dc), 15}, {hex(0xe0218a), 75}, {hex(0xffe600), 0}, {hex(0x1c1a1e), 45},
}

// screen is a halftone's threshold in [0,1] by place: ink lies where it is below the tone. Each tone covers its own
// share.
type screen struct {
	cos, sin float64 // of the angle, divided by the pitch
	ranks    []float32
	wave     *table
}

const screenRanks = 256

func newScreen(pitch, degrees float64) screen {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return screen{cos / pitch, sin / pitch, ranks(), wave()}
}

// ranks turns the dots' height into the share of the plane that lies lower.
var ranks = sync.OnceValue(func() []float32 {
	var heights []float64
	for y := range 64 {
		for x := range 64 {
			heights = append(heights, height(math.Cos(2*math.Pi*float64(x)/64), math.Cos(2*math.Pi*float64(y)/64)))
		}
	}
	slices.Sort(heights)
	ranks := make([]float32, screenRanks+1)
	for i := range ranks {
		at, _ := slices.BinarySearch(heights, float64(i)/screenRanks)
		ranks[i] = float32(at) / float32(len(heights))
	}
	return ranks
})

// wave is the cosine of whole turns.
var wave = sync.OnceValue(func() *table {
	return newTable(func(v float64) float64 { return math.Cos(2 * math.Pi * v) })
})

// height is lowest where dots begin and highest between them, by the cosines of the place in the dot.
func height(cosU, cosV float64) float64 { return 0.5 - 0.25*(cosU+cosV) }

func (s screen) threshold(x, y int) float32 {
	u, v := s.cos*float64(x)+s.sin*float64(y), s.cos*float64(y)-s.sin*float64(x)
	h := height(s.wave.at(float32(u-math.Floor(u))), s.wave.at(float32(v-math.Floor(v))))
	return s.ranks[int(h*screenRanks+0.5)]
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
	var screens [len(inks)]screen
	var taken [len(inks)][3]float32 // of each channel, by full ink
	for n, ink := range inks {
		screens[n] = newScreen(pitch, ink.angle)
		for k, v := range [3]uint8{ink.color.R, ink.color.G, ink.color.B} {
			taken[n][k] = 1 - float32(v)/255
		}
	}
	w := c[0].w
	rows(c[0].h, func(y int) {
		for x := range w {
			i := y*w + x
			r, g, b := soft[0].v[i], soft[1].v[i], soft[2].v[i]
			black := 1 - max(r, g, b)
			under := max(1-black, 0.05)
			paper := [3]float32{1, 1, 1}
			for n, tone := range [4]float32{(1 - r - black) / under, (1 - g - black) / under, (1 - b - black) / under, black} {
				if tone <= 0 {
					continue
				}
				share := covered(tone, screens[n].threshold(x, y), pitch)
				for k := range paper {
					paper[k] *= 1 - share*taken[n][k]
				}
			}
			c[0].v[i], c[1].v[i], c[2].v[i] = paper[0], paper[1], paper[2]
		}
	})
}

// benDay draws light colours as dots of a stronger one on white, half the area, and white as dots of blue, a fifth.
func (c canvas) benDay(pitch float64) {
	s := newScreen(pitch, 45)
	luminance := c.luminance()
	w := c[0].w
	rows(c[0].h, func(y int) {
		for x := range w {
			i := y*w + x
			light, white := smoothstep(0.5, 0.55, luminance.v[i]), smoothstep(0.93, 0.95, luminance.v[i])
			if light == 0 {
				continue
			}
			threshold := s.threshold(x, y)
			large, small := covered(0.5, threshold, pitch), covered(0.22, threshold, pitch)
			for k, sky := range [3]float32{0.35, 0.72, 0.92} {
				v := c[k].v[i]
				dot := clamp01(1 - (1-v)*1.6)
				v += light * (1 + large*(dot-1) - v)
				c[k].v[i] = v + white*(1+small*(sky-1)-v)
			}
		}
	})
}
