package pipeline_test

import (
	"math"
	"slices"
	"testing"

	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

// scaled brings a row to the length √E, as embeddings have it.
func scaled(x []float64) []float32 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v * math.Sqrt(float64(len(x))/sum))
	}
	return out
}

// Eq. 11, computed here in float64, and what the pictures are made of when they keep nothing, z and w. α is 0, where the
// picture is the origin's, below 0 and beyond 1.
func TestManipulate(t *testing.T) {
	n, ctx := tiny(t), t.Context()
	const dim, zDim = pipelinetest.EmbedDim, pipelinetest.ZDim
	origin := pipeline.Origin{ImageEmbed: wave(dim, 1), TextEmbed: wave(dim, 2), Z: wave(zDim, 3)}
	target, alphas := wave(dim, 4), []float64{0, -0.5, 0.5, 1.75}
	var want []float32
	for _, alpha := range alphas {
		moved := make([]float64, dim)
		for i := range moved {
			moved[i] = float64(origin.ImageEmbed[i]) + alpha*(float64(target[i])-float64(origin.TextEmbed[i]))
		}
		want = append(want, scaled(moved)...)
	}
	request := pipeline.ManipulateRequest{
		Origin: origin, TextEmbed: target, Alphas: alphas,
		Synthesis: pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, TruncationPsi: 1},
	}
	manipulate := func(keep pipeline.Keep) pipeline.Manipulated {
		request.Keep = keep
		return must[pipeline.Manipulated](t)(n.Manipulate(ctx, request))
	}
	styles := func(z []float32) []float32 { return must[[]float32](t)(n.Styles(ctx, z, 1)) }
	mapped := must[[]float32](t)(n.MapToZ(ctx, want))
	at := must[[]float32](t)(n.MapToZ(ctx, origin.ImageEmbed))

	plain := manipulate(pipeline.KeepNothing)
	expectClose(t, "CIE_target", plain.ImageEmbeds, want, 1e-5)
	expectClose(t, "styles that keep nothing", plain.Styles, styles(mapped), 1e-5)
	expectClose(t, "pictures", plain.Images, must[[]float32](t)(n.Render(ctx, plain.Styles, request.Synthesis)), 1e-5)

	var z []float32
	for i, v := range mapped {
		z = append(z, origin.Z[i%zDim]+v-at[i%zDim])
	}
	expectClose(t, "styles that keep z", manipulate(pipeline.KeepZ).Styles, styles(z), 1e-4)

	own, first, w := styles(origin.Z), styles(at), styles(mapped)
	for i := range w {
		w[i] += own[i%len(own)] - first[i%len(own)]
	}
	expectClose(t, "styles that keep w", manipulate(pipeline.KeepW).Styles, w, 1e-4)

	request.Origin.Z = nil
	if _, err := n.Manipulate(ctx, request); err == nil {
		t.Error("w of an origin without z is kept")
	}
}

// The three origins: their embeddings, z and texts.
func TestOrigins(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles many programs")
	}
	n, ctx := tiny(t), t.Context()
	text, z := wave(pipelinetest.EmbedDim, 1), wave(pipelinetest.ZDim, 2)
	prompts := pipeline.Prompts{Text: wave(pipelinetest.EmbedDim, 3), Image: wave(pipelinetest.EmbedDim, 4)}
	synthesis := pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, TruncationPsi: 0.5}
	images := must[[]float32](t)(n.Render(ctx, must[[]float32](t)(n.Styles(ctx, z, 0.5)), synthesis))
	embed := must[[]float32](t)(n.EmbedImages(ctx, images, pipelinetest.Size, pipelinetest.Size))

	ofText := must[pipeline.Origin](t)(n.TextOrigin(ctx, text, &prompts, 1.5))
	expectClose(t, "text: CIE", ofText.ImageEmbed, must[[]float32](t)(n.Project(ctx, text, prompts, 1.5)), 1e-6)
	expectClose(t, "text: z", ofText.Z, must[[]float32](t)(n.MapToZ(ctx, ofText.ImageEmbed)), 1e-6)
	ofZ := must[pipeline.Origin](t)(n.ZOrigin(ctx, z, 7, text, synthesis))
	expectClose(t, "z: CIE", ofZ.ImageEmbed, embed, 1e-5)
	if !slices.Equal(ofZ.Z, z) || ofZ.Key != 7 || !slices.Equal(ofZ.TextEmbed, text) {
		t.Errorf("origin of z: %+v", ofZ)
	}
	ofPicture := must[pipeline.Origin](t)(n.PictureOrigin(ctx, images, pipelinetest.Size, pipelinetest.Size, text))
	expectClose(t, "picture: CIE", ofPicture.ImageEmbed, embed, 1e-5)
	if ofPicture.Z != nil {
		t.Error("the z of a picture is known")
	}
}

