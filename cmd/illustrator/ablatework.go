package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
	"illustrator/train/runs"
)

// samplePairs samples the study's pairs where they are needed and missing.
func (s *study) samplePairs(ctx context.Context) error {
	if s.pairs == "" || s.options.pairs != "" {
		return nil
	}
	session, err := s.readDomain(s.domain)
	if err != nil {
		return err
	}
	run, err := configs.RunOf(s.Study, s.Variants()[0], s.Seeds[0])
	if err != nil {
		return err
	}
	meta := runs.PairsMeta(session.networks, session.domain.Name, run.Pairs)
	return runs.Sample(ctx, s.Env(), session.networks, s.pairs, meta, pairs.DefaultShardRows, run.Pairs.Rows)
}

// mapper returns the folder of the run whose mapper a cell draws with, "" for the domain's own; it trains it first.
func (s *study) mapper(ctx context.Context, c cell) (train.Folder, error) {
	if !s.Train {
		return train.Folder(s.options.run), nil
	}
	run, err := configs.RunOf(s.Study, c.variant, c.seed)
	if err != nil {
		return "", err
	}
	if s.SharedStages > 0 {
		first, rest := run.Split(s.SharedStages)
		shared, err := s.training(ctx, "shared", first)
		if err != nil {
			return "", fmt.Errorf("shared stages: %w", err)
		}
		rest.Init = shared.LastMapper()
		run = rest
	}
	return s.training(ctx, c.variant.Name, run)
}

// training trains a run in a folder that its settings name, unless that is done. It has a session of its own: of what one
// training leaves on the device nothing reaches another.
func (s *study) training(ctx context.Context, name string, run configs.Run) (train.Folder, error) {
	text, err := run.YAML()
	if err != nil {
		return "", err
	}
	folder := train.Folder(filepath.Join(s.out, "trainings", fmt.Sprintf("%s-seed%d-%.6s", texts.Slug(name), run.Seed, checkpoints.SHA256(text))))
	_, err, _ = s.trainings.Do(string(folder), func() (any, error) {
		session, err := s.readDomain(s.domain)
		if err != nil {
			return nil, err
		}
		job := jobOf(s.globalOptions, session, run, string(folder))
		job.Pairs = s.pairs
		if _, err := job.Train(ctx); err != nil {
			return nil, err
		}
		return nil, folder.RemoveCheckpoints()
	})
	return folder, err
}

// worker does one cell after the other with networks of its own. What all cells share is made once.
type worker struct {
	*study
	session   *session
	embeds    *eval.TextEmbeds
	reference *eval.ReferenceFeatures
	show      []float32 // embeddings of the texts whose pictures are shown
	targets   []float32 // of all texts, and
	origin    []float32 // of what origins show, in a study of manipulations
}

func (s *study) newWorker(ctx context.Context) (*worker, error) {
	w := &worker{study: s}
	var err error
	if w.session, err = s.readDomain(s.domain); err != nil {
		return nil, err
	}
	if err := s.start(w.session); err != nil {
		return nil, err
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
		stages := host.Stages{Env: s.Env()}
		request.Progress = stages.Set
		w.reference, err = eval.NewReference(ctx, w.session.networks, request)
		stages.Done()
	}
	return w, err
}

// request is what the evaluations of all cells have in common.
func (w *worker) request() eval.Request {
	return eval.Request{
		Domain: w.session.domain.Name, Texts: w.texts, Metrics: w.Metrics, TextEmbeds: w.embeds,
		Reference: eval.Reference{Samples: w.ReferenceSamples, Keep: w.out, Features: w.reference},
	}
}

// measure trains a cell's mapper where that is not done, and judges its pictures.
func (w *worker) measure(ctx context.Context, c cell, info *cellInfo) error {
	folder, err := w.mapper(ctx, c)
	if err != nil {
		return err
	}
	info.Training = string(folder)
	if err := w.session.loadMapper(mapperOptions{run: string(folder)}); err != nil {
		return err
	}
	drawing, err := w.drawing(ctx, c, string(folder))
	if err != nil {
		return err
	}
	if w.Manipulate {
		return w.manipulate(ctx, c, drawing)
	}
	r := w.request()
	r.Seeds, r.Prompts, r.Alpha, r.InjectIndex, r.Synthesis = drawing.Seeds, drawing.Prompts, drawing.Alpha, drawing.InjectIndex, drawing.Synthesis
	r.Keep = c.folder
	stages := host.Stages{Env: w.Env()}
	r.Progress = stages.Set
	result, err := eval.Evaluate(ctx, w.session.networks, r)
	stages.Done()
	if err != nil {
		return err
	}
	if err := w.showPictures(ctx, c, drawing); err != nil {
		return err
	}
	return result.Write(c.folder)
}

