package draw

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"illustrator/checkpoints"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/internal/vectors"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

const pixels = 3 * pipelinetest.Size * pipelinetest.Size

func TestMain(m *testing.M) {
	nntest.CompileFast()
	os.Exit(m.Run())
}

// shared are two models of random weights. All tests share them and their compiled programs.
var shared = sync.OnceValues(func() ([]Model, error) {
	dir, err := os.MkdirTemp("", "draw-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		return nil, err
	}
	at := pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")}
	n, err := pipeline.Open(nil, at)
	if err != nil {
		return nil, err
	}
	if err := n.NeedFrozen(); err != nil { // before they are shared: the folder is removed
		return nil, err
	}
	models := []Model{
		{Name: "first", Domain: "tiny", Alpha: 1.5, Networks: n},
		{Name: "second", Domain: "tiny", Alpha: 1.5, Networks: n.Sharing(1)},
	}
	cfg := mapper.Config{
		ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: embedDim, ZDim: zDim, Width: 16, Blocks: 1, Layers: 2,
	}
	for i := range models {
		models[i].Prompts = pipeline.Prompts{Text: wave(embedDim, 20), Image: wave(embedDim, 21)}
		folder := filepath.Join(dir, models[i].Name)
		contents := checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, uint64(i))}
		if err := checkpoints.Write(folder, contents); err != nil {
			return nil, err
		}
		if err := models[i].LoadMapper(folder); err != nil {
			return nil, err
		}
	}
	return models, nil
})

func open(t *testing.T) []Model {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles networks; run without -short")
	}
	models, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	models[0].Backend = nntest.Backend(t) // the runner, which they share
	models[0].Shapes = []int{1, 8}
	return models
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func expectClose(t *testing.T, what string, got, want []float32, most float64) {
	t.Helper()
	if worst := nntest.MaxAbs(t, got, want); !(worst <= most) {
		t.Errorf("%s differs by %g", what, worst)
	}
}

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

func say(text string) texts.Text { return texts.Text{Text: text} }

// stages draws one recipe without an origin by the networks' own functions: to compare with.
func stages(t *testing.T, m Model, r Recipe) []float32 {
	t.Helper()
	ctx := t.Context()
	embeds, err := m.EmbedTexts(ctx, []string{r.Text.Text})
	if err != nil {
		t.Fatal(err)
	}
	if !r.NoProjection {
		embeds = must[[]float32](t)(m.Project(ctx, embeds, m.Prompts, r.Alpha))
	}
	z := must[[]float32](t)(m.MapToZ(ctx, embeds))
	if r.Spread > 0 {
		z = spreadZ(z, seeds.Z(r.Seed, zDim), r.Spread)
	}
	styles := must[[]float32](t)(m.Styles(ctx, z, r.TruncationPsi))
	if r.InjectIndex > 0 {
		copy(styles[:r.InjectIndex*zDim], must[[]float32](t)(m.Styles(ctx, seeds.Z(r.Seed, zDim), r.TruncationPsi)))
	}
	return must[[]float32](t)(m.Render(ctx, styles, pipeline.Synthesis{NoiseMode: r.noise(), Keys: []uint64{r.Seed}}))
}

// A batch of recipes of all kinds holds the pictures that the networks draw of each by itself: to 1e-4 in [-1,1], as
// batches of other sizes differ in float32's last digits.
func TestBatchEqualsTheStages(t *testing.T) {
	models := open(t)
	wizard, clown := say("a wizard with a hat"), say("a clown")
	plain := Recipe{Text: wizard, Seed: 3, Manner: Manner{Alpha: 1.5, TruncationPsi: 1}}
	styled := Recipe{Text: clown, Seed: 5, Score: true, Manner: Manner{Alpha: 1, TruncationPsi: 0.7, InjectIndex: 2}}
	recipes := []Recipe{
		plain, styled,
		{Text: wizard, Seed: 4, Manner: Manner{Alpha: 0.5, TruncationPsi: 1, Spread: 0.6}},
		{Text: wizard, Seed: 6, Manner: Manner{NoProjection: true, TruncationPsi: 1, NoiseMode: stylegan2.NoiseConst}},
		{Text: clown, Seed: 7, Model: 1, Manner: Manner{Alpha: 1, TruncationPsi: 1, NoiseMode: stylegan2.NoiseNone}},
	}
	got := must[[]*Picture](t)(Batch(t.Context(), models, pointers(recipes)))
	for i, p := range got {
		if r := recipes[i]; p.Recipe != &recipes[i] || p.Place != i || (p.Score != nil) != r.Score {
			t.Errorf("picture %d: %+v", i, p)
		}
		expectClose(t, "picture", p.Pixels, stages(t, models[recipes[i].Model], recipes[i]), 1e-4)
	}
	text, err := models[0].EmbedTexts(t.Context(), []string{clown.Text})
	if err != nil {
		t.Fatal(err)
	}
	embed := must[[]float32](t)(models[0].EmbedImages(t.Context(), got[1].Pixels, pipelinetest.Size, pipelinetest.Size))
	expectClose(t, "the picture's embedding", got[1].Embed, embed, 1e-4)
	if want := vectors.Cosine(text, embed); math.Abs(got[1].Score.CLIPSimilarity-want) > 1e-4 {
		t.Errorf("similarity %g, want %g", got[1].Score.CLIPSimilarity, want)
	}
}