// The straight line in W: its ends are the pictures' own styles, bit by bit.
func TestInterpolate(t *testing.T) {
	n, ctx := tiny(t), t.Context()
	width := n.Generator.NumLayers() * pipelinetest.ZDim
	a := must[[]float32](t)(n.OriginStyles(ctx, pipeline.Origin{Z: wave(pipelinetest.ZDim, 1)}, 1))
	b := must[[]float32](t)(n.OriginStyles(ctx, pipeline.Origin{ImageEmbed: wave(pipelinetest.EmbedDim, 2)}, 0.5))
	expectClose(t, "styles of an embedding", b, must[[]float32](t)(n.Styles(ctx, must[[]float32](t)(n.MapToZ(ctx, wave(pipelinetest.EmbedDim, 2))), 0.5)), 1e-6)
	line := must[[]float32](t)(n.Interpolate(a, b, 5))
	if len(line) != 5*width || !slices.Equal(line[:width], a) || !slices.Equal(line[4*width:], b) {
		t.Error("the ends are not the pictures' own")
	}
	for step := range 5 {
		for i := range width {
			want := a[i] + (b[i]-a[i])*float32(step)/4
			if got := line[step*width+i]; math.Abs(float64(got-want)) > 1e-5 {
				t.Fatalf("step %d: %g, want %g", step, got, want)
			}
		}
	}
	if _, err := n.Interpolate(a, b, 1); err == nil {
		t.Error("one step is accepted")
	}
	if _, err := n.Interpolate(a, b[1:], 3); err == nil {
		t.Error("styles that lack a value are accepted")
	}
}

// SpreadZ keeps a z's length and turns it by the angle whose sine is the spread; each picture has its own z.
func TestSpread(t *testing.T) {
	const dim = 4000
	norm := func(x []float32) float64 {
		sum := 0.0
		for _, v := range x {
			sum += float64(v) * float64(v)
		}
		return math.Sqrt(sum)
	}
	z, random := wave(dim, 0), append(wave(dim, 1.5), wave(dim, 40)...) // nearly at right angles
	for i := range random {
		random[i] *= float32(math.Sin(float64(i*i))) * 5
	}
	out := pipeline.SpreadZ(z, random, dim, 0.6)
	for s := range 2 {
		row, dot := out[s*dim:(s+1)*dim], 0.0
		for i, v := range row {
			dot += float64(v) * float64(z[i])
		}
		if length := norm(row) / norm(z); math.Abs(length-1) > 0.03 {
			t.Errorf("length × %g", length)
		}
		if cosine := dot / norm(row) / norm(z); math.Abs(cosine-0.8) > 0.03 {
			t.Errorf("cosine %g, want about 0.8", cosine)
		}
	}
	if !slices.Equal(pipeline.SpreadZ(z, random, dim, 0)[dim:], z) {
		t.Error("spread 0 changes z")
	}

	n, ctx := tiny(t), t.Context()
	r := request(n, 7, 8)
	r.Spread = 0.5
	spread := must[pipeline.Generated](t)(n.Generate(ctx, r))
	want := pipeline.SpreadZ(spread.Z, r.RandomZ, pipelinetest.ZDim, 0.5)
	expectClose(t, "z of the pictures", spread.PictureZ, want, 0)
	expectClose(t, "pictures", spread.Images, must[[]float32](t)(n.Render(ctx, must[[]float32](t)(n.Styles(ctx, want, 1)), r.Synthesis)), 1e-5)
	if nntest.MaxAbs(t, spread.Images[:pixels], spread.Images[pixels:2*pixels]) < 1e-3 {
		t.Error("two seeds give one picture")
	}
	for _, wrong := range []float64{-0.1, 1.1, math.NaN()} {
		r.Spread = wrong
		if _, err := n.Generate(ctx, r); err == nil {
			t.Errorf("spread %g is accepted", wrong)
		}
	}
}
