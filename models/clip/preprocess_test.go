package clip

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

// TestAreaResizeParity compares with torch, the official release's nearest ×7 and average pooling among them. The sums
// are of at most 32² numbers of the order of 1 in float32.
func TestAreaResizeParity(t *testing.T) {
	_, _, want := tiny(t, dtypes.Float32)
	for _, test := range []struct {
		name          string
		height, width int
	}{{"24_16", 16, 16}, {"64_16", 16, 16}, {"8_16", 16, 16}, {"10x6_4x9", 4, 9}, {"96_224", 224, 224}} {
		got := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
			return []*graph.Node{nn.AreaResize(in[0], test.height, test.width)}
		}, goldenTensor(t, want, "resize."+test.name+".from"))[0]
		if test.name == "96_224" { // the golden has every 8th row
			for row := range 28 {
				copy(got[224*row:], got[224*8*row:224*(8*row+1)])
			}
			got = got[:28*224]
		}
		if d := nntest.MaxAbs(t, got, golden(t, want, "resize."+test.name+".to")); d > 2e-6 {
			t.Errorf("%s differs by %g", test.name, d)
		}
	}
}

func TestPreprocessGradient(t *testing.T) {
	cfg, scope, _ := tiny(t, dtypes.Float64)
	for _, size := range []int{8, 16, 24} {
		// Values from -1.5 to 1.5, at least 0.05 away from the kinks at -1 and 1, so that no step of the differences crosses
		// one.
		values := make([]float64, 2*3*size*size)
		rng := rand.New(rand.NewPCG(3, uint64(size)))
		outside := 0
		for i := range values {
			for values[i] = 9; math.Abs(math.Abs(values[i])-1) < 0.05 || values[i] == 9; {
				values[i] = 3*rng.Float64() - 1.5
			}
			if math.Abs(values[i]) > 1 {
				outside++
			}
		}
		if outside < len(values)/5 {
			t.Fatalf("only %d of %d values are outside", outside, len(values))
		}
		x := tensors.FromFlatDataAndDimensions(values, 2, 3, size, size)
		for _, cfg.Unclamped = range []bool{false, true} {
			nntest.CheckGradient(t, scope, func(_ *model.Scope, x *graph.Node) *graph.Node { return Preprocess(cfg, x) }, x,
				1e-3, 1e-9)
		}
	}
}

func TestPreprocessValues(t *testing.T) {
	cfg, scope, _ := tiny(t, dtypes.Float32)
	images := make([]float32, 3*16*16)
	for i := range images {
		images[i] = []float32{-3, -1, 0, 1, 3}[i%5]
	}
	got := nntest.Run(t, scope, func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{Preprocess(cfg, in[0])}
	}, tensors.FromFlatDataAndDimensions(images, 1, 3, 16, 16))[0]
	for i := range images {
		c := i / 256
		want := ([]float64{0, 0, 0.5, 1, 1}[i%5] - Mean[c]) / Std[c]
		if math.Abs(float64(got[i])-want) > 1e-6 {
			t.Fatalf("channel %d, value %g: got %g, want %g", c, images[i], got[i], want)
		}
	}
	cfg.Unclamped = true
	got = nntest.Run(t, scope, func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{Preprocess(cfg, in[0])}
	}, tensors.FromFlatDataAndDimensions(images, 1, 3, 16, 16))[0]
	for i := range images {
		c := i / 256
		want := ((float64(images[i])+1)/2 - Mean[c]) / Std[c]
		if math.Abs(float64(got[i])-want) > 1e-5 {
			t.Fatalf("unclamped, channel %d, value %g: got %g, want %g", c, images[i], got[i], want)
		}
	}
}
