package eval

import (
	"context"
	"image"

	"illustrator/data/pictures"
	"illustrator/models/pipeline"
)

// pixels are pictures of one size on their way through the networks.
type pixels struct {
	images        []float32 // [N,3,height,width] in [-1,1]
	height, width int
	// Files as the domain's CLIP and the judges' CLIP see them, by their preprocessors. Drawn pictures have none: CLIPs
	// see them by the release's area filter.
	own, judge []float32
}

// pixelsOf are pictures [N,3,Size,Size] of the generator.
func (m *measurement) pixelsOf(images []float32) pixels {
	return pixels{images: images, height: m.networks.Generator.Size, width: m.networks.Generator.Size}
}

// fits reports whether a picture has the size of the others.
func (p *pixels) fits(img *image.NRGBA) bool {
	return p.width == img.Rect.Dx() && p.height == img.Rect.Dy()
}

// add adds a file's picture.
func (p *pixels) add(m *measurement, img *image.NRGBA) {
	picture := pictures.FromImage(img)
	p.images, p.height, p.width = append(p.images, picture.Pixels...), picture.Height, picture.Width
	p.own = append(p.own, m.networks.Preprocessor.Fit(img)...)
	if m.Judges.CLIP != nil {
		p.judge = append(p.judge, m.Judges.CLIP.Preprocessor.Fit(img)...)
	}
}

// embed embeds the pictures by a CLIP; fitted is what it sees of files.
func (p *pixels) embed(ctx context.Context, clip *pipeline.Networks, fitted []float32) ([]float32, error) {
	if len(fitted) == 0 {
		return clip.EmbedImages(ctx, p.images, p.height, p.width)
	}
	size := clip.Preprocessor.Size
	return clip.EmbedImages(ctx, fitted, size, size)
}
