// Package vectors compares vectors.
package vectors

import "math"

// Cosine returns the cosine of the angle between a and b, summed in float64; 0 where one of them has no direction.
func Cosine[T float32 | float64](a, b []T) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / (math.Sqrt(aa) * math.Sqrt(bb))
}
