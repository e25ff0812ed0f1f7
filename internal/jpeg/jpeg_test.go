package jpeg

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The transform is the inverse DCT of T.81, A.3.3, within its rounding. data/pictures/decode compares it with
// libjpeg-turbo's, bit for bit.
func TestTransform(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var table [64]int32
	for i := range table {
		table[i] = 1 + rng.Int32N(20)
	}
	for range 200 {
		var b block
		for i := range b {
			if rng.IntN(4) == 0 {
				b[i] = int16(rng.IntN(41) - 20)
			}
		}
		p := Plane{Stride: 8, Samples: make([]uint8, 64)}
		p.transform(&b, &table, 0, 0)
		for y := range 8 {
			for x := range 8 {
				want := 128.0
				for k, at := range zigzag {
					u, v := int(at)%8, int(at)/8
					scale := 0.25
					if u == 0 {
						scale /= math.Sqrt2
					}
					if v == 0 {
						scale /= math.Sqrt2
					}
					cos := func(x, u int) float64 { return math.Cos(float64((2*x+1)*u) * math.Pi / 16) }
					want += scale * float64(int32(b[at])*table[k]) * cos(x, u) * cos(y, v)
				}
				want = max(0, min(want, 255))
				if got := float64(p.Samples[8*y+x]); math.Abs(got-want) > 0.75 {
					t.Fatalf("(%d, %d): %g, want %g", x, y, got, want)
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	start := "\xff\xd8"
	for file, want := range map[string]string{
		"":       "not a JPEG",
		start:    "cut short",
		"GIF89a": "not a JPEG",
		start + "\xff\xc3\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00":                         "process SOF3",
		start + "\xff\xc9\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00":                         "process SOF9",
		start + "\xff\xc1\x00\x0b\x0c\x00\x08\x00\x08\x01\x01\x11\x00":                         "12 bits",
		start + "\xff\xc0\x00\x0e\x08\x00\x08\x00\x08\x02\x01\x11\x00\x02\x11\x00":             "2 channels",
		start + "\xff\xc0\x00\x0b\x08\x00\x00\x00\x08\x01\x01\x11\x00":                         "damaged",
		start + "\xff\xc0\x00\x11\x08\x00\x08\x00\x08\x03\x01\x31\x00\x02\x21\x00\x03\x11\x00": "sampled 2 × 1 of 3 × 1",
		start + "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00":                                     "damaged",
		start + "\xff\xc4\x00\x14\x00\x03" + strings.Repeat("\x00", 15) + "\x00":               "damaged",
		start + "\xff\xd9": "damaged",
	} {
		if _, err := Decode(context.Background(), []byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", file, err, want)
		}
	}
	if _, err := ReadHeader([]byte(start + "\xff\xd9")); !errors.Is(err, errDamaged) {
		t.Errorf("no frame: %v", err)
	}
}
