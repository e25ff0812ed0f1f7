package studies

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/eval/methods"
	"illustrator/internal/share"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// waiting says that another process makes what this one needs.
func (s *Study) waiting(held *share.HeldError) {
	s.env.Log.Info(fmt.Sprintf("waiting: %v", held))
}

// samplePairs samples the study's pairs where they are needed and missing.
func (s *Study) samplePairs(ctx context.Context) error {
	if s.pairs == "" || s.options.Pairs != "" {
		return nil
	}
	run, err := s.firstRun()
	if err != nil {
		return err
	}
	leases := share.NewFolder(filepath.Join(filepath.Dir(s.pairs), "leases")) // studies share pairs
	ctx, lease, err := leases.Wait(ctx, filepath.Base(s.pairs), s.waiting)
	if err != nil {
		return err
	}
	defer lease.Release()
	return s.options.Trainer.Sample(ctx, run, s.pairs)
}

// mapper returns the folder of the run whose mapper a cell draws with, "" for the domain's own; it trains it first.
func (s *Study) mapper(ctx context.Context, c cell) (string, error) {
	if !s.Train {
		return s.options.Run, nil
	}
	if !needsModel(c.variant.Draw) {
		return "", nil
	}
	run, err := configs.RunOf(s.Study, c.variant, c.seed)
	if err != nil {
		return "", err
	}
	if s.SharedStages > 0 {
		first, rest := run.Split(s.SharedStages)
		shared, err := s.training(ctx, sharedStages, first)
		if err != nil {
			return "", fmt.Errorf("shared stages: %w", err)
		}
		rest.Init = s.options.Trainer.LastMapper(shared)
		run = rest
	}
	return s.training(ctx, s.trainingName(c.variant), run)
}

// training trains a run in a folder that its settings name, unless that is done.
func (s *Study) training(ctx context.Context, name string, run configs.Run) (string, error) {
	folder, err := s.trainingFolder(name, run)
	if err != nil {
		return "", err
	}
	_, err, _ = s.trainings.Do(folder, func() (any, error) {
		ctx, lease, err := s.leases.Take(ctx, "training-"+filepath.Base(folder))
		if err != nil {
			return nil, err
		}
		defer lease.Release()
		return nil, s.options.Trainer.Train(ctx, run, folder, s.pairs)
	})
	return folder, err
}

// trainingName names the training of a variant by the first one that sets the same: they share it.
func (s *Study) trainingName(v ablation.Variant) string {
	for _, first := range s.Variants() {
		if first.Base == v.Base && slices.Equal(first.Set, v.Set) && needsModel(first.Draw) {
			return first.Name
		}
	}
	return v.Name
}

// trainingFolder names the folder of a training by its settings.
func (s *Study) trainingFolder(name string, run configs.Run) (string, error) {
	text, err := run.YAML()
	return filepath.Join(s.out, "trainings", fmt.Sprintf("%s-seed%d-%.6s", texts.Slug(name), run.Seed,
		checkpoints.SHA256(text))), err
}

// sharedStages names the training of the stages that all variants of a mapper share.
const sharedStages = "shared"

// sharedFolder returns the folder of the stages that a cell's training continues from, "" where it begins afresh.
func (s *Study) sharedFolder(c cell) (string, error) {
	if !s.Train || s.SharedStages == 0 {
		return "", nil
	}
	run, err := configs.RunOf(s.Study, c.variant, c.seed)
	if err != nil {
		return "", err
	}
	first, _ := run.Split(s.SharedStages)
	return s.trainingFolder(sharedStages, first)
}

// worker does one cell after the other with networks of its own. What all cells share is made once.
type worker struct {
	*Study
	session   *session
	judges    eval.Judges
	embeds    *eval.TextEmbeds
	reference *eval.ReferenceFeatures
	show      []float32 // embeddings of the texts whose pictures are shown
	targets   []float32 // of all texts, and
	origin    []float32 // of what origins show, in a study of manipulations
}

