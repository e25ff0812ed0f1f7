package studies

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/internal/share"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/pipeline"
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
		if w.judges.CLIP, err = pipeline.OpenCLIP(w.session.networks.Backend, folder); err != nil {
			return nil, fmt.Errorf("judge of domain %s: %w", s.domain, err)
		}
		w.judges.CLIPName = judgeName
	}
	if len(s.Show) > 0 {
		if w.show, err = w.session.networks.EmbedTexts(ctx, s.Show); err != nil {
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
	stages := w.stages(c.variant.Draw)
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

// stages are those of a cell's evaluation. Pictures take equally long with the same networks and ways of drawing.
func (s *Study) stages(d ablation.Draw) host.Stages {
	kind := fmt.Sprintf("generator=%.12s clip=%.12s classifier=%.12s judge=%v", s.networks["generator"],
		s.networks["clip"], s.networks["classifier"], s.judge != "")
	if d.BestOf != nil {
		kind += fmt.Sprintf(" best_of=%d", *d.BestOf)
	}
	if d.Refine > 0 {
		kind += fmt.Sprintf(" refine=%d", d.Refine)
	}
	if d.Retrieval != nil {
		kind += fmt.Sprintf(" retrieval=%+v", *d.Retrieval)
	}
	if d.Optimization != nil {
		kind += fmt.Sprintf(" optimization=%+v", *d.Optimization)
	}
	return host.Stages{Env: s.env, Kind: kind}
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
