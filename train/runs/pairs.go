package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/train/sampling"
)

// pairsMeta describes the pairs that a run samples with networks of a domain. It sets the batch of n.
func pairsMeta(n *pipeline.Networks, domain string, p configs.Pairs) pairs.Meta {
	n.Pictures = p.Batch
	meta := sampling.Meta(n, domain, p.Seed, p.NoiseMode, version.Program())
	meta.DType = p.Precision.String()
	return meta
}

// openPairs opens the run's pairs, the given ones or those in its folder, which it samples where they are missing, and
// verifies every byte of them. The caller closes them.
func (j *Job) openPairs(ctx context.Context) (*pairs.Set, error) {
	meta, folder := pairsMeta(j.Networks, j.Domain.Name, j.Run.Pairs), j.Pairs
	if folder == "" {
		folder = j.Folder.Pairs()
		if err := claim(j.Folder, j.Run); err != nil {
			return nil, err
		}
		parts, err := j.parts(0)
		if err != nil {
			return nil, err
		}
		env := j.Env
		env.Then = slices.Concat(parts, env.Then)
		if err := Sample(ctx, env, j.Networks, folder, meta, pairs.DefaultShardRows, j.Run.Pairs.Rows); err != nil {
			return nil, err
		}
	} else {
		meta.NoiseMode = "" // such a set may have any
	}
	set, err := j.openSet(ctx, folder, meta)
	if err != nil {
		return nil, err
	}
	return set, claim(j.Folder, j.Run)
}

// openSet opens the pairs to train on and verifies them.
func (j *Job) openSet(ctx context.Context, folder string, meta pairs.Meta) (*pairs.Set, error) {
	need := j.Run.Train.Batch
	if j.ValidationPairs == "" {
		need += j.Run.Train.Validation.Rows
	}
	set, err := pairs.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := j.checkPairs(ctx, set, meta, need); err != nil {
		return nil, errors.Join(err, set.Close())
	}
	return set, nil
}

// openValidation opens the set of pairs to validate on, nil where none is given. It shares no seed with those to train
// on.
func (j *Job) openValidation(ctx context.Context, trainedOn string, seeds []pairs.SeedRange) (*pairs.Set, error) {
	if j.ValidationPairs == "" {
		return nil, nil
	}
	validation, err := pairs.Open(j.ValidationPairs)
	if err != nil {
		return nil, err
	}
	meta := sampling.Meta(j.Networks, j.Domain.Name, 0, "", "")
	if err = j.checkPairs(ctx, validation, meta, j.Run.Train.Validation.Rows); err == nil {
		err = validation.Disjoint(trainedOn, seeds)
	}
	if err != nil {
		return nil, errors.Join(err, validation.Close())
	}
	return validation, nil
}

// checkPairs returns an error unless the pairs fit the networks and the run, and are unchanged since they were written.
func (j *Job) checkPairs(ctx context.Context, set *pairs.Set, want pairs.Meta, need int) error {
	if err := set.Check(want); err != nil {
		return err
	}
	if set.Len() < need {
		return fault.Usage(fmt.Errorf("pairs %q hold %d rows; validation and a batch need %d", set.Source, set.Len(), need),
			"sample more pairs, or lower train.validation.rows")
	}
	bar := newVerifyProgress(j.Env, set.Bytes())
	defer bar.Done()
	return set.Verify(ctx, bar.Set)
}

// Verify reads all of a set and returns its number of rows and what is damaged.
func Verify(ctx context.Context, env host.Env, folder string) (rows int, bad []pairs.BadShard, err error) {
	var bar *verifyProgress
	rows, bad, err = pairs.Verify(ctx, folder, func(bytes, all int64) {
		if bar == nil {
			bar = newVerifyProgress(env, all)
		}
		bar.Set(bytes)
	})
	bar.Done()
	return rows, bad, err
}

// verifyProgress shows how many bytes were read. It is nil for few bytes, which are read at once: a GiB takes a second
// or two.
type verifyProgress struct{ host.Progress }

const mebibyte = 1 << 20

func newVerifyProgress(env host.Env, bytes int64) *verifyProgress {
	if bytes < 256*mebibyte {
		return nil
	}
	return &verifyProgress{env.Progress("Verifying pairs (MiB)", int(bytes/mebibyte))}
}

// Set says how many bytes are read.
func (v *verifyProgress) Set(bytes int64) {
	if v != nil {
		v.Progress.Set(int(bytes/mebibyte), "")
	}
}

// Done ends the progress.
func (v *verifyProgress) Done() {
	if v != nil {
		v.Progress.Done()
	}
}

// Sample completes the set in folder to rows rows. Where nothing is missing, no device is started.
func Sample(
	ctx context.Context,
	env host.Env,
	n *pipeline.Networks,
	folder string,
	meta pairs.Meta,
	shardRows, rows int,
) (err error) {
	if n.Pictures == 0 { // a set is completed in its own batch: earlier versions took other ones by default
		if set, err := pairs.Open(folder); err == nil {
			if there := set.Meta.Batch; there >= 1 && there <= configs.MaxPairsBatch {
				n.Pictures, meta.Batch = there, there
			}
			if err := set.Close(); err != nil {
				return err
			}
		}
	}
	w, err := pairs.OpenWriter(folder, meta, shardRows)
	if err != nil {
		return err
	}
	defer func() {
		if closed := w.Close(); err == nil {
			err = closed
		}
	}()
	w.WarnUnlocked(env.Log)
	missing, err := w.Missing(rows)
	if len(missing) == 0 || err != nil {
		return err
	}
	if err := env.Start(n); err != nil {
		return err
	}
	if w.Rows() > 0 {
		env.Log.Info(fmt.Sprintf("%d of %d pairs are in %s", w.Rows(), rows, folder))
	}
	bar := env.Stage("Sampling pairs", samplingPart(meta, rows-w.Rows()))
	defer bar.Done()
	err = sampling.Pairs(ctx, n, w, rows, func(done int) { bar.Set(done, "") })
	if cause := context.Cause(ctx); cause != nil && err == cause {
		return fault.Hint(fmt.Errorf("%d of %d pairs are in %q", w.Rows(), rows, folder),
			"the same command resumes from there")
	}
	return err
}
