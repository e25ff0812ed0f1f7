package convert

import (
	"fmt"
	"strings"

	"illustrator/checkpoints"
	"illustrator/models/mapper"
)

// releasedDropout is the released projectors' dropout. Files do not hold it; it matters to further training alone.
const releasedDropout = 0.1

// loadMapper reads a released projector: a plain state dict. The baseline's "body.N" is "mlp.N" here.
func (s *source) loadMapper() (*network, error) {
	from, err := s.weights()
	if err != nil {
		return nil, err
	}
	w := &checkpoints.Weights{Source: from.Source, Tensors: make(map[string]checkpoints.Tensor, len(from.Tensors))}
	for _, old := range from.Names() {
		name := old
		if rest, ok := strings.CutPrefix(name, "body."); ok && s.kind == MapperBaseline {
			name = "mlp." + rest
		}
		w.Tensors[name] = from.Tensors[old]
	}
	n := &network{weights: w, dropped: dropCounters(w)}
	infer := inferDense
	if s.kind == MapperBaseline {
		infer = inferBaseline
	}
	cfg, err := infer(w)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Source, err)
	}
	if err := w.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	n.config = cfg
	n.describe = fmt.Sprintf("%s, embedding of %d to Z of %d, width %d, %d layers", cfg.Arch, cfg.EmbedDim, cfg.ZDim,
		cfg.Width, cfg.Layers)
	if cfg.Arch == mapper.Dense {
		n.describe += fmt.Sprintf(" in each of %d blocks, dropout %g (the release's; the file does not say)",
			cfg.Blocks, cfg.Dropout)
	}
	return n, nil
}

// dropCounters takes out BatchNorm's counters of training steps: with a fixed momentum nothing reads them.
func dropCounters(w *checkpoints.Weights) []string {
	if n := remove(w, func(name string) bool { return strings.HasSuffix(name, ".num_batches_tracked") }); n > 0 {
		return []string{fmt.Sprintf("%d counters num_batches_tracked, which nothing reads", n)}
	}
	return nil
}

func inferDense(w *checkpoints.Weights) (mapper.Config, error) {
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, Dropout: releasedDropout}
	layer := func(b, l int) string { return fmt.Sprintf("rrdb_blocks.%d.0.mlp_layers.%d.0.weight", b, l) }
	cfg.Blocks = count(w, func(i int) string { return layer(i, 0) })
	cfg.Layers = count(w, func(i int) string { return layer(0, i) })
	var err error
	if cfg.Width, err = dim(w, "head.0.weight", 2, 0); err != nil {
		return cfg, err
	}
	if cfg.EmbedDim, err = dim(w, "head.0.weight", 2, 1); err != nil {
		return cfg, err
	}
	cfg.ZDim, err = dim(w, "tail.1.weight", 2, 0)
	return cfg, err
}

func inferBaseline(w *checkpoints.Weights) (mapper.Config, error) {
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Baseline}
	linear := func(i int) string { return fmt.Sprintf("mlp.%d.weight", 2*i) }
	cfg.Layers = count(w, linear)
	var err error
	if cfg.EmbedDim, err = dim(w, linear(0), 2, 1); err != nil {
		return cfg, err
	}
	if cfg.Width, err = dim(w, linear(0), 2, 0); err != nil {
		return cfg, err
	}
	cfg.ZDim, err = dim(w, linear(cfg.Layers-1), 2, 0)
	return cfg, err
}