// The way's ends are the pictures' own; between them lies what the styles' mean draws, with noise of its own.
func TestWay(t *testing.T) {
	models := open(t)
	m, ctx := models[0], t.Context()
	from := Recipe{Text: say("a wizard"), Seed: 5, Manner: Manner{Alpha: 1.5, TruncationPsi: 1}}
	to := Recipe{Z: wave(zDim, 3), Seed: 5, Manner: Manner{TruncationPsi: 0.5}}
	way := &Way{From: from, To: to}
	steps := way.Steps(3, 5)
	got := must[[]*Picture](t)(m.Draw(ctx, append(steps, from, to)...))
	expectClose(t, "the first end", got[0].Pixels, got[3].Pixels, 1e-4)
	expectClose(t, "the last end", got[2].Pixels, got[4].Pixels, 1e-4)
	styles := between(must[[]float32](t)(m.Styles(ctx, got[3].Z, 1)), must[[]float32](t)(m.Styles(ctx, to.Z, 0.5)), 0.5)
	synthesis := pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: []uint64{5}}
	want := must[[]float32](t)(m.Render(ctx, styles, synthesis))
	expectClose(t, "the middle", got[1].Pixels, want, 1e-4)
	a, b := wave(40, 1), wave(40, 2)
	if !slices.Equal(between(a, b, 0), a) || !slices.Equal(between(a, b, 1), b) {
		t.Error("the ends are not the styles' own bits")
	}
}

// Eq. 11, computed here in float64, and what the pictures are made of when they keep nothing, and w. Alpha is 0, where
// the picture is the origin's, below 0 and beyond 1; the origin's embedding is given, or that of pixels.
func TestManipulate(t *testing.T) {
	models := open(t)
	m, ctx := models[0], t.Context()
	wide := make([]float64, embedDim)
	for i, v := range wave(embedDim, 1) {
		wide[i] = float64(v)
	}
	origin := &Origin{ImageEmbed: scaled(wide), TextEmbed: wave(embedDim, 2), Z: wave(zDim, 3)}
	target, alphas := wave(embedDim, 4), []float64{0, -0.5, 0.5, 1.75}
	var want []float32
	for _, alpha := range alphas {
		moved := make([]float64, embedDim)
		for i := range moved {
			moved[i] = float64(origin.ImageEmbed[i]) + alpha*(float64(target[i])-float64(origin.TextEmbed[i]))
		}
		want = append(want, scaled(moved)...)
	}
	draw := func(keep Keep) []*Picture {
		o := *origin
		o.Keep = keep
		var recipes []Recipe
		for _, alpha := range alphas {
			r := o.Toward(texts.Text{}, Manner{Alpha: alpha, TruncationPsi: 1, NoiseMode: stylegan2.NoiseConst}, 0)
			r.TextEmbed = target
			recipes = append(recipes, r)
		}
		return must[[]*Picture](t)(m.Draw(ctx, recipes...))
	}
	styles := func(z []float32) []float32 { return must[[]float32](t)(m.Styles(ctx, z, 1)) }
	render := func(styles []float32) []float32 {
		return must[[]float32](t)(m.Render(ctx, styles, pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst}))
	}
	mapped, at := must[[]float32](t)(m.MapToZ(ctx, want)), must[[]float32](t)(m.MapToZ(ctx, origin.ImageEmbed))
	w := styles(mapped)
	plain := render(w)
	own, first := styles(origin.Z), styles(at)
	for i := range w {
		w[i] += own[i%len(own)] - first[i%len(own)]
	}
	kept := render(w)
	nothing, keeps := draw(KeepNothing), draw(KeepW)
	for i := range alphas {
		expectClose(t, "CIE_target", nothing[i].ImageEmbed, want[i*embedDim:(i+1)*embedDim], 1e-5)
		expectClose(t, "keep nothing", nothing[i].Pixels, row(plain, pixels, i), 1e-4)
		expectClose(t, "keep w", keeps[i].Pixels, row(kept, pixels, i), 1e-3)
	}
	expectClose(t, "alpha 0 keeps the origin", keeps[0].Pixels, render(own), 1e-3)
	origin.Z = nil
	unknown := &Origin{ImageEmbed: origin.ImageEmbed, TextEmbed: target, Keep: KeepW}
	if _, err := m.Draw(ctx, Recipe{TextEmbed: target, Origin: unknown}); err == nil {
		t.Error("w of an origin without z is kept")
	}
	pixelsOf := Recipe{TextEmbed: target, Manner: Manner{Alpha: 0.5, TruncationPsi: 1}}
	pixelsOf.Origin = &Origin{Text: "a clown", Pixels: plain[:pixels]}
	seen := must[[]*Picture](t)(m.Draw(ctx, pixelsOf))[0]
	embed := must[[]float32](t)(m.EmbedImages(ctx, plain[:pixels], pipelinetest.Size, pipelinetest.Size))
	given := pixelsOf
	given.Origin = &Origin{Text: "a clown", ImageEmbed: embed}
	expectClose(t, "an origin of pixels", must[[]*Picture](t)(m.Draw(ctx, given))[0].ImageEmbed, seen.ImageEmbed, 1e-4)
}

