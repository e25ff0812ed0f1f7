package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"runtime"

	"github.com/kovidgoyal/imaging/prism/meta/icc"
	"golang.org/x/sync/errgroup"
)

const maxProfile = 4 << 20 // bytes of a colour profile: those of printing have up to 3 MB

// space converts colours to sRGB, values of [0,1]. channels are 1 (grey), 3 or 4 (inks).
type space struct {
	channels int
	pipeline *icc.Pipeline
}

var errProfile = errors.New("the colour profile is damaged or of a kind that is not supported")

// iccSpace reads an ICC profile; none is sRGB. The intent is perceptual with compensation of the black point, as in
// littleCMS towards its sRGB.
func iccSpace(profile []byte) (s *space, err error) {
	if len(profile) == 0 {
		return nil, nil
	}
	defer func() {
		if recover() != nil {
			err = errProfile
		}
	}()
	if err := checkProfile(profile); err != nil {
		return nil, err
	}
	p, err := icc.DecodeProfile(bytes.NewReader(profile))
	if err != nil {
		return nil, errProfile
	}
	if p.IsSRGB() {
		return nil, nil
	}
	s = &space{channels: 3}
	switch p.Header.DataColorSpace {
	case icc.ColorSpaceGray:
		s.channels = 1
	case icc.ColorSpaceCMYK:
		s.channels = 4
	}
	if s.pipeline, err = p.CreateTransformerToSRGB(icc.PerceptualRenderingIntent, true, s.channels, true, false,
		true); err != nil {
		return nil, errProfile
	}
	return s, nil
}

// checkProfile checks the sizes that a profile claims: the library allocates memory for them.
func checkProfile(profile []byte) error {
	const header, entry = 128, 12
	if len(profile) < header+4 || len(profile) > maxProfile {
		return errProfile
	}
	tags := int(binary.BigEndian.Uint32(profile[header:]))
	if tags > (len(profile)-header-4)/entry {
		return errProfile
	}
	for i := range tags {
		t := profile[header+4+i*entry:]
		at, size := int(binary.BigEndian.Uint32(t[4:])), int(binary.BigEndian.Uint32(t[8:]))
		if at < header+4+tags*entry || size > len(profile)-at || !curvesFit(profile[at:at+size]) {
			return errProfile
		}
	}
	return nil
}

// curvesFit reports whether the curves of a tag, itself or in it, have no more points than a profile has room for.
func curvesFit(tag []byte) bool {
	const curve = "curv"
	within := bytes.HasPrefix(tag, []byte("mAB ")) || bytes.HasPrefix(tag, []byte("mBA "))
	for from := 0; ; {
		next := bytes.Index(tag[from:], []byte(curve))
		if next < 0 || next > 0 && !within {
			return true
		}
		from += next
		if len(tag) >= from+12 && binary.BigEndian.Uint32(tag[from+8:]) > maxProfile/2 {
			return false
		}
		from += len(curve)
	}
}

// toSRGB returns a stored picture with 8 bits a channel in sRGB, and a warning where its colour space cannot be
// converted.
func toSRGB(ctx context.Context, stored image.Image, s *space, err error) (img *image.NRGBA, warning string, _ error) {
	inks, _ := stored.(*image.CMYK)
	if err == nil && s != nil {
		switch {
		case (s.channels == 4) != (inks != nil), s.channels == 1 && !grey(stored):
			err = fmt.Errorf("the colour profile is of %d channels, the picture is not", s.channels)
		case inks != nil:
			img, err := s.ofInks(ctx, inks)
			return img, "", err
		}
	}
	img = plain(stored)
	if err != nil {
		return img, fmt.Sprintf("colours are taken as sRGB: %v", err), nil
	}
	if s == nil {
		return img, "", nil
	}
	return img, "", s.convert(ctx, img)
}

// grey reports whether a picture has no colours.
func grey(img image.Image) bool {
	switch img := img.(type) {
	case *image.Gray, *image.Gray16:
		return true
	case *image.NRGBA:
		for i := 0; i < len(img.Pix); i += 4 {
			if img.Pix[i] != img.Pix[i+1] || img.Pix[i] != img.Pix[i+2] {
				return false
			}
		}
		return true
	case *image.Paletted, *image.NRGBA64:
		return grey(plain(img))
	}
	return false
}

// convert converts a picture's colours in place.
func (s *space) convert(ctx context.Context, img *image.NRGBA) error {
	if s.channels == 1 {
		var table [256][3]uint8
		for v := range table {
			r, g, b := s.pipeline.Transform(float64(v)/255, 0, 0)
			table[v] = [3]uint8{toByte(r), toByte(g), toByte(b)}
		}
		for i := 0; i < len(img.Pix); i += 4 {
			copy(img.Pix[i:i+3], table[img.Pix[i]][:])
		}
		return nil
	}
	return rows(ctx, img.Rect.Dy(), func(y int) {
		var last, now [3]uint8 // neighbours are often alike
		known := false
		row := img.Pix[y*img.Stride : y*img.Stride+4*img.Rect.Dx()]
		for x := 0; x < len(row); x += 4 {
			if p := [3]uint8(row[x : x+3]); !known || p != last {
				r, g, b := s.pipeline.Transform(float64(p[0])/255, float64(p[1])/255, float64(p[2])/255)
				last, now, known = p, [3]uint8{toByte(r), toByte(g), toByte(b)}, true
			}
			copy(row[x:x+3], now[:])
		}
	})
}

// ofInks converts a picture of inks.
func (s *space) ofInks(ctx context.Context, img *image.CMYK) (*image.NRGBA, error) {
	out := image.NewNRGBA(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()))
	err := rows(ctx, out.Rect.Dy(), func(y int) {
		from, to := img.Pix[y*img.Stride:], out.Pix[y*out.Stride:]
		var in, rgb [4]float64
		for x := range out.Rect.Dx() {
			for c := range in {
				in[c] = float64(from[4*x+c]) / 255
			}
			s.pipeline.TransformGeneral(rgb[:], in[:])
			to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = toByte(rgb[0]), toByte(rgb[1]), toByte(rgb[2]), 255
		}
	})
	return out, err
}

// toByte rounds a value of [0,1]; a value that is not a number is 0.
func toByte(v float64) uint8 {
	if !(v > 0) {
		return 0
	}
	return uint8(min(v, 1)*255 + 0.5)
}

// rows calls f for each row, on all cores, until ctx ends.
func rows(ctx context.Context, height int, f func(y int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	const band = 64
	for top := 0; top < height; top += band {
		group.Go(func() (err error) {
			defer recovered(&err)
			for y := top; y < min(top+band, height); y++ {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				f(y)
			}
			return nil
		})
	}
	return group.Wait()
}
