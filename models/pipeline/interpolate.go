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
		t := float32(step) / float32(steps-1)
		for i := range from {
			out = append(out, (1-t)*from[i]+t*to[i]) // exact at both ends
		}
	}
	return out, nil
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
