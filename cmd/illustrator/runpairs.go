package main

import (
	"context"
	"errors"
	"fmt"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/stylegan2"
	"illustrator/train"
	"illustrator/train/sampling"
)

// pairsOf opens the run's pairs, those given by hand or those in its folder, which it samples where they are missing, and
// verifies every byte of them. need is the number of rows that the run takes from them at the least. The caller closes them.
func (o *globalOptions) pairsOf(ctx context.Context, s *session, run configs.Run, byHand, out string, need int) (*pairs.Set, error) {
	mode := stylegan2.NoiseMode(run.Pairs.NoiseMode)
	s.networks.Pictures = run.Pairs.Batch
	meta := sampling.Meta(s.networks, s.domain.Name, run.Pairs.Seed, mode, version.Program())
	folder := byHand
	if byHand == "" {
		folder = train.Folder(out).Pairs()
		if err := claimFolder(out, run); err != nil {
			return nil, err
		}
		if err := o.samplePairs(ctx, s, folder, meta, pairs.DefaultShardRows, run.Pairs.Rows); err != nil {
			return nil, err
		}
	} else {
		meta.NoiseMode = "" // such a set may have any
	}
	pairs, err := pairs.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := o.checkPairs(ctx, pairs, meta, need); err != nil {
		return nil, errors.Join(err, pairs.Close())
	}
	return pairs, claimFolder(out, run)
}

// validationPairs opens the set of pairs to validate on, nil where none is given. It shares no seed with the training's.
func (o *globalOptions) validationPairs(ctx context.Context, s *session, run configs.Run, set *pairs.Set, folder string) (*pairs.Set, error) {
	if folder == "" {
		return nil, nil
	}
	validation, err := pairs.Open(folder)
	if err != nil {
		return nil, err
	}
	meta := sampling.Meta(s.networks, s.domain.Name, 0, "", "")
	if err = o.checkPairs(ctx, validation, meta, run.Train.Validation.Rows); err == nil {
		err = pairs.Disjoint(set, validation)
	}
	if err != nil {
		return nil, errors.Join(err, validation.Close())
	}
	return validation, nil
}

// checkPairs returns an error unless the pairs fit the networks and the run, and are as they were written.
func (o *globalOptions) checkPairs(ctx context.Context, pairs *pairs.Set, want pairs.Meta, need int) error {
	if err := pairs.Check(want); err != nil {
		return err
	}
	if pairs.Len() < need {
		return fault.Usage(fmt.Errorf("pairs %q hold %d rows; validation and a batch need %d", pairs.Source, pairs.Len(), need),
			"sample more pairs, or lower train.validation.rows")
	}
	return o.verifyPairs(ctx, pairs)
}

// verifyPairs reads all pairs, with a progress bar.
func (o *globalOptions) verifyPairs(ctx context.Context, pairs *pairs.Set) error {
	bar := o.newVerifyProgress(pairs.Bytes())
	defer bar.Done()
	return pairs.Verify(ctx, bar.Set)
}

// verifyProgress shows how many bytes were read. It is nil for so few that they are read at once: a GiB takes a second or
// two.
type verifyProgress struct{ *terminal.Progress }

const mebibyte = 1 << 20

func (o *globalOptions) newVerifyProgress(bytes int64) *verifyProgress {
	if bytes < 256*mebibyte {
		return nil
	}
	return &verifyProgress{o.NewProgress("Verifying pairs (MiB)", int(bytes/mebibyte))}
}

func (v *verifyProgress) Set(bytes int64) {
	if v != nil {
		v.Progress.Set(int(bytes/mebibyte), "")
	}
}

func (v *verifyProgress) Done() {
	if v != nil {
		v.Progress.Done()
	}
}