// The three sources: their embeddings, z and pictures.
func TestOrigins(t *testing.T) {
	models := open(t)
	m, ctx := models[0], t.Context()
	manner := Manner{Alpha: 1.5, TruncationPsi: 0.5, NoiseMode: stylegan2.NoiseConst}
	seed, text := uint64(7), say("a clown")
	embed := func(p []float32) []float32 {
		return must[[]float32](t)(m.EmbedImages(ctx, p, pipelinetest.Size, pipelinetest.Size))
	}
	check := func(o *Origin, p *Picture, err error) (*Origin, *Picture) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		expectClose(t, "the picture's embedding", p.Embed, embed(p.Pixels), 1e-4)
		return o, p
	}
	o, p := check(m.Origin(ctx, Source{Text: &text}, manner))
	want := must[[]*Picture](t)(m.Draw(ctx, Recipe{Text: text, Manner: manner}))[0]
	expectClose(t, "text: CIE", o.ImageEmbed, want.ImageEmbed, 1e-5)
	expectClose(t, "text: z", o.Z, want.Z, 1e-5)
	expectClose(t, "text: picture", p.Pixels, want.Pixels, 1e-4)
	o, p = check(m.Origin(ctx, Source{Seed: &seed}, manner))
	if !slices.Equal(o.Z, seeds.Z(seed, zDim)) || p.Recipe.Seed != seed {
		t.Errorf("origin of a seed: %+v", o)
	}
	expectClose(t, "seed: CIE", o.ImageEmbed, p.Embed, 0)
	other := pictures.Picture{Width: 9, Height: 20, Pixels: wave(3*9*20, 1)}.Image()
	o, p = check(m.Origin(ctx, Source{Image: other}, manner))
	size := m.Preprocessor.Size
	fit := must[[]float32](t)(m.EmbedImages(ctx, m.Preprocessor.Fit(other), size, size))
	expectClose(t, "picture: CIE", o.ImageEmbed, fit, 1e-5)
	if o.Z != nil || len(p.Pixels) != pixels {
		t.Errorf("origin of a picture: z %v, %d pixels", o.Z, len(p.Pixels))
	}
}

// spreadZ keeps a z's length and turns it by the angle whose sine is the spread.
func TestSpread(t *testing.T) {
	const dim = 4000
	z, random := wave(dim, 0), wave(dim, 40) // nearly at right angles
	for i := range random {
		random[i] *= float32(math.Sin(float64(i*i))) * 5
	}
	out := spreadZ(z, random, 0.6)
	if length := rms(out) / rms(z); math.Abs(length-1) > 0.03 {
		t.Errorf("length × %g", length)
	}
	if cosine := vectors.Cosine(out, z); math.Abs(cosine-0.8) > 0.03 {
		t.Errorf("cosine %g, want about 0.8", cosine)
	}
	if !slices.Equal(spreadZ(z, random, 0), z) {
		t.Error("spread 0 changes z")
	}
}

