package scene_test

import (
	"math"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/scene/scenetest"
)

func TestToy(t *testing.T) { scenetest.Check(t, scenetest.Toy{}) }

func TestSimplex(t *testing.T) {
	for k := 2; k <= 14; k++ {
		corners := scene.Simplex(k)
		for i, a := range corners {
			for j, b := range corners {
				want, got := 1.0, 0.0
				if i != j {
					want = -1 / float64(k-1)
				}
				for d := range a {
					got += a[d] * b[d]
				}
				if math.Abs(got-want) > 1e-12 {
					t.Errorf("simplex of %d: corners %d, %d: inner product %v, want %v", k, i, j, got, want)
				}
			}
		}
	}
}

// TestShares compares how often values occur with the shares of their vertices.
func TestShares(t *testing.T) {
	d := scenetest.Toy{}
	latent, err := scene.NewLatent(d)
	if err != nil {
		t.Fatal(err)
	}
	const count = 4000
	var black int
	for i := range count {
		black += latent.Sample(5, i).Scene.Values[2]
	}
	// One of three vertices; the deviation of the share is 0.0075.
	if share := float64(black) / count; math.Abs(share-1.0/3) > 0.03 {
		t.Errorf("share of black walls: %.3f, want 1/3", share)
	}
}

func TestValidate(t *testing.T) {
	for _, s := range []scene.Scene{
		{Values: []int{0, 0}, Continuous: make([]float32, 3)},
		{Values: []int{0, 4, 0}, Continuous: make([]float32, 3)},
		{Values: []int{0, 0, 0}},
	} {
		if scene.Validate(scenetest.Toy{}, s) == nil {
			t.Errorf("no error for %v", s)
		}
	}
}