func (s *Study) newWorker(ctx context.Context) (*worker, error) {
	w := &worker{Study: s}
	var err error
	if w.session, err = openSession(s.domain); err != nil {
		return nil, err
	}
	if err := s.env.Start(w.session.networks); err != nil {
		return nil, err
	}
	if folder := w.session.domain.JudgeLocation(); folder != "" && !s.Manipulate {
		if w.judges.CLIP, err = pipeline.Open(w.session.networks.Backend, pipeline.Locations{CLIP: folder}); err != nil {
			return nil, fmt.Errorf("judge of domain %s: %w", s.domain, err)
		}
		w.judges.CLIPName = judgeName
	}
	if len(s.Show) > 0 {
		if w.show, _, err = w.session.networks.EmbedTexts(ctx, s.Show); err != nil {
			return nil, err
		}
	}
	if s.Manipulate {
		return w, w.embedTargets(ctx)
	}
	request := w.request()
	if w.embeds, err = eval.EmbedTexts(ctx, w.session.networks, request); err != nil {
		return nil, err
	}
	if request.ComparesSets() {
		ctx, lease, err := s.leases.Wait(ctx, "reference", s.waiting)
		if err != nil {
			return nil, err
		}
		defer lease.Release()
		stages := host.Stages{Env: s.env}
		request.Progress, request.Reference.Cache = stages.Set, featureCache(s.env)
		w.reference, err = eval.NewReference(ctx, w.session.networks, request)
		stages.Done()
		return w, err
	}
	return w, nil
}

// request returns the common settings of all cells' evaluations.
func (w *worker) request() eval.Request {
	return eval.Request{
		Domain: w.session.domain.Name, Texts: w.texts, Metrics: w.Metrics, TextEmbeds: w.embeds, Judges: w.judges,
		Reference: eval.Reference{Samples: w.ReferenceSamples, Keep: w.out, Features: w.reference},
	}
}

// measure trains a cell's mapper where that is not done, and judges its pictures.
func (w *worker) measure(ctx context.Context, c cell, info *cellInfo) error {
	folder, err := w.mapper(ctx, c)
	if err != nil {
		return err
	}
	info.Training = folder
	drawing, err := w.drawing(ctx, c, folder)
	if err != nil {
		return err
	}
	if w.Manipulate {
		return w.manipulate(ctx, c, drawing)
	}
	r := w.request()
	r.Seeds, r.Prompts, r.Manner = drawing.plan.Seeds, drawing.Prompts, drawing.plan.Manner
	r.Keep = c.folder
	meter, err := w.meter(c, drawing)
	if err != nil {
		return err
	}
	if r.Artist = drawing.artist; meter != nil {
		r.Artist = meter
	}
	stages := host.Stages{Env: w.env}
	r.Progress = stages.Set
	result, err := eval.Evaluate(ctx, w.session.networks, r)
	stages.Done()
	if err != nil {
		return err
	}
	if err := w.addCosts(c, meter, folder, result); err != nil {
		return err
	}
	if err := w.showPictures(ctx, c, drawing); err != nil {
		return err
	}
	return result.Write(c.folder)
}

// drawing says how a cell's pictures are drawn.
type drawing struct {
	draw.Model
	plan   draw.Plan
	artist methods.Artist // nil where the mapper alone draws
}

// drawing returns how a cell's pictures are drawn, with the mapper of a run, or of the domain, loaded.
func (w *worker) drawing(ctx context.Context, c cell, run string) (d drawing, err error) {
	d.Model = w.session.model()
	spec := w.drawSpec(c.variant, c.seed)
	if d.plan, err = d.Plan(spec, draw.DefaultLimits()); err != nil {
		return d, err
	}
	if !needsModel(c.variant.Draw) {
		d.artist, err = w.artist(ctx, c, d)
		return d, err
	}
	d.Model, err = w.options.Trainer.OpenModel(ctx, w.session.domain, w.session.networks, run, spec.NoProjection)
	if err == nil && !spec.NoProjection {
		d.Prompts, err = w.prompts(ctx, c, d.Prompts)
	}
	if err != nil {
		return d, err
	}
	d.artist, err = w.artist(ctx, c, d)
	return d, err
}

