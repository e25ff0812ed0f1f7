package scene

import (
	"fmt"
	"math"
	"math/rand"
)

// Sizes of the latent vectors. Half of z has no effect on the picture.
const (
	ZDim = 128 // z ~ N(0, 1)
	UDim = 64  // u = Q z / rms(z)
)

// Latent maps z to the scenes of a domain. u = Q z / rms(z) with a random orthonormal Q; each attribute takes the
// vertex of a regular simplex whose inner product with the attribute's part of u is largest;
// variations read what follows.
type Latent struct {
	// Rotation is Q: UDim orthonormal rows of ZDim.
	Rotation [][]float64
	// Offsets holds the first dimension of u of each attribute.
	Offsets []int
	// Rest is the first dimension of u of the variations.
	Rest int

	attributes []Attribute
	continuous int
	simplices  [][][]float64
}

// NewLatent returns the map of domain d. It fails if the attributes and variations need more than UDim dimensions.
func NewLatent(d Domain) (*Latent, error) {
	l := &Latent{Rotation: rotation(d.Seed()), attributes: d.Attributes(), continuous: len(d.Continuous())}
	for _, a := range l.attributes {
		for _, v := range a.vertices() {
			if v < 0 || v >= len(a.Values) {
				return nil, fmt.Errorf("domain %s: attribute %s: a vertex has value %d of %d", d.Name(), a.Name, v, len(a.Values))
			}
		}
		l.Offsets = append(l.Offsets, l.Rest)
		l.simplices = append(l.simplices, Simplex(a.Vertices()))
		l.Rest += a.Vertices() - 1
	}
	if need := l.Rest + l.continuous; need > UDim {
		return nil, fmt.Errorf("domain %s needs %d dimensions of u: at most %d", d.Name(), need, UDim)
	}
	return l, nil
}

// U returns Q z / rms(z), of length UDim. z has length ZDim.
func (l *Latent) U(z []float32) []float64 {
	var squares float64
	for _, x := range z {
		squares += float64(x) * float64(x)
	}
	rms := math.Sqrt(squares / ZDim)
	u := make([]float64, UDim)
	for i, row := range l.Rotation {
		for j, x := range z {
			u[i] += row[j] * float64(x)
		}
		u[i] /= rms
	}
	return u
}

// Scene returns the scene that z stands for.
func (l *Latent) Scene(z []float32) Scene {
	u := l.U(z)
	s := Scene{Values: make([]int, len(l.attributes)), Continuous: make([]float32, l.continuous)}
	for k, a := range l.attributes {
		best, vertex := math.Inf(-1), 0
		for i, corner := range l.simplices[k] {
			if score := dot(corner, u[l.Offsets[k]:]); score > best {
				best, vertex = score, i
			}
		}
		s.Values[k] = a.Value(vertex)
	}
	for i := range s.Continuous {
		s.Continuous[i] = float32(u[l.Rest+i])
	}
	return s
}

// Simplex returns k unit vectors of k-1 dimensions whose inner products with each other are equal.
func Simplex(k int) [][]float64 {
	corners := make([][]float64, k)
	for i := range corners {
		corners[i] = make([]float64, k-1)
	}
	for d := range k - 1 {
		corners[d][d] = math.Sqrt(1 - dot(corners[d][:d], corners[d]))
		for i := d + 1; i < k; i++ {
			corners[i][d] = (-1/float64(k-1) - dot(corners[d][:d], corners[i])) / corners[d][d]
		}
	}
	return corners
}

// dot returns the inner product of a and the first values of b.
func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// rotation returns UDim orthonormal rows of ZDim: Gram-Schmidt on normal vectors.
func rotation(seed int64) [][]float64 {
	random := rand.New(rand.NewSource(seed))
	rows := make([][]float64, UDim)
	for i := range rows {
		row := make([]float64, ZDim)
		for j := range row {
			row[j] = random.NormFloat64()
		}
		for _, earlier := range rows[:i] {
			along := dot(row, earlier)
			for j := range row {
				row[j] -= along * earlier[j]
			}
		}
		norm := math.Sqrt(dot(row, row))
		for j := range row {
			row[j] /= norm
		}
		rows[i] = row
	}
	return rows
}
