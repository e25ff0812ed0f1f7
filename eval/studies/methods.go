package studies

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"illustrator/data/pairs"
	"illustrator/eval"
	"illustrator/eval/ablation"
	"illustrator/eval/methods"
	"illustrator/internal/fault"
)

// needsModel reports whether a drawing needs a mapper, or the prompts that come with one.
func needsModel(d ablation.Draw) bool { return d.Maps() || d.Projection == "" }

// artist returns what draws a cell's pictures; nil where the mapper alone does.
func (w *worker) artist(ctx context.Context, c cell, d drawing) (methods.Artist, error) {
	switch of := c.variant.Draw; {
	case of.Retrieval != nil:
		return w.retriever(c, d)
	case of.Optimization != nil:
		return methods.Optimizer{Model: d.Model, Optimization: *of.Optimization}, nil
	case of.Chooses():
		spec := w.drawSpec(c.variant, c.seed)
		spec.Seeds, spec.BestOf, spec.Refine = nil, of.BestOf, of.Refine
		return methods.Chosen{Model: d.Model, Spec: spec}, nil
	}
	return nil, nil
}

// retriever reads the pairs that a cell chooses from, other ones for each seed.
func (w *worker) retriever(c cell, d drawing) (methods.Artist, error) {
	n := c.variant.Draw.Retrieval.Pairs
	set, err := w.openPairs(n, "retrieval from %d pairs")
	if err != nil {
		return nil, err
	}
	defer set.Close()
	rows := rand.New(rand.NewPCG(c.seed, retrievalStream)).Perm(set.Len())
	if n > 0 {
		rows = rows[:n]
	}
	slices.Sort(rows)
	return methods.NewRetriever(d.Model, set, rows, d.plan.Seeds[0])
}

// retrievalStream tells the numbers that choose pairs from others of the same seed.
const retrievalStream = 4

// openPairs opens the study's pairs, of which what takes n.
func (w *worker) openPairs(n int, what string) (*pairs.Set, error) {
	set, err := pairs.Open(w.pairs)
	if err != nil {
		return nil, err
	}
	networks := w.session.networks
	err = set.Check(pairs.Meta{CLIPSHA256: networks.Hashes["clip"], EmbedDim: networks.CLIP.ProjectionDim})
	if err == nil && set.Len() < n {
		err = fault.Usage(fmt.Errorf(what+" needs as many pairs; %s has %d", n, w.pairs, set.Len()),
			"sample more pairs, such as pairs.rows=%d", n)
	}
	if err != nil {
		_ = set.Close() // it was only read
		return nil, err
	}
	return set, nil
}

// meter measures the time of a cell's pictures where the study shows costs; nil where it does not.
func (w *worker) meter(c cell, d drawing) (*methods.Meter, error) {
	if !slices.ContainsFunc(w.Shown(), func(name string) bool { return slices.Contains(methods.Costs(), name) }) {
		return nil, nil
	}
	artist := d.artist
	if artist == nil {
		artist = methods.Mapper{Model: d.Model}
	}
	return methods.NewMeter(artist, filepath.Join(c.folder, "cost.json"))
}

// addCosts adds the figures of a cell's costs to its result.
func (w *worker) addCosts(c cell, meter *methods.Meter, folder string, result *eval.Result) error {
	if meter == nil {
		return nil
	}
	training := 0.0
	if w.Train && c.variant.Draw.Maps() {
		shared, err := w.sharedFolder(c)
		if err != nil {
			return err
		}
		for _, f := range []string{shared, folder} {
			if f == "" {
				continue
			}
			seconds, err := w.options.Trainer.Seconds(f)
			if err != nil {
				return err
			}
			training += seconds
		}
	}
	figures, err := meter.Figures(training)
	result.Metrics = append(result.Metrics, figures...)
	return err
}