// drawSpec says what is drawn of each text by a variant and seed.
func (s *Study) drawSpec(variant ablation.Variant, seed uint64) draw.Spec {
	v := variant.Draw
	spec := draw.Spec{Settings: draw.Settings{
		Alpha: v.Alpha, TruncationPsi: v.TruncationPsi, NoProjection: v.Projection != "", NoiseMode: v.NoiseMode,
	}}
	if v.InjectIndex > 0 {
		spec.InjectIndex = &v.InjectIndex
	}
	spec.Spread = v.Spread
	if spec.NoiseMode == "" && s.Pictures == 1 {
		spec.NoiseMode = stylegan2.NoiseConst
	}
	for i := range s.Pictures {
		spec.Seeds = append(spec.Seeds, seed*uint64(s.Pictures)+uint64(i))
	}
	return spec
}

// prompts replaces those of p that the variant has of its own.
func (w *worker) prompts(ctx context.Context, c cell, p pipeline.Prompts) (_ pipeline.Prompts, err error) {
	d := c.variant.Draw
	if d.TextPrompt != nil {
		if p.Text, err = w.session.networks.EmbedTextPrompt(ctx, *d.TextPrompt); err != nil {
			return p, err
		}
	}
	samples, err := d.Samples()
	if err != nil {
		return p, err
	}
	random := rand.New(rand.NewPCG(c.seed, 3))
	switch {
	case samples > 0:
		p.Image, err = w.sampledPrompt(samples, random)
	case d.ImagePrompt == ablation.NoisePrompt:
		size := w.session.networks.Generator.Size
		pixels := make([]float32, 3*size*size)
		for i := range pixels {
			pixels[i] = 2*random.Float32() - 1
		}
		p.Image, err = w.session.networks.EmbedImages(ctx, pixels, size, size)
	}
	return p, err
}

// sampledPrompt is eq. 4-7 over some of the study's pairs.
func (w *worker) sampledPrompt(samples int, random *rand.Rand) ([]float32, error) {
	set, err := w.openPairs(samples, "an image prompt of %d samples")
	if err != nil {
		return nil, err
	}
	defer set.Close()
	networks := w.session.networks
	rows := random.Perm(set.Len())[:samples]
	z, embeds := make([]float32, samples*networks.Generator.StyleDim), make([]float32, samples*networks.CLIP.ProjectionDim)
	if err := set.Read(rows, z, embeds); err != nil {
		return nil, err
	}
	return pairs.ImagePrompt(embeds, networks.CLIP.ProjectionDim)
}

// showPictures draws the texts that the report shows, the first picture of each.
func (w *worker) showPictures(ctx context.Context, c cell, d drawing) error {
	if len(w.Show) == 0 {
		return nil
	}
	recipes := make([]draw.Recipe, len(w.Show))
	for i := range recipes {
		recipes[i] = draw.Recipe{
			Text: texts.Text{Text: w.Show[i]}, TextEmbed: w.shown(i), Manner: d.plan.Manner, Seed: d.plan.Seeds[0],
		}
	}
	artist := eval.Artist(d.Model)
	if d.artist != nil {
		artist = d.artist
	}
	results, err := artist.Draw(ctx, recipes...)
	if err != nil {
		return err
	}
	return w.writeShown(c, results)
}

// shown is the embedding [E] of a text that the report shows.
func (w *worker) shown(i int) []float32 {
	dim := w.session.networks.CLIP.ProjectionDim
	return w.show[i*dim : (i+1)*dim]
}

// writeShown writes the pictures of the texts that the report shows.
func (w *worker) writeShown(c cell, results []*draw.Picture) error {
	if err := os.MkdirAll(filepath.Dir(c.picture(0)), 0o777); err != nil {
		return err
	}
	for i, p := range results {
		meta := []pictures.Meta{{Key: "Description", Value: w.Show[i]}, {Key: "Software", Value: version.Program()}}
		if err := pictures.WritePNG(c.picture(i), w.session.model().Image(p), meta); err != nil {
			return err
		}
	}
	return nil
}
