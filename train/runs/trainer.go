package runs

import (
	"context"
	"fmt"

	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/draw"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// Trainer does what studies need of training, but for charts.
type Trainer struct {
	Env       host.Env
	Arguments []string // of the program, for run.json
	// Explain gives the error of a training the hint that a study records.
	Explain func(error) error
}

// job has networks of its own: nothing that one training leaves on the device reaches another.
func (t Trainer) job(run configs.Run, folder string) (*Job, error) {
	domain, networks, err := configs.OpenNetworks(run.Domain)
	if err != nil {
		return nil, err
	}
	return &Job{Env: t.Env, Domain: domain, Networks: networks, Run: run, Folder: train.Folder(folder),
		Arguments: t.Arguments}, nil
}

// Sample completes the pairs of a run in a folder.
func (t Trainer) Sample(ctx context.Context, run configs.Run, folder string) error {
	j, err := t.job(run, "")
	if err != nil {
		return err
	}
	meta := pairsMeta(j.Networks, j.Domain.Name, run.Pairs)
	return Sample(ctx, j.Env, j.Networks, folder, meta, pairs.DefaultShardRows, run.Pairs.Rows)
}

// Train trains a run in a folder on the pairs in another. A finished training keeps no checkpoints.
func (t Trainer) Train(ctx context.Context, run configs.Run, folder, pairs string) error {
	j, err := t.job(run, folder)
	if err != nil {
		return err
	}
	j.Pairs = pairs
	if _, err := j.Train(ctx); err != nil {
		return t.Explain(err)
	}
	return j.Folder.RemoveCheckpoints()
}

// Left returns what the training of a run in a folder on the pairs in another takes still.
func (t Trainer) Left(run configs.Run, folder, pairs string) (Left, error) {
	j, err := t.job(run, folder)
	if err != nil {
		return Left{}, err
	}
	j.Pairs = pairs
	return j.Left()
}

// LastMapper names the folder of the last mapper of the run in a folder.
func (t Trainer) LastMapper(folder string) string { return train.Folder(folder).LastMapper() }

// Seconds returns the time that the training in a folder took, interruptions left out.
func (t Trainer) Seconds(folder string) (float64, error) {
	info, err := train.Folder(folder).ReadInfo()
	if err == nil && info == nil {
		err = fmt.Errorf("%s has no record of a training", folder)
	}
	if err != nil {
		return 0, err
	}
	return info.Seconds, nil
}

// OpenModel loads the best mapper of the run in a folder, or the domain's for "", and their prompts, unless they are
// not needed.
func (t Trainer) OpenModel(ctx context.Context, d *configs.Domain, n *pipeline.Networks, run string,
	noProjection bool) (draw.Model, error) {
	return OpenModel(ctx, d, n, Choice{Run: run, NoProjection: noProjection,
		Start: func() error { return t.Env.Start(n) }})
}
