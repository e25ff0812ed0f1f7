package clip

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

// goldenIDs returns an I32 tensor of a golden file.
func goldenIDs(t testing.TB, w *checkpoints.Weights, name string) [][]int32 {
	t.Helper()
	tensor := w.Tensors[name]
	if tensor.DType != checkpoints.I32 || len(tensor.Shape) != 2 {
		t.Fatalf("%s: %q has type %s and shape %v", w.Source, name, tensor.DType, tensor.Shape)
	}
	rows := make([][]int32, tensor.Shape[0])
	for i := range rows {
		for range tensor.Shape[1] {
			rows[i] = append(rows[i], int32(binary.LittleEndian.Uint32(tensor.Data)))
			tensor.Data = tensor.Data[4:]
		}
	}
	return rows
}

// embeds is a graph of text ids and pixel values to both embeddings, as float32.
func embeds(cfg Config) func(*model.Scope, []*graph.Node) []*graph.Node {
	return func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.ConvertDType(TextEmbeds(scope, cfg, in[0]), dtypes.Float32),
			graph.ConvertDType(ImageEmbeds(scope, cfg, in[1]), dtypes.Float32)}
	}
}

// The tolerances are for unit vectors: float32 sums in another order differ by some 1e-6 here; bfloat16 has 8 bits.
func TestTinyParity(t *testing.T) {
	for _, test := range []struct {
		dtype     dtypes.DType
		tolerance float64
	}{{dtypes.Float32, 1e-5}, {dtypes.BFloat16, 5e-2}} {
		cfg, store, want := tiny(t, test.dtype)
		got := nntest.Run(t, store, embeds(cfg), goldenIDs(t, want, "input_ids"), goldenTensor(t, want, "pixel_values"))
		for i, name := range []string{"text_embeds", "image_embeds"} {
			d := nntest.MaxAbs(t, normalised(got[i], cfg.ProjectionDim), normalised(golden(t, want, name), cfg.ProjectionDim))
			t.Logf("%s, %s: largest difference %.2g", test.dtype, name, d)
			if d > test.tolerance {
				t.Errorf("%s: %s differ by %g, allowed %g", test.dtype, name, d, test.tolerance)
			}
		}
	}
}

// A text is pooled at its first end token; with the legacy eos_token_id at its first largest id; without either at its
// end.
func TestEndOfText(t *testing.T) {
	ids := [][]int32{{8, 3, 5, 9, 5, 9}, {8, 5, 5, 5, 5, 5}, {1, 2, 3, 4, 3, 1}}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		right := endOfText(Config{Text: TextConfig{EOSTokenID: 5}}, in[0])
		legacy := endOfText(Config{Text: TextConfig{EOSTokenID: legacyEOS}}, in[0])
		return []*graph.Node{graph.ConvertDType(right, dtypes.Float32), graph.ConvertDType(legacy, dtypes.Float32)}
	}, ids)
	if !slices.Equal(out[0], []float32{2, 1, 5}) || !slices.Equal(out[1], []float32{3, 0, 3}) {
		t.Errorf("got places %v and legacy %v, want [2 1 5] and [3 0 3]", out[0], out[1])
	}
}

func TestImageGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the gradient of a network in float64")
	}
	for _, act := range []Activation{GELU, QuickGELU} {
		cfg, store, want := tiny(t, dtypes.Float64)
		cfg.Vision.HiddenAct = act
		x := wide(goldenTensor(t, want, "pixel_values"))
		nntest.CheckGradient(t, store, func(scope *model.Scope,
			x *graph.Node) *graph.Node {
			return ImageEmbeds(scope, cfg, x)
		}, x, 1e-5, 1e-6)
	}
}