// drawing is how a cell's pictures are drawn.
func (w *worker) drawing(ctx context.Context, c cell, run string) (pipeline.Request, error) {
	d, r := c.variant.Draw, pipeline.Request{Alpha: w.session.domain.Alpha, InjectIndex: c.variant.Draw.InjectIndex}
	r.Synthesis = pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, TruncationPsi: 1}
	if w.Pictures > 1 {
		r.NoiseMode = stylegan2.NoiseRandom
	}
	var err error
	if d.NoiseMode != "" {
		if r.NoiseMode, err = stylegan2.ParseNoiseMode(d.NoiseMode); err != nil {
			return r, err
		}
	}
	if d.Alpha != nil {
		r.Alpha = *d.Alpha
	}
	if d.TruncationPsi != nil {
		r.TruncationPsi = *d.TruncationPsi
	}
	for i := range w.Pictures {
		seed := c.seed*uint64(w.Pictures) + uint64(i)
		r.Seeds = append(r.Seeds, seed)
		r.RandomZ = append(r.RandomZ, seeds.Z(seed, w.session.networks.Generator.StyleDim)...)
	}
	if d.Projection == "" {
		r.Prompts, err = w.prompts(ctx, c, run)
	}
	return r, err
}

// prompts are those of the run, or of the domain, with the variant's in their place.
func (w *worker) prompts(ctx context.Context, c cell, run string) (*pipeline.Prompts, error) {
	stored, err := w.session.loadPrompts(run)
	if err != nil {
		return nil, err
	}
	p, d := stored.Prompts, c.variant.Draw
	if d.TextPrompt != nil {
		if p.Text, err = w.session.networks.EmbedTextPrompt(ctx, *d.TextPrompt); err != nil {
			return nil, err
		}
	}
	samples, err := d.Samples()
	if err != nil {
		return nil, err
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
	return &p, err
}

// sampledPrompt is eq. 4-7 over some of the study's pairs.
func (w *worker) sampledPrompt(samples int, random *rand.Rand) ([]float32, error) {
	set, err := pairs.Open(w.pairs)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	networks := w.session.networks
	if err := set.Check(pairs.Meta{CLIPSHA256: networks.Hashes["clip"], EmbedDim: networks.CLIP.ProjectionDim}); err != nil {
		return nil, err
	}
	if set.Len() < samples {
		return nil, fault.Usage(fmt.Errorf("an image prompt of %d samples needs as many pairs; %s has %d", samples, w.pairs, set.Len()), "sample more pairs, such as by --set pairs.rows=%d", samples)
	}
	rows := random.Perm(set.Len())[:samples]
	z, embeds := make([]float32, samples*networks.Generator.StyleDim), make([]float32, samples*networks.CLIP.ProjectionDim)
	if err := set.Read(rows, z, embeds); err != nil {
		return nil, err
	}
	return pairs.ImagePrompt(embeds, networks.CLIP.ProjectionDim)
}

// showPictures draws the texts that the report shows, the first picture of each.
func (w *worker) showPictures(ctx context.Context, c cell, r pipeline.Request) error {
	if len(w.Show) == 0 {
		return nil
	}
	r.TextEmbeds, r.Seeds, r.RandomZ = w.show, r.Seeds[:1], r.RandomZ[:w.session.networks.Generator.StyleDim]
	generated, err := w.session.networks.Generate(ctx, r)
	if err != nil {
		return err
	}
	return w.writeShown(c, generated.Images)
}

// writeShown writes the pictures [N,3,H,H] of the texts that the report shows.
func (w *worker) writeShown(c cell, images []float32) error {
	size := w.session.networks.Generator.Size
	drawings, err := pictures.Split(images, size, size)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.picture(0)), 0o777); err != nil {
		return err
	}
	for i, p := range drawings {
		if err := pictures.WritePNG(c.picture(i), p.Image(), []pictures.Meta{{Key: "Description", Value: w.Show[i]}, {Key: "Software", Value: version.Program()}}); err != nil {
			return err
		}
	}
	return nil
}
