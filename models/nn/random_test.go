package nn

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// The known answers of Threefry-2x32 with 20 rounds, from the tests of Random123 (Salmon et al. 2011): zeros, ones, π.
func TestThreefryKnownAnswers(t *testing.T) {
	exec := MustNewExec(nntest.Backend(t), func(k0, k1, x0, x1 *Node) (*Node, *Node) { return threefry(k0, k1, x0, x1) })
	defer exec.Finalize()
	ones := uint32(math.MaxUint32)
	out, err := exec.Call(
		[]uint32{0, ones, 0x13198a2e}, []uint32{0, ones, 0x03707344},
		[]uint32{0, ones, 0x243f6a88}, []uint32{0, ones, 0x85a308d3})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]uint32{{0x6b200159, 0x1cb996fc, 0xc4923a9c}, {0x99ba4efe, 0xbb002be7, 0x483df7a0}} {
		for j, got := range tensors.MustCopyFlatData[uint32](out[i]) {
			if got != want[j] {
				t.Errorf("word %d of answer %d is %#x, want %#x", i, j, got, want[j])
			}
		}
	}
}

// The moments of 200,000 numbers lie within four standard errors, and neighbouring keys and the two halves of a key,
// which share their radius, are uncorrelated.
func TestNormalNoiseIsNormal(t *testing.T) {
	const n = 100_000
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		return []*Node{NormalNoise(in[0], n)}
	}, []uint64{7, 8})[0]
	moments := make([]float64, 5)
	for _, v := range out {
		for p := range moments {
			moments[p] += math.Pow(float64(v), float64(p)) / float64(len(out))
		}
	}
	for p, want := range []float64{1, 0, 1, 0, 3} {
		// The variance of xᵖ is E[x²ᵖ] - E[xᵖ]²: 1, 2, 15 and 96.
		deviation := math.Sqrt([]float64{0, 1, 2, 15, 96}[p] / float64(len(out)))
		if math.Abs(moments[p]-want) > 4*deviation+1e-9 {
			t.Errorf("moment %d is %g, want %g", p, moments[p], want)
		}
	}
	correlation := func(a, b []float32) (c float64) {
		for i := range a {
			c += float64(a[i]) * float64(b[i]) / float64(len(a))
		}
		return c
	}
	if c := correlation(out[:n], out[n:]); math.Abs(c) > 4/math.Sqrt(n) {
		t.Errorf("keys 7 and 8 correlate: %g", c)
	}
	if c := correlation(out[:n/2], out[n/2:n]); math.Abs(c) > 4/math.Sqrt(n/2) {
		t.Errorf("the halves of key 7 correlate: %g", c)
	}
}
