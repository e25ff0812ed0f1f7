package convert

import (
	"cmp"
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
	stateSection      = "state_dict" // of mmgen's, OpenCLIP's and many other checkpoints
	mmgenPrefix       = "generator_ema."
)

// lrMLP is the learning-rate multiplier of the mapping network in all published networks. Files do not hold it.
const lrMLP = 0.01

// loadStyleGAN2 reads a generator of any layout. All keep weights before the equalised learning rate's scale, so that
// no value changes.
func (s *source) loadStyleGAN2(colorOrder stylegan2.ColorOrder) (*network, error) {
	weights, nvidia, err := s.readStyleGAN2()
	if err != nil {
		return nil, err
	}
	cfg, err := inferStyleGAN2(weights)
	if err != nil {
		return nil, err
	}
	cfg.ColorOrder = cmp.Or(colorOrder, s.kind.colorOrder())
	cfg.LRMLP, cfg.ConvClamp = cmp.Or(nvidia.lrMLP, lrMLP), nvidia.clamp
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", weights.Source, err)
	}
	kernels, err := dropKernels(weights, len(cfg.Channels)-1)
	if err == nil && s.kind == StyleGAN2NVIDIA {
		kernels, err = dropNVIDIAFilters(weights)
	}
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
		looked := "all equal to that of [1,3,3,1]"
		if s.headers {
			looked = "whose values were not looked at"
		}
		n.dropped = append(n.dropped, fmt.Sprintf("%d filter kernels, %s", kernels, looked))
	}
	n.describe = describeStyleGAN2(cfg, want[stylegan2.LatentAvg] != nil)
	if nvidia.half > 0 {
		n.dropped = append(n.dropped,
			fmt.Sprintf("that the last %d resolutions are computed in float16: a run's precision says so here", nvidia.half))
	}
	return n, nil
}

// readStyleGAN2 reads the weights, and of NVIDIA's files the configuration.
func (s *source) readStyleGAN2() (weights *checkpoints.Weights, nvidia nvidiaConfig, err error) {
	switch s.kind {
	case StyleGAN2MMGen:
		weights, err = s.readMMGen()
	case StyleGAN2NVIDIA:
		weights, nvidia, err = s.readNVIDIA()
	default:
		weights, err = s.readRosinality()
	}
	return weights, nvidia, err
}

// colorOrder is that of a layout's generators.
func (k Kind) colorOrder() stylegan2.ColorOrder {
	if k == StyleGAN2MMGen {
		return stylegan2.BGR
	}
	return stylegan2.RGB
}

func describeStyleGAN2(cfg stylegan2.Config, hasMean bool) string {
	mean := "without mean W"
	if hasMean {
		mean = "with mean W"
	}
	text := fmt.Sprintf("%d×%d pixels, Z and W of %d, %d mapping layers, channels %s, %s, %s",
		cfg.Size, cfg.Size, cfg.StyleDim, cfg.NMLP, channelTable(cfg), cfg.ColorOrder, mean)
	if cfg.ConvClamp > 0 {
		text += fmt.Sprintf(", layers clamped to ±%g", cfg.ConvClamp)
	}
	return text
}

func channelTable(cfg stylegan2.Config) string {
	var parts []string
	for r := 4; r <= cfg.Size; r *= 2 {
		parts = append(parts, fmt.Sprintf("%d:%d", r, cfg.Channels[r]))
	}
	return strings.Join(parts, " ")
}

// readRosinality reads the generator of a training checkpoint, or a state dict of it alone.
func (s *source) readRosinality() (*checkpoints.Weights, error) {
	if s.torch != nil {
		if section, ok := s.torch.Section(rosinalitySection); ok {
			w, err := s.tensors(section, "")
			if err != nil || !slices.Contains(s.torch.Keys(), stylegan2.LatentAvg) {
				return w, err
			}
			mean, err := s.torch.Select(func(name string) (string, bool) { return name, name == stylegan2.LatentAvg }, s.headers)
			if err != nil {
				return nil, err
			}
			if what := mean.Others[stylegan2.LatentAvg]; what != "" {
				s.leaveOut(mean.Others)
				return w, nil
			}
			w.Tensors[stylegan2.LatentAvg] = mean.Tensors[stylegan2.LatentAvg]
			return w, nil
		}
	}
	w, err := s.weights()
	if err != nil {
		return nil, err
	}
	if anyHas(w.Names(), rosinalitySection+".") { // a checkpoint as one list of names
		s.cut(w, rosinalitySection+".", stylegan2.LatentAvg)
	}
	return w, nil
}

