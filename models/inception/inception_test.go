package inception

import (
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

var tiny = Config{ModelType: ModelType, FeatureDim: 128}

// golden returns the narrow network's weights and its inputs and outputs by name.
func golden(t *testing.T) (*checkpoints.Weights, func(name string) ([]float32, *tensors.Tensor)) {
	t.Helper()
	all := nntest.Golden(t, "testdata/tiny.safetensors")
	w := &checkpoints.Weights{Source: all.Source, Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range all.Names() {
		if inner, ok := strings.CutPrefix(name, "weights."); ok {
			w.Tensors[inner] = all.Tensors[name]
		}
	}
	return w, func(name string) ([]float32, *tensors.Tensor) {
		values, err := all.Tensors[name].Float32s()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return values, tensors.FromFlatDataAndDimensions(values, all.Tensors[name].Shape...)
	}
}

// The features of pictures, some of them beyond [-1,1], equal torch-fidelity's. They are of the order of 1, and the
// sums of 94 layers in float32 come in another order: 1.4e-6 was measured. What implementations differ in is seen: an
// average pool that counts the padding is off by 0.4, an average in the last block by 0.2, a filter with a half-pixel
// offset by 0.16, pictures that aren't rounded to 8 bits or are normalised by 127.5 by 0.003.
func TestFeaturesEqualTorchFidelity(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles 94 convolutions")
	}
	weights, values := golden(t)
	store := model.NewStore()
	if err := Load(store.RootScope(), tiny, weights, dtypes.Float32); err != nil {
		t.Fatal(err)
	}
	_, images := values("images")
	got := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{Build(scope, tiny, Preprocess(in[0]))}
	}, images)[0]
	want, _ := values("features")
	if d := nntest.MaxAbs(t, got, want); d > 2e-5 {
		t.Errorf("features differ from torch-fidelity's by %g", d)
	}
}

// Three sizes, larger and smaller; positions are float32 in both, sums are of four numbers of the order of 1.
func TestResizeEqualsTorchFidelity(t *testing.T) {
	_, values := golden(t)
	for name, size := range map[string][2]int{"down": {9, 11}, "up": {13, 10}, "mixed": {10, 7}} {
		_, from := values("resize." + name + ".from")
		want, _ := values("resize." + name + ".to")
		got := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
			return []*Node{nn.TF1BilinearResize(in[0], size[0], size[1])}
		}, from)[0]
		if d := nntest.MaxAbs(t, got, want); d > 2e-6 {
			t.Errorf("%s differs by %g", name, d)
		}
	}
}

func TestLoadNamesWrongTensor(t *testing.T) {
	weights, _ := golden(t)
	cfg := tiny
	cfg.FeatureDim = FeatureDim
	if err := Load(model.NewStore().RootScope(), cfg, weights, dtypes.Float32); err == nil ||
		!strings.Contains(err.Error(), `"Conv2d_1a_3x3.bn.bias" has shape [2]; expected [32]`) {
		t.Errorf("got %v", err)
	}
}

func TestValidateNamesField(t *testing.T) {
	if err := tiny.Validate(); err != nil {
		t.Error(err)
	}
	for field, c := range map[string]Config{"model_type": {"clip", 2048}, "feature_dim": {ModelType, 1000}} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
