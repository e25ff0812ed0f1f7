// Package edit draws pictures that begin with others, changed towards a text or on the way to another, and writes them.
package edit

import (
	"context"
	"image"
	"slices"

	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
)

// Artist says how pictures are images.
type Artist struct {
	draw.Model
	Manner draw.Manner // of texts
	Redraw draw.Redraw
}

// images returns pictures, redrawn.
func (a Artist) images(ctx context.Context, of []*draw.Picture) ([]image.Image, error) {
	images := make([]image.Image, len(of))
	for i, p := range of {
		images[i] = a.Image(p)
	}
	return images, a.Redraw.Images(ctx, images)
}

// drawnBy is the part of a record that says how pictures were drawn.
type drawnBy struct {
	NoiseMode     draw.NoiseMode    `json:"noise_mode"`
	TruncationPsi float64           `json:"truncation_psi"`
	Domain        string            `json:"domain"`
	Networks      map[string]string `json:"networks_sha256"`

	Precision pipeline.Precision `json:"precision,omitempty"`
	draw.Cartoon
}

func (a Artist) drawnBy() drawnBy {
	return drawnBy{a.Manner.NoiseMode, a.Manner.TruncationPsi, a.Domain, a.Hashes, a.Precision.Narrow(),
		a.Redraw.Record()}
}

// projectionAlpha returns the alpha of texts' projection, nil without one.
func (a Artist) projectionAlpha() *float64 {
	if a.Manner.NoProjection {
		return nil
	}
	return &a.Manner.Alpha
}

// meta returns the metadata of a picture.
func (a Artist) meta(description string, more ...pictures.Meta) []pictures.Meta {
	meta := []pictures.Meta{
		{Key: "Description", Value: description},
		{Key: "Software", Value: version.Program()},
		{Key: "Domain", Value: a.Domain},
	}
	return slices.Concat(meta, more, draw.PrecisionMeta(a.Precision), draw.HashMeta(a.Hashes), a.Redraw.Record().Meta())
}
