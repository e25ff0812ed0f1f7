package paint

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// Extent is the height and width of a canvas in the units of its paths.
const Extent = 100

// A Canvas is a picture that paths are filled in. It is not safe for concurrent use.
type Canvas struct {
	pixels *image.RGBA
	fine   int // pixels of the canvas per pixel of the picture, along an axis
	base   Matrix
	clip   *image.Alpha
	mask   *image.Alpha
	raster vector.Rasterizer
}

// New returns a canvas for a picture of size × size pixels, painted with fine × fine samples per pixel. Edges are
// smooth with fine = 1 already; more hides the seams of adjoining shapes.
func New(size, fine int, background color.RGBA) *Canvas {
	side := size * fine
	c := &Canvas{
		pixels: image.NewRGBA(image.Rect(0, 0, side, side)),
		mask:   image.NewAlpha(image.Rect(0, 0, side, side)),
		fine:   fine,
		base:   Scale(float32(side)/Extent, float32(side)/Extent, 0, 0),
	}
	draw.Draw(c.pixels, c.pixels.Rect, image.NewUniform(background), image.Point{}, draw.Src)
	return c
}

// With calls paint with a canvas whose paths are moved by m first.
func (c *Canvas) With(m Matrix, paint func()) {
	base := c.base
	c.base = base.After(m)
	paint()
	c.base = base
}

// Clip calls paint with a canvas that paints inside the path only. Clips do not nest.
func (c *Canvas) Clip(p *Path, paint func()) {
	clip := image.NewAlpha(c.pixels.Rect)
	if box := c.rasterize(p); !box.Empty() {
		draw.Draw(clip, box, c.mask, image.Point{}, draw.Src)
	}
	c.clip = clip
	paint()
	c.clip = nil
}

// Fill fills a path with one color. Its alpha is the opacity; the color is not premultiplied.
func (c *Canvas) Fill(p *Path, paint color.RGBA) { c.Blend(p, paint, paint) }

// Blend fills a path with a gradient from its upper end to its lower.
func (c *Canvas) Blend(p *Path, top, bottom color.RGBA) {
	box := c.rasterize(p)
	if box.Empty() {
		return
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		paint := top
		if top != bottom {
			paint = Mix(top, bottom, (float64(y-box.Min.Y)+0.5)/float64(box.Dy()))
		}
		c.row(y, box, paint)
	}
}

// row paints one row of the mask, which begins at box's corner.
func (c *Canvas) row(y int, box image.Rectangle, paint color.RGBA) {
	mask := c.mask.Pix[(y-box.Min.Y)*c.mask.Stride:]
	pixels := c.pixels.Pix[c.pixels.PixOffset(box.Min.X, y):]
	for i := range box.Dx() {
		alpha := uint32(mask[i]) * uint32(paint.A)
		if alpha == 0 {
			continue
		}
		if c.clip != nil {
			alpha = alpha * uint32(c.clip.Pix[y*c.clip.Stride+box.Min.X+i]) / 255
		}
		const full = 255 * 255
		pixel := pixels[4*i : 4*i+3 : 4*i+3]
		pixel[0] = uint8((uint32(pixel[0])*(full-alpha) + uint32(paint.R)*alpha + full/2) / full)
		pixel[1] = uint8((uint32(pixel[1])*(full-alpha) + uint32(paint.G)*alpha + full/2) / full)
		pixel[2] = uint8((uint32(pixel[2])*(full-alpha) + uint32(paint.B)*alpha + full/2) / full)
	}
}

// rasterize writes the coverage of a path to the mask's corner and returns the part of the canvas that it belongs to.
func (c *Canvas) rasterize(p *Path) image.Rectangle {
	p = p.Map(c.base)
	box := p.bounds().Intersect(c.pixels.Rect)
	if box.Empty() {
		return image.Rectangle{}
	}
	x0, y0 := float32(box.Min.X), float32(box.Min.Y)
	c.raster.Reset(box.Dx(), box.Dy())
	c.raster.DrawOp = draw.Src
	points := p.points
	for _, v := range p.verbs {
		switch v {
		case move:
			c.raster.ClosePath()
			c.raster.MoveTo(points[0].X-x0, points[0].Y-y0)
			points = points[1:]
		case line:
			c.raster.LineTo(points[0].X-x0, points[0].Y-y0)
			points = points[1:]
		case cube:
			c.raster.CubeTo(points[0].X-x0, points[0].Y-y0, points[1].X-x0, points[1].Y-y0, points[2].X-x0, points[2].Y-y0)
			points = points[3:]
		}
	}
	c.raster.ClosePath()
	c.raster.Draw(c.mask, image.Rect(0, 0, box.Dx(), box.Dy()), image.Opaque, image.Point{})
	return box
}

func (p *Path) bounds() image.Rectangle {
	low, high := Point{math.MaxFloat32, math.MaxFloat32}, Point{-math.MaxFloat32, -math.MaxFloat32}
	for _, at := range p.points {
		low = Point{min(low.X, at.X), min(low.Y, at.Y)}
		high = Point{max(high.X, at.X), max(high.Y, at.Y)}
	}
	const far = 1 << 20
	bound := func(x float32) float64 { return float64(max(-far, min(far, x))) }
	return image.Rect(int(math.Floor(bound(low.X))), int(math.Floor(bound(low.Y))),
		int(math.Ceil(bound(high.X))), int(math.Ceil(bound(high.Y))))
}

// Picture returns the picture: each pixel is the mean of its samples.
func (c *Canvas) Picture() *image.NRGBA {
	size := c.pixels.Rect.Dx() / c.fine
	picture := image.NewNRGBA(image.Rect(0, 0, size, size))
	if c.fine == 1 {
		copy(picture.Pix, c.pixels.Pix)
		return picture
	}
	area := uint32(c.fine * c.fine)
	for y := range size {
		for x := range size {
			var sum [3]uint32
			for dy := range c.fine {
				from := c.pixels.Pix[c.pixels.PixOffset(x*c.fine, y*c.fine+dy):]
				for dx := range c.fine {
					sum[0] += uint32(from[4*dx])
					sum[1] += uint32(from[4*dx+1])
					sum[2] += uint32(from[4*dx+2])
				}
			}
			to := picture.Pix[picture.PixOffset(x, y):]
			to[0], to[1], to[2], to[3] = uint8((sum[0]+area/2)/area), uint8((sum[1]+area/2)/area), uint8((sum[2]+area/2)/area),
				255
		}
	}
	return picture
}
