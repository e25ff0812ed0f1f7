package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// pairsOf reads the run's pairs, in its folder or those given by hand, and samples them first if there are none.
func (o *globalOptions) pairsOf(ctx context.Context, s *session, run configs.Run, path, out string) (*data.Pairs, string, error) {
	mode := stylegan2.NoiseMode(run.Pairs.NoiseMode)
	want := data.SampleOptions{Domain: s.domain.Name, NoiseMode: mode}.Meta(s.networks)
	byHand := path != ""
	if byHand {
		want.NoiseMode = "" // such a file may have any
	} else {
		path = filepath.Join(out, pairsFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := claimFolder(out, run); err != nil {
				return nil, "", err
			}
			if err := o.samplePairs(ctx, s, path, run.Pairs.Rows, run.Seed, mode); err != nil {
				return nil, "", err
			}
		}
	}
	pairs, err := data.ReadPairs(path)
	if err == nil {
		err = pairs.Check(want)
	}
	if err != nil {
		return nil, "", err
	}
	if need := run.Train.Validation.Rows + run.Train.Batch; byHand && pairs.Len() <= need {
		return nil, "", fault.Usage(fmt.Errorf("pairs %q hold %d rows; %d for validation and a batch need more than %d", path, pairs.Len(), run.Train.Validation.Rows, need),
			"sample more pairs, or lower train.validation.rows")
	}
	if !byHand && (pairs.Len() != run.Pairs.Rows || pairs.Meta.Seed != run.Seed) {
		return nil, "", fault.Hint(fmt.Errorf("pairs %q hold %d rows from seed %d; the run wants %d from seed %d", path, pairs.Len(), pairs.Meta.Seed, run.Pairs.Rows, run.Seed),
			"remove the file to have them sampled again, or name it with --pairs to use it as it is")
	}
	return pairs, path, claimFolder(out, run)
}
