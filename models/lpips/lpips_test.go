package lpips

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

func tiny(net Net) Config { return Config{ModelType: ModelType, Net: net, Channels: 4} }

// golden returns a narrow network's weights, its inputs and the distances.
func golden(t *testing.T, net Net) (w *checkpoints.Weights, a, b *tensors.Tensor, distance []float32) {
	t.Helper()
	all := nntest.Golden(t, "testdata/tiny_"+string(net)+".safetensors")
	w = &checkpoints.Weights{Source: all.Source, Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range all.Names() {
		if inner, ok := strings.CutPrefix(name, "weights."); ok {
			w.Tensors[inner] = all.Tensors[name]
		}
	}
	values := func(name string) []float32 {
		v, err := all.Tensors[name].Float32s()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return v
	}
	picture := func(name string) *tensors.Tensor {
		return tensors.FromFlatDataAndDimensions(values(name), all.Tensors[name].Shape...)
	}
	return w, picture("a"), picture("b"), values("distance")
}

func distances(t *testing.T, net Net, w *checkpoints.Weights, a, b *tensors.Tensor) []float32 {
	t.Helper()
	store := model.NewStore()
	if err := Load(store.RootScope(), tiny(net), w, dtypes.Float32); err != nil {
		t.Fatal(err)
	}
	return nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{Build(scope, tiny(net), in[0], in[1])}
	}, a, b)[0]
}

// Distances of near, far and very far pictures equal the lpips package's to 1e-5 of themselves, for sums in float32 in
// another order, and 1e-6 of their root: features are rounded before they are subtracted and squared.
func TestDistancesEqualLPIPS(t *testing.T) {
	for _, net := range []Net{Alex, VGG} {
		if net == VGG && testing.Short() {
			t.Skip("compiles VGG16")
		}
		w, a, b, want := golden(t, net)
		for i, got := range distances(t, net, w, a, b) {
			tolerance := 1e-5*float64(want[i]) + 1e-6*math.Sqrt(float64(want[i]))
			if d := math.Abs(float64(got - want[i])); !(d <= tolerance) {
				t.Errorf("%s: distance %d is %g, lpips gives %g", net, i, got, want[i])
			}
		}
	}
}

// Zero up to roundings squared: the two halves of the batch need not be summed in the same order.
func TestSamePicturesHaveDistanceZero(t *testing.T) {
	w, a, _, _ := golden(t, Alex)
	for _, d := range distances(t, Alex, w, a, a) {
		if !(d >= 0 && d < 1e-13) {
			t.Errorf("distance %g", d)
		}
	}
}

// The published linear layers fit the published networks, and no weight is negative: a distance never is.
func TestPublishedLinearLayers(t *testing.T) {
	for _, net := range []Net{Alex, VGG} {
		linear, err := Linear(net)
		if err != nil {
			t.Fatal(err)
		}
		shapes := Config{ModelType: ModelType, Net: net, Channels: Channels}.Shapes()
		for name := range shapes {
			if !strings.HasPrefix(name, "lin") {
				delete(shapes, name)
			}
		}
		if err := linear.Check(shapes); err != nil {
			t.Error(err)
		}
		for name, x := range linear.Tensors {
			values, err := x.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				if !(v >= 0) {
					t.Errorf("%s: %s has the weight %g", net, name, v)
				}
			}
		}
	}
	if _, err := Linear("squeeze"); err == nil {
		t.Error("no error for a network that is not known")
	}
}

// The layers that come with the package are those of the published file, which Python 2 wrote in PyTorch's old format.
func TestPublishedFile(t *testing.T) {
	f, err := checkpoints.ReadTorch("testdata/python2_alex.pth")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := f.Weights("")
	if err != nil {
		t.Fatal(err)
	}
	linear, err := Linear(Alex)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(linear.Tensors, file.Tensors); d != "" {
		t.Error(d)
	}
}

func TestMinSize(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles both networks for pictures of other sizes")
	}
	for _, net := range []Net{Alex, VGG} {
		w, _, _, _ := golden(t, net)
		store := model.NewStore()
		if err := Load(store.RootScope(), tiny(net), w, dtypes.Float32); err != nil {
			t.Fatal(err)
		}
		run := func(size int) error {
			x := tensors.FromFlatDataAndDimensions(make([]float32, 3*size*size), 1, 3, size, size)
			_, err := model.CallOnce(nntest.Backend(t), store,
				func(scope *model.Scope, x *Node) *Node { return Build(scope, tiny(net), x, x) }, x)
			return err
		}
		if err := run(tiny(net).MinSize()); err != nil {
			t.Errorf("%s: %v", net, err)
		}
		if err := run(tiny(net).MinSize() - 1); err == nil {
			t.Errorf("%s: a smaller picture gives no error", net)
		}
	}
}

func TestValidateNamesField(t *testing.T) {
	if err := tiny(VGG).Validate(); err != nil {
		t.Error(err)
	}
	for field, c := range map[string]Config{"model_type": {"clip", VGG, 64}, "net": {ModelType, "squeeze", 64},
		"channels": {ModelType, Alex, 0}} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
