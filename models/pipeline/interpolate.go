package pipeline

import (
	"context"
	"fmt"
)

// Interpolate returns styles [steps,L,Z] at equal distances on the straight line in W from one picture's styles to
// another's, [L,Z] each, both ends included as they are. Render draws them.
func (n *Networks) Interpolate(from, to []float32, steps int) ([]float32, error) {
	width := n.Generator.NumLayers() * n.Generator.StyleDim
	if len(from) != width || len(to) != width {
		return nil, fmt.Errorf("styles of %d and %d values; expected %d", len(from), len(to), width)
	}
	if steps < 2 {
		return nil, fmt.Errorf("%d steps of interpolation; expected 2 or more, both ends included", steps)
	}
	out := make([]float32, 0, steps*width)
	for step := range steps {
		out = append(out, Between(from, to, float32(step)/float32(steps-1))...)
	}
	return out, nil
}

// Between returns the styles at t, from 0 to 1, on the straight line between two styles: exactly them at both ends.
func Between(from, to []float32, t float32) []float32 {
	out := make([]float32, len(from))
	for i := range from {
		out[i] = (1-t)*from[i] + t*to[i]
	}
	return out
}

// OriginStyles returns the styles [L,Z] of an origin, from its z or from what the mapper makes of its embedding.
func (n *Networks) OriginStyles(ctx context.Context, o Origin, psi float64) (styles []float32, err error) {
	z := o.Z
	if z == nil {
		if z, err = n.MapToZ(ctx, o.ImageEmbed); err != nil {
			return nil, err
		}
	}
	return n.Styles(ctx, z, psi)
}
