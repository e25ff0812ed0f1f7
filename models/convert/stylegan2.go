package convert

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// Where the two layouts keep the generator whose weights are the moving average of training.
const (
	rosinalitySection = "g_ema"
	mmgenSection      = "state_dict"
	mmgenPrefix       = "generator_ema."
)

// lrMLP is the learning-rate multiplier of the mapping network in all published networks. Files do not hold it.
const lrMLP = 0.01

// loadStyleGAN2 reads a generator of either layout. Both keep weights before the equalised learning rate's scale, so
// that no value changes.
func (s *source) loadStyleGAN2(colorOrder string) (*network, error) {
	read, order := s.readRosinality, "RGB"
	if s.kind == StyleGAN2MMGen {
		read, order = s.readMMGen, "BGR"
	}
	if colorOrder != "" {
		order = colorOrder
	}
	weights, err := read()
	if err != nil {
		return nil, err
	}
	cfg, err := inferStyleGAN2(weights)
	if err != nil {
		return nil, err
	}
	cfg.ColorOrder = order
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", weights.Source, err)
	}
	kernels, err := dropKernels(weights, len(cfg.Channels)-1)
	if err != nil {
		return nil, err
	}
	want := cfg.Shapes()
	n := &network{config: cfg, weights: weights}
	if _, ok := weights.Tensors[stylegan2.LatentAvg]; ok {
		want[stylegan2.LatentAvg] = []int{cfg.StyleDim}
	}
	if err := weights.Check(want); err != nil {
		return nil, err
	}
	if kernels > 0 {
		n.dropped = append(n.dropped, fmt.Sprintf("%d filter kernels, all equal to that of [1,3,3,1]", kernels))
	}
	n.describe = fmt.Sprintf("%d×%d pixels, Z and W of %d, %d mapping layers, channels %s, %s, %s", cfg.Size, cfg.Size, cfg.StyleDim, cfg.NMLP,
		channelTable(cfg), cfg.ColorOrder, map[bool]string{true: "with mean W", false: "without mean W"}[want[stylegan2.LatentAvg] != nil])
	return n, nil
}

func channelTable(cfg stylegan2.Config) string {
	var parts []string
	for r := 4; r <= cfg.Size; r *= 2 {
		parts = append(parts, fmt.Sprintf("%d:%d", r, cfg.Channels[r]))
	}
	return strings.Join(parts, " ")
}

func (s *source) readRosinality() (*checkpoints.Weights, error) {
	section, _ := s.torch.Section(rosinalitySection)
	w, err := section.Weights("")
	if err != nil {
		return nil, err
	}
	if slices.Contains(s.torch.Keys(), stylegan2.LatentAvg) {
		if w.Tensors[stylegan2.LatentAvg], err = s.torch.Tensor(stylegan2.LatentAvg); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// mmgenNames turn a name of mmgen's StyleGANv2Generator into rosinality's, one after the other.
var mmgenNames = [][2]string{
	{"style_mapping.", "style."},
	{"constant_input.", "input."},
	{"injected_noise_", "noises.noise_"},
	{".noise_injector.", ".noise."},
	{".style_modulation.", ".modulation."},
	{".linear.weight_orig", ".weight"},
	{".weight_orig", ".weight"},
}

func (s *source) readMMGen() (*checkpoints.Weights, error) {
	section, _ := s.torch.Section(mmgenSection)
	from, err := section.Weights(mmgenPrefix)
	if err != nil {
		return nil, err
	}
	w := &checkpoints.Weights{Source: from.Source, Tensors: make(map[string]checkpoints.Tensor, len(from.Tensors))}
	for _, old := range from.Names() {
		name := old
		for _, r := range mmgenNames {
			name = strings.ReplaceAll(name, r[0], r[1])
		}
		if _, ok := w.Tensors[name]; ok {
			return nil, fmt.Errorf("%s: two tensors are %q: one of them is %q", w.Source, name, mmgenPrefix+old)
		}
		w.Tensors[name] = from.Tensors[old]
	}
	return w, nil
}

// inferStyleGAN2 reads the configuration off the shapes. Check holds all tensors against it afterwards.
func inferStyleGAN2(w *checkpoints.Weights) (stylegan2.Config, error) {
	cfg := stylegan2.Config{ModelType: stylegan2.ModelType, LRMLP: lrMLP, Channels: map[int]int{}}
	doublings := count(w, func(i int) string { return fmt.Sprintf("to_rgbs.%d.conv.weight", i) })
	if doublings > 10 {
		return cfg, fmt.Errorf("%s: it has %d layers to_rgbs; at most 10 (4096 pixels)", w.Source, doublings)
	}
	cfg.Size = 4 << doublings
	cfg.NMLP = count(w, func(i int) string { return fmt.Sprintf("style.%d.weight", i+1) })
	var err error
	if cfg.StyleDim, err = dim(w, "style.1.weight", 2, 1); err != nil {
		return cfg, err
	}
	if cfg.Channels[4], err = dim(w, "input.input", 4, 1); err != nil {
		return cfg, err
	}
	for i := range doublings {
		if cfg.Channels[8<<i], err = dim(w, fmt.Sprintf("to_rgbs.%d.conv.weight", i), 5, 2); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// dropKernels takes out the filters of the up-convolutions and of the RGB layers, after a look that each is the filter
// [1,3,3,1] that the graph has built in: outer product, divided by its sum 64, times 4 for the doubling.
func dropKernels(w *checkpoints.Weights, doublings int) (int, error) {
	dropped := 0
	for i := range doublings {
		for _, name := range []string{fmt.Sprintf("convs.%d.conv.blur.kernel", 2*i), fmt.Sprintf("to_rgbs.%d.upsample.kernel", i)} {
			t, ok := w.Tensors[name]
			if !ok {
				continue
			}
			if !slices.Equal(t.Shape, []int{4, 4}) {
				return 0, fault.Hint(fmt.Errorf("%s: tensor %q has shape %v; expected [4 4]", w.Source, name, t.Shape), "only the filter [1,3,3,1] of the published networks is built in")
			}
			values, err := t.Float32s()
			if err != nil {
				return 0, fmt.Errorf("%s: tensor %q: %w", w.Source, name, err)
			}
			fir := [4]float64{1, 3, 3, 1}
			for k, v := range values {
				want := fir[k/4] * fir[k%4] / 64 * 4
				if !(math.Abs(float64(v)-want) <= 1e-6) {
					return 0, fault.Hint(fmt.Errorf("%s: tensor %q: element %d is %g; expected %g", w.Source, name, k, v, want), "only the filter [1,3,3,1] of the published networks is built in")
				}
			}
			delete(w.Tensors, name)
			dropped++
		}
	}
	return dropped, nil
}
