package pipeline

import (
	"path/filepath"
	"testing"

	"illustrator/checkpoints"
	"illustrator/models/clip"
	"illustrator/models/nn/nntest"
	"illustrator/models/stylegan2"
)

// go test ./models/pipeline -run - -bench OpenFullSize -benchtime 5x
//
// How long it takes to open StyleGAN2 of 1024 pixels and ViT-B/32 until both can be computed with, from folders of 740
// MB in the system's cache: their SHA-256 is computed each time.
func BenchmarkOpenFullSize(b *testing.B) {
	backend := nntest.Backend(b)
	generator := stylegan2.Config{ModelType: stylegan2.ModelType, Size: 1024, StyleDim: 512, NMLP: 8, LRMLP: 0.01,
		ColorOrder: "RGB",
		Channels:   map[int]int{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}}
	vit, err := clip.DecodeConfig([]byte(`{"model_type": "clip"}`))
	if err != nil {
		b.Fatal(err)
	}
	own, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		b.Fatal(err)
	}
	_, tokenizer, err := clip.Open(own)
	if err != nil {
		b.Fatal(err)
	}
	vit.Text.EOSTokenID = int(tokenizer.EndID())
	files := map[string][]byte{}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		if files[name], err = own.ReadFile(name); err != nil {
			b.Fatal(err)
		}
	}
	dir := b.TempDir()
	write := func(name string, config any, shapes checkpoints.Shapes, files map[string][]byte) string {
		w := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
		for tensor, shape := range shapes {
			t := checkpoints.Tensor{DType: checkpoints.F32, Shape: shape}
			t.Data = make([]byte, 4*t.Elements())
			w.Tensors[tensor] = t
		}
		path := filepath.Join(dir, name)
		if err := checkpoints.Write(path, checkpoints.Contents{Config: config, Weights: w, Files: files}); err != nil {
			b.Fatal(err)
		}
		return path
	}
	at := Locations{Generator: write("generator", generator, generator.Shapes(), nil),
		CLIP: write("clip", vit, vit.Shapes(), files)}
	for b.Loop() {
		n, err := Open(backend, at)
		if err == nil {
			err = n.NeedFrozen()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
