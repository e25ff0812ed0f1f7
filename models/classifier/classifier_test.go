package classifier

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

func embedded(t *testing.T) (cfg Config, weights *checkpoints.Weights) {
	t.Helper()
	weights = nntest.Embedded(t, "embedded:lorelei/classifier", &cfg)
	return cfg, weights
}

// The logits equal PyTorch's to 1e-3 of values around 10, float32 sums in another order; the values seen are the same.
func TestLoreleiEqualsPyTorch(t *testing.T) {
	cfg, weights := embedded(t)
	store := model.NewStore()
	if err := Load(store.RootScope(), cfg, weights, dtypes.Float32); err != nil {
		t.Fatal(err)
	}
	pictures := nntest.Golden(t, "../stylegan2/testdata/lorelei.safetensors").Tensors["image"]
	images, err := pictures.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	out := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		logits := Build(scope, cfg, MulScalar(in[0], 1.1))
		return []*Node{logits, ConvertDType(Attributes(cfg, logits), dtypes.Float32)}
	}, tensors.FromFlatDataAndDimensions(images, pictures.Shape...))

	want := nntest.Golden(t, "testdata/lorelei.safetensors")
	logits, err := want.Tensors["logits"].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	if d := nntest.MaxAbs(t, out[0], logits); d > 1e-3 {
		t.Errorf("logits differ from PyTorch's by %g", d)
	}
	values := want.Tensors["values"]
	for i, got := range out[1] {
		if seen := int32(binary.LittleEndian.Uint32(values.Data[4*i:])); int32(got) != seen {
			t.Errorf("picture %d, %s: value %g, PyTorch sees %d", i/len(cfg.Attributes),
				cfg.Attributes[i%len(cfg.Attributes)].Name, got, seen)
		}
	}
}

func TestLoadNamesWrongTensor(t *testing.T) {
	cfg, weights := embedded(t)
	cfg.Attributes = cfg.Attributes[1:]
	err := Load(model.NewStore().RootScope(), cfg, weights, dtypes.Float32)
	if err == nil || !strings.Contains(err.Error(), `"18.bias" has shape [54]; expected [40]`) {
		t.Errorf("got %v", err)
	}
}

func TestValidateNamesField(t *testing.T) {
	good, _ := embedded(t)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Config){
		"model_type": func(c *Config) { c.ModelType = "clip" },
		"image_size": func(c *Config) { c.ImageSize = 0 },
		"attributes": func(c *Config) { c.Attributes = []Attribute{{Name: "hair", Values: []string{"bald"}}} },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
