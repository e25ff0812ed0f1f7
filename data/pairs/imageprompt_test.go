package pairs

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

// unitRow scales a row to length 1.
func unitRow(row []float64) []float64 {
	sum := 0.0
	for _, v := range row {
		sum += v * v
	}
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = v / math.Sqrt(sum)
	}
	return out
}

func meanCosine(rows [][]float64, y []float64) float64 {
	sum := 0.0
	for _, row := range rows {
		for i := range row {
			sum += row[i] * y[i]
		}
	}
	return sum / float64(len(rows))
}

// Eq. 4-7: of all unit vectors the image prompt has the largest mean cosine with the embeddings.
func TestImagePromptMaximisesMeanCosine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(2, 12).Draw(t, "dim")
		vector := rapid.SliceOfN(rapid.Float64Range(-1, 1), dim, dim).Filter(func(v []float64) bool {
			return slices.ContainsFunc(v, func(x float64) bool { return math.Abs(x) > 0.01 })
		})
		var rows [][]float64
		var flat []float32
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			row := unitRow(vector.Draw(t, "x"))
			rows = append(rows, row)
			for _, v := range row {
				flat = append(flat, float32(v*math.Sqrt(float64(dim))))
			}
		}
		prompt, err := ImagePrompt(flat, dim)
		if err != nil {
			t.Skip("no direction")
		}
		wide := make([]float64, dim)
		length := 0.0
		for i, v := range prompt {
			wide[i] = float64(v)
			length += wide[i] * wide[i]
		}
		if math.Abs(length-float64(dim)) > 1e-4*float64(dim) {
			t.Fatalf("length² %g, want %d", length, dim)
		}
		best := meanCosine(rows, unitRow(wide))
		other := unitRow(vector.Draw(t, "y"))
		nudged := make([]float64, dim)
		for i := range nudged {
			nudged[i] = wide[i]/math.Sqrt(length) + 0.05*other[i]
		}
		for name, y := range map[string][]float64{"another": other, "a near one": unitRow(nudged)} {
			if c := meanCosine(rows, y); c > best+1e-6 {
				t.Fatalf("%s has mean cosine %g, the prompt %g", name, c, best)
			}
		}
	})
}

// The prompt of the golden pictures' embeddings, to the project's 1e-4 of a unit vector.
func TestImagePromptEqualsPyTorch(t *testing.T) {
	w, err := checkpoints.ReadSafetensors("../../models/clip/testdata/lorelei_goldens.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	values := func(name string) []float32 {
		v, err := w.Tensors[name].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const dim = 128
	got, err := ImagePrompt(values("image_embeds"), dim)
	if err != nil {
		t.Fatal(err)
	}
	if d := nntest.MaxAbs(t, got, values("image_prompt")) / math.Sqrt(dim); d > 1e-4 {
		t.Errorf("differs by %g of a unit vector", d)
	}
}

func TestImagePromptWithoutDirection(t *testing.T) {
	for name, embeds := range map[string][]float32{
		"none": nil, "opposite": {1, 2, -1, -2}, "NaN": {float32(math.NaN()), 1}, "infinite": {float32(math.Inf(1)), 1},
	} {
		if prompt, err := ImagePrompt(embeds, 2); err == nil || !strings.Contains(err.Error(), "no direction") {
			t.Errorf("%s: %v, %v", name, prompt, err)
		}
	}
}
