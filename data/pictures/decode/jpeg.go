package decode

import (
	"context"
	"image"

	"illustrator/internal/jpeg"
)

func jpegSize(file []byte) (image.Point, error) {
	p, err := jpeg.ReadHeader(file)
	if err != nil {
		return image.Point{}, err
	}
	return image.Pt(p.Width, p.Height), nil
}

func jpegSpace(file []byte) (*space, error) {
	p, err := jpeg.ReadHeader(file)
	if err != nil {
		return nil, err
	}
	return iccSpace(p.Profile)
}

// decodeJPEG returns an *image.NRGBA, *image.Gray or *image.CMYK.
func decodeJPEG(ctx context.Context, file []byte) (image.Image, error) {
	p, err := jpeg.Decode(ctx, file)
	if err != nil {
		return nil, err
	}
	bounds := image.Rect(0, 0, p.Width, p.Height)
	if len(p.Planes) == 1 {
		return &image.Gray{Pix: p.Planes[0].Samples, Stride: p.Planes[0].Stride, Rect: bounds}, nil
	}
	ycc := codedAsYCC(p)
	pixels := make([]uint8, 4*p.Width*p.Height)
	lines := make([][]uint8, len(p.Planes))
	for i := range lines {
		lines[i] = make([]uint8, p.Width)
	}
	for y := range p.Height {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		for i, plane := range p.Planes {
			libjpeg(plane).row(lines[i], plane, y)
		}
		row := pixels[4*p.Width*y:]
		for x := range p.Width {
			to := row[4*x : 4*x+4]
			to[0], to[1], to[2], to[3] = lines[0][x], lines[1][x], lines[2][x], 255
			if ycc {
				to[0], to[1], to[2] = fullRange.rgb(to[0], to[1], to[2])
			}
			if len(lines) == 4 {
				to[3] = lines[3][x]
			}
		}
	}
	if len(p.Planes) == 3 {
		return &image.NRGBA{Pix: pixels, Stride: 4 * p.Width, Rect: bounds}, nil
	}
	// Programs store 255 - ink for ink, Adobe's segment or not; YCC is that of the ink, so that the two cancel out.
	for i := range pixels {
		if !ycc || i%4 == 3 {
			pixels[i] = 255 - pixels[i]
		}
	}
	return &image.CMYK{Pix: pixels, Stride: 4 * p.Width, Rect: bounds}, nil
}

// codedAsYCC reports whether the first three channels are Y, Cb and Cr, by libjpeg's rules (jdapimin.c).
func codedAsYCC(p *jpeg.Picture) bool {
	switch {
	case len(p.Planes) == 4:
		return p.Adobe && p.Transform != 0
	case p.JFIF:
		return true
	case p.Adobe:
		return p.Transform != 0
	}
	return p.Planes[0].ID != 'R' || p.Planes[1].ID != 'G' || p.Planes[2].ID != 'B'
}

// libjpeg returns libjpeg-turbo's default upsampling of a channel: triangles where it has them (jdsample.c), else
// samples are repeated.
func libjpeg(p jpeg.Plane) upsampling {
	switch wide := p.Width > 2; {
	case p.Across == 2 && p.Down == 1 && wide:
		return upsampling{triangle: true, even: 1, odd: 2}
	case p.Across == 2 && p.Down == 2 && wide:
		return upsampling{triangle: true, even: 8, odd: 7}
	case p.Across == 1 && p.Down == 2:
		return upsampling{triangle: true, even: 1, odd: 2}
	}
	return upsampling{}
}
