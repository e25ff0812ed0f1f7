package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// pairsOf opens the run's pairs, those given by hand or those in its folder, which it samples where they are missing, and
// verifies every byte of them. The caller closes them.
func (o *globalOptions) pairsOf(ctx context.Context, s *session, run configs.Run, byHand, out string) (*data.Pairs, error) {
	mode := stylegan2.NoiseMode(run.Pairs.NoiseMode)
	meta := data.SampledMeta(s.networks, s.domain.Name, run.Seed, mode, createdBy())
	folder := byHand
	if byHand == "" {
		folder = filepath.Join(out, pairsFolder)
		if err := claimFolder(out, run); err != nil {
			return nil, err
		}
		if err := o.samplePairs(ctx, s, folder, meta, data.DefaultShardRows, run.Pairs.Rows); err != nil {
			return nil, err
		}
	} else {
		meta.NoiseMode = "" // such a set may have any
	}
	pairs, err := data.OpenPairs(folder)
	if err != nil {
		return nil, err
	}
	if err := o.checkPairs(ctx, pairs, meta, run); err != nil {
		return nil, errors.Join(err, pairs.Close())
	}
	return pairs, claimFolder(out, run)
}

// checkPairs returns an error unless the pairs fit the networks and the run, and are as they were written.
func (o *globalOptions) checkPairs(ctx context.Context, pairs *data.Pairs, want data.PairsMeta, run configs.Run) error {
	if err := pairs.Check(want); err != nil {
		return err
	}
	if need := run.Train.Validation.Rows + run.Train.Batch; pairs.Len() <= need {
		return fault.Usage(fmt.Errorf("pairs %q hold %d rows; %d for validation and a batch need more than %d", pairs.Source, pairs.Len(), run.Train.Validation.Rows, need),
			"sample more pairs, or lower train.validation.rows")
	}
	return o.verifyPairs(ctx, pairs)
}

// verifyPairs reads all pairs, with a progress bar where that takes a while: a GiB is a second or two.
func (o *globalOptions) verifyPairs(ctx context.Context, pairs *data.Pairs) error {
	const mebibyte = 1 << 20
	if pairs.Bytes() < 256*mebibyte {
		return pairs.Verify(ctx, nil)
	}
	bar := o.newProgress("Verifying pairs (MiB)", int(pairs.Bytes()/mebibyte))
	defer bar.Done()
	return pairs.Verify(ctx, func(bytes int64) { bar.Set(int(bytes/mebibyte), "") })
}
