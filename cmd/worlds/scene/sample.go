package scene

import "math/rand/v2"

// A Sample is a random z with the scene that it stands for.
type Sample struct {
	Z     []float32 // [ZDim]
	Scene Scene
}

// Random returns the source of numbers of sample index of a seed: equal arguments give equal numbers.
func Random(seed uint64, index int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(index))) }

// Sample returns sample index of a seed. Any index is as fast as another; equal arguments give equal samples.
func (l *Latent) Sample(seed uint64, index int) Sample {
	random := Random(seed, index)
	z := make([]float32, ZDim)
	for i := range z {
		z[i] = float32(random.NormFloat64())
	}
	return Sample{Z: z, Scene: l.Scene(z)}
}