// cut takes the prefix from the tensors' names, and takes out those without it but for some.
func (s *source) cut(w *checkpoints.Weights, prefix string, keep ...string) {
	gone := 0
	for _, old := range w.Names() {
		if slices.Contains(keep, old) {
			continue
		}
		if name, ok := strings.CutPrefix(old, prefix); ok {
			w.Tensors[unwrapped(name)] = w.Tensors[old]
		} else {
			gone++
		}
		delete(w.Tensors, old)
	}
	if gone > 0 {
		s.dropped = append(s.dropped, fmt.Sprintf("%d tensors that are not of %s", gone, strings.TrimSuffix(prefix, ".")))
	}
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
	from, err := s.mmgenTensors()
	if err != nil {
		return nil, err
	}
	w := &checkpoints.Weights{Source: from.Source, Tensors: make(map[string]checkpoints.Tensor, len(from.Tensors)),
		Others: map[string]string{}}
	renamed := func(name string) string {
		for _, r := range mmgenNames {
			name = strings.ReplaceAll(name, r[0], r[1])
		}
		return name
	}
	for old, what := range from.Others {
		w.Others[renamed(old)] = what
	}
	for _, old := range from.Names() {
		name := renamed(old)
		if _, ok := w.Tensors[name]; ok {
			return nil, fmt.Errorf("%s: two tensors are %q: one of them is %q", w.Source, name, mmgenPrefix+old)
		}
		w.Tensors[name] = from.Tensors[old]
	}
	return w, nil
}

// mmgenTensors reads the generator of a checkpoint, or a state dict of the model or the generator alone.
func (s *source) mmgenTensors() (*checkpoints.Weights, error) {
	if s.torch != nil {
		dict := s.stateDict()
		prefix := ""
		if slices.ContainsFunc(dict.Keys(),
			func(name string) bool { return strings.HasPrefix(unwrapped(name), mmgenPrefix) }) {
			prefix = mmgenPrefix
		}
		return s.tensors(dict, prefix)
	}
	w, err := s.weights()
	if err == nil && anyHas(w.Names(), mmgenPrefix) {
		s.cut(w, mmgenPrefix)
	}
	return w, err
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
		for _, name := range []string{fmt.Sprintf("convs.%d.conv.blur.kernel", 2*i),
			fmt.Sprintf("to_rgbs.%d.upsample.kernel", i)} {
			if _, ok := w.Tensors[name]; !ok {
				continue
			}
			if err := checkFilter(w, name, 4); err != nil {
				return 0, err
			}
			delete(w.Tensors, name)
			dropped++
		}
	}
	return dropped, nil
}

// checkFilter looks that a tensor is the outer product of [1,3,3,1] with that sum.
// Without elements it looks at the shape.
func checkFilter(w *checkpoints.Weights, name string, sum float64) error {
	const hint = "only the filter [1,3,3,1] of the published networks is built in"
	t := w.Tensors[name]
	if !slices.Equal(t.Shape, []int{4, 4}) {
		return fault.Hint(fmt.Errorf("%s: tensor %q has shape %v; expected [4 4]", w.Source, name, t.Shape), hint)
	}
	if t.Data == nil {
		return nil
	}
	values, err := t.Float32s()
	if err != nil {
		return fmt.Errorf("%s: tensor %q: %w", w.Source, name, err)
	}
	fir := [4]float64{1, 3, 3, 1}
	for k, v := range values {
		want := fir[k/4] * fir[k%4] / 64 * sum
		if !(math.Abs(float64(v)-want) <= 1e-6) {
			return fault.Hint(fmt.Errorf("%s: tensor %q: element %d is %g; expected %g", w.Source, name, k, v, want), hint)
		}
	}
	return nil
}
