package pairs

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/pytools"
)

func releasedMeta() Meta {
	return Meta{Domain: "cats", Seed: ReleasedSeed, GeneratorSHA256: "aa", CLIPSHA256: "bb", NoiseMode: "random",
		Preprocessing: "area", DType: "float32",
		Batch: 15, ZDim: 3, EmbedDim: 4, CreatedBy: "test"}
}

// What PyTorch wrote in the official release's form becomes a set of the same rows, and the set that file again.
func TestReleasedPairs(t *testing.T) {
	folder, written := filepath.Join(t.TempDir(), "set"), filepath.Join(t.TempDir(), "pairs.pth")
	rows, err := ImportReleased(t.Context(), "testdata/released.pth", folder, releasedMeta(), 2)
	if err != nil || rows != 5 {
		t.Fatal(rows, err)
	}
	set, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	f, err := checkpoints.ReadTorch("testdata/released.pth")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := f.Weights("")
	if err != nil {
		t.Fatal(err)
	}
	z, embeds := make([]float32, 15), make([]float32, 20)
	if err := set.Read([]int{0, 1, 2, 3, 4}, z, embeds); err != nil {
		t.Fatal(err)
	}
	same := func(name string, got []float32) {
		t.Helper()
		values, err := want.Tensors[name].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if got[i] != v {
				t.Fatalf("%s: value %d is %g, want %g", name, i, got[i], v)
			}
		}
	}
	same(checkpoints.ReleasedZ, z)
	same(checkpoints.ReleasedEmbeds, embeds)
	if err := set.ExportReleased(t.Context(), written, nil); err != nil {
		t.Fatal(err)
	}
	again, err := checkpoints.ReadTorch(written)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for name := range want.Tensors {
		x, err := again.Tensor(name)
		if err != nil || string(x.Data) != string(want.Tensors[name].Data) {
			t.Errorf("%s is written otherwise: %v", name, err)
		}
	}
	if _, err := ImportReleased(t.Context(), "testdata/released.pth", folder, releasedMeta(), 2); err == nil ||
		!fault.IsUsage(err) {
		t.Errorf("into a set: %v", err)
	}
	pytools.RunTorch(t, "testdata/released.py", written)
}

func TestReleasedPairsRefuse(t *testing.T) {
	file := func(z, e checkpoints.Tensor) string {
		path := filepath.Join(t.TempDir(), "p.pth")
		if err := checkpoints.WriteTorch(path, []checkpoints.TorchEntry{z.Entry(checkpoints.ReleasedZ),
			e.Entry(checkpoints.ReleasedEmbeds)}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	z, ones := checkpoints.Float32Tensor(make([]float32, 6), 2, 3),
		checkpoints.Float32Tensor([]float32{1, 0, 0, 0, 0, 3, 0, 0}, 2, 4)
	for want, path := range map[string]string{
		"row 1 of CLIP_latent has length 0": file(z, checkpoints.Float32Tensor([]float32{1, 0, 0, 0, 0, 0, 0, 0}, 2, 4)),
		"row 0 of CLIP_latent has length NaN": file(z,
			checkpoints.Float32Tensor([]float32{float32(math.NaN()), 0, 0, 0, 0, 0, 0, 1}, 2, 4)),
		"CLIP_latent has shape [1 4]":          file(z, checkpoints.Float32Tensor(make([]float32, 4), 1, 4)),
		"Style_latent has shape [3 2]":         file(checkpoints.Float32Tensor(make([]float32, 6), 3, 2), ones),
		`entry "Style_latent" is not a tensor`: "../../checkpoints/testdata/tensor.pth",
	} {
		folder := filepath.Join(t.TempDir(), "set")
		if _, err := ImportReleased(t.Context(), path, folder, releasedMeta(), 2); err == nil ||
			!strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("got %v, want %q", err, want)
		}
		if _, err := Open(folder); err == nil {
			t.Errorf("%s: a set is left", want)
		}
	}
	folder := filepath.Join(t.TempDir(), "set")
	if _, err := ImportReleased(t.Context(), file(z, ones), folder, releasedMeta(), 2); err != nil {
		t.Fatal(err)
	}
	set, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	got := make([]float32, 8)
	if err := set.Read([]int{0, 1}, make([]float32, 6), got); err != nil || got[0] != 2 || got[5] != 2 {
		t.Errorf("embeddings of another length: %v, %v", got, err)
	}
}