// Run draws what Batch draws, text by text; the same call gives the same bits, and nothing is compiled for a second
// text of its kind. With one at once a picture does not depend on the requests beside it.
func TestRun(t *testing.T) {
	models := open(t)
	models[0].Shapes = nil
	count, best := 2, 3
	plan := must[Plan](t)(models[0].Plan(Spec{Count: &count, BestOf: &best, Refine: 3}, DefaultLimits()))
	run := func(o Options, descriptions ...string) (got []*Picture) {
		t.Helper()
		var requests []Request
		for _, d := range descriptions {
			requests = append(requests, Request{Text: say(d), Plan: plan})
		}
		for p, err := range Run(t.Context(), models, requests, o) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p)
		}
		return got
	}
	var steps []Progress
	gains := NewGains(plan)
	three := []string{"a wizard", "a clown", "a king"}
	first := run(Options{AtOnce: 12, Progress: func(_ int, p *Progress) {
		if p != nil {
			steps = append(steps, *p)
		}
	}}, three...)
	if len(first) != 6 || len(steps) != 6 || steps[2] != (Progress{"refine", 12, 12}) {
		t.Fatalf("%d pictures, steps %v", len(first), steps)
	}
	for i, p := range first {
		gains.Add(p)
		r := p.Refined
		if p.Request != i/2 || p.Index != i%2 || len(p.Candidates) != 6 ||
			r == nil || r.Steps != 3 || r.Drawn != 5 || !(r.After.Total <= r.Before.Total) {
			t.Errorf("picture %d: %+v, refined %+v", i, p.Recipe, r)
		}
		again := *p.Recipe
		again.Offset, again.Refine = p.Offset, 0
		same := must[[]*Picture](t)(models[0].Draw(t.Context(), again))[0]
		expectClose(t, "the picture by its offset", same.Pixels, p.Pixels, 1e-3)
	}
	gains.Close()
	b := gains.BestOf
	if b.Of != 3 || b.Drawn != 18 || b.Before.Pictures != 18 || b.After.Pictures != 6 ||
		!(b.After.CLIPSimilarity > b.Before.CLIPSimilarity) {
		t.Errorf("best of: %+v", b)
	}
	if r := gains.Refined; r.Of != 3 || r.Drawn != 30 ||
		r.Before.CLIPSimilarity != b.After.CLIPSimilarity || !(*r.After.Semantic < *r.Before.Semantic) {
		t.Errorf("refined: %+v", r)
	}
	made := nntest.Programs()
	for i, p := range run(Options{AtOnce: 12}, three...) {
		if !slices.Equal(p.Pixels, first[i].Pixels) || p.Score.CLIPSimilarity != first[i].Score.CLIPSimilarity {
			t.Errorf("picture %d has other bits", i)
		}
	}
	if now := nntest.Programs(); now != made {
		t.Errorf("%d programs were made again", now-made)
	}
	plan = must[Plan](t)(models[0].Plan(Spec{}, DefaultLimits()))
	alone, beside := run(Options{AtOnce: 1}, three[1]), run(Options{AtOnce: 1}, three...)
	if !slices.Equal(alone[0].Pixels, beside[1].Pixels) || alone[0].Score != nil {
		t.Error("a picture depends on those beside it")
	}
	both := []Request{{Text: say("x"), Plan: plan}, {Text: say("y"), Plan: plan}}
	for range Run(t.Context(), models, both, Options{AtOnce: 1}) {
		break // the rest is not drawn, and nothing fails
	}
}

// Requests of other steps and noise modes are refined in one run, each as it is refined by itself: to 1e-3, as steps
// carry float32's last digits on.
func TestRunRefinesMixedRequests(t *testing.T) {
	models := open(t)
	models[0].Shapes = []int{1, 2}
	var requests []Request
	for i, s := range []Spec{{Refine: 2}, {Refine: 5}, {Refine: 3, Settings: Settings{NoiseMode: ConstNoise}}} {
		plan := must[Plan](t)(models[0].Plan(s, DefaultLimits()))
		requests = append(requests, Request{Text: say([]string{"a wizard", "a clown", "a king"}[i]), Plan: plan})
	}
	run := func(requests []Request) (pictures []*Picture) {
		t.Helper()
		for p, err := range Run(t.Context(), models, requests, Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			pictures = append(pictures, p)
		}
		return pictures
	}
	together := run(requests)
	for i, want := range []int{2, 5, 3} {
		alone := run(requests[i : i+1])[0]
		if together[i].Refined.Steps != want || together[i].Refined.Drawn != want+2 || together[i].Request != i {
			t.Errorf("request %d: %+v", i, together[i].Refined)
		}
		expectClose(t, "a refined picture", together[i].Pixels, alone.Pixels, 1e-3)
	}
}

// Errors end a run; a recipe that cannot be drawn is one.
func TestRunFails(t *testing.T) {
	models := open(t)
	plan := must[Plan](t)(models[0].Plan(Spec{}, DefaultLimits()))
	var got error
	for p, err := range Run(t.Context(), models, []Request{{Text: say(" "), Plan: plan}}, Options{}) {
		if p != nil {
			t.Error("an empty text is drawn")
		}
		got = errors.Join(got, err)
	}
	if got == nil {
		t.Error("no error")
	}
}
