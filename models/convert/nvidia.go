package convert

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// NVIDIA's repositories stylegan2-ada-pytorch and stylegan3 pickle a dict of whole modules. The generator's moving
// average is the one of these that pictures come from.
const nvidiaSection = "G_ema"

// The names of NVIDIA's generator by which it is told; those of StyleGAN3 begin otherwise.
const (
	nvidiaConst = "synthesis.b4.const"
	styleGAN3   = "synthesis.L0_"
)

// nvidiaModule returns the generator of a file, nil if it has none: the dict's, or the whole file if it is one module.
func nvidiaModule(file *checkpoints.TorchFile) *checkpoints.TorchDict {
	d, ok := file.Section(nvidiaSection)
	if !ok {
		d = file.TorchDict
	}
	if _, ok := d.Value(checkpoints.ClassValue); !ok || !anyHas(d.Keys(), "synthesis.") {
		return nil
	}
	return d
}

// checkNVIDIA refuses generators of other kinds by name.
func checkNVIDIA(d *checkpoints.TorchDict) error {
	class, _ := d.Value(checkpoints.ClassValue)
	switch keys := d.Keys(); {
	case anyHas(keys, styleGAN3):
		return fault.Hint(fmt.Errorf("it is a generator of StyleGAN3 (class %v, with %s…)", class, styleGAN3),
			"StyleGAN3 is another network, which is not supported: take one of StyleGAN2 (configs stylegan2 and paper256, "+
				"auto and the like of ada)")
	case !slices.Contains(keys, nvidiaConst):
		return fault.Hint(fmt.Errorf("it holds modules (class %v) without %s", class, nvidiaConst),
			"it is not a generator of StyleGAN2")
	}
	return nil
}

// nvidiaAttributes are those whose value decides on the graph, and the only one that the graph here has.
// %d is a resolution.
var nvidiaAttributes = []struct {
	name string
	want any
	hint string
}{
	{"c_dim", 0, "the generator is conditional on classes, which is not supported: take one without labels"},
	{"img_channels", 3, "pictures have three channels here"},
	{"mapping.fc0.activation", "lrelu", "only leaky ReLU of slope 0.2 is built in"},
	{"synthesis.b%d.architecture", "skip",
		"resnet and orig generators are not supported: take one of the default architecture"},
	{"synthesis.b%d.conv0.activation", "lrelu", "only leaky ReLU of slope 0.2 is built in"},
	{"synthesis.b%d.conv1.activation", "lrelu", "only leaky ReLU of slope 0.2 is built in"},
	{"synthesis.b%d.conv0.use_noise", true, "layers without noise are not supported"},
	{"synthesis.b%d.conv1.use_noise", true, "layers without noise are not supported"},
}

// readNVIDIA reads a generator under rosinality's names. What shapes don't tell, it takes from the modules' attributes.
func (s *source) readNVIDIA() (*checkpoints.Weights, nvidiaConfig, error) {
	from, cfg, err := s.nvidiaTensors()
	if err != nil {
		return nil, cfg, err
	}
	w := &checkpoints.Weights{Source: from.Source, Tensors: make(map[string]checkpoints.Tensor, len(from.Tensors))}
	names := nvidiaNames(cfg.size)
	for _, old := range from.Names() {
		t := from.Tensors[old]
		to, ok := names[old]
		if !ok {
			to.name = old // named as surplus later
		}
		if t.Shape, err = nvidiaShape(t.Shape, to); err != nil {
			return nil, cfg, fault.Hint(fmt.Errorf("%s: tensor %q has shape %v: %w",
				w.Source, old, from.Tensors[old].Shape, err), "the file is of another architecture")
		}
		w.Tensors[to.name] = t
	}
	return w, cfg, nil
}

// nvidiaTensors reads a pickled module, or a state dict alone.
func (s *source) nvidiaTensors() (*checkpoints.Weights, nvidiaConfig, error) {
	if s.torch != nil {
		if d := nvidiaModule(s.torch); d != nil {
			from, err := s.tensors(d, "")
			if err != nil {
				return nil, nvidiaConfig{}, err
			}
			cfg, err := readNVIDIAConfig(d)
			return from, cfg, err
		}
	}
	w, err := s.weights()
	if err != nil {
		return nil, nvidiaConfig{}, err
	}
	if anyHas(w.Names(), nvidiaSection+".") {
		s.cut(w, nvidiaSection+".")
	}
	cfg, err := inferNVIDIAConfig(w)
	if err == nil {
		s.dropped = append(s.dropped,
			"the settings, which a state dict does not hold: taken are the published networks' learning-rate multiplier of "+
				"0.01 and no clamp of the layers, which networks trained in float16 have at ±256")
	}
	return w, cfg, err
}

// inferNVIDIAConfig reads the size off the names of a state dict. What it does not say is as in the published networks.
func inferNVIDIAConfig(w *checkpoints.Weights) (nvidiaConfig, error) {
	cfg := nvidiaConfig{size: 4, lrMLP: lrMLP}
	if _, ok := w.Tensors["mapping.embed.weight"]; ok {
		return cfg, fault.Hint(errors.New("it has the tensor mapping.embed.weight: the generator is conditional on "+
			"classes, which is not supported"), "take one without labels")
	}
	for cfg.size < 4096 {
		if _, ok := w.Tensors[fmt.Sprintf("synthesis.b%d.conv0.weight", 2*cfg.size)]; !ok {
			break
		}
		cfg.size *= 2
	}
	return cfg, nil
}

// nvidiaConfig holds what the attributes say of a generator.
type nvidiaConfig struct {
	size  int
	lrMLP float64
	// clamp bounds the layers' outputs; 0 if they are not bounded.
	clamp float64
	half  int // the layers that NVIDIA's program computes in float16 on a GPU
}

func readNVIDIAConfig(d *checkpoints.TorchDict) (nvidiaConfig, error) {
	var cfg nvidiaConfig
	size, ok := d.Value("img_resolution")
	cfg.size, _ = size.(int)
	if !ok || cfg.size < 8 || cfg.size > 4096 || cfg.size&(cfg.size-1) != 0 {
		return cfg, fault.Hint(fmt.Errorf("img_resolution is %v", size), "it must be a power of two from 8 to 4096")
	}
	for r := 4; r <= cfg.size; r *= 2 {
		for _, a := range nvidiaAttributes {
			name := a.name
			if strings.Contains(name, "%d") {
				name = fmt.Sprintf(name, r)
			}
			if v, ok := d.Value(name); (ok || !strings.Contains(name, "b4.conv0")) && v != a.want {
				return cfg, fault.Hint(fmt.Errorf("%s is %v; expected %v", name, v, a.want), "%s", a.hint)
			}
		}
	}
	rate, _ := d.Value("mapping.fc0.bias_gain")
	if cfg.lrMLP, ok = asFloat(rate); !ok || !(cfg.lrMLP > 0) {
		return cfg, fault.Hint(fmt.Errorf("mapping.fc0.bias_gain is %v", rate),
			"it is the learning-rate multiplier, 0.01 in the published networks")
	}
	return cfg, cfg.readClamps(d)
}

// readClamps reads conv_clamp, which must be one number in all layers, and counts the blocks in float16.
func (c *nvidiaConfig) readClamps(d *checkpoints.TorchDict) error {
	first, _ := d.Value("synthesis.b4.conv1.conv_clamp")
	for r := 4; r <= c.size; r *= 2 {
		for _, layer := range []string{"conv0", "conv1", "torgb"} {
			name := fmt.Sprintf("synthesis.b%d.%s.conv_clamp", r, layer)
			v, ok := d.Value(name)
			if !ok && r == 4 && layer == "conv0" {
				continue
			}
			if v != first {
				return fault.Hint(fmt.Errorf("%s is %v, that of the first layer %v", name, v, first),
					"only one conv_clamp for all layers is supported")
			}
		}
		if half, _ := d.Value(fmt.Sprintf("synthesis.b%d.use_fp16", r)); half == true {
			c.half++
		}
	}
	if first == nil {
		return nil
	}
	var ok bool
	if c.clamp, ok = asFloat(first); !ok || !(c.clamp > 0) || math.IsInf(c.clamp, 0) {
		return fault.Hint(fmt.Errorf("synthesis.b4.conv1.conv_clamp is %v", first), "it must be a positive number, or None")
	}
	return nil
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// renamed is a tensor's name in rosinality's layout, and the numbers of axes of size 1 that its shape there has before
// and behind its own.
type renamed struct {
	name                 string
	axes, before, behind int
}

func nvidiaShape(shape []int, to renamed) ([]int, error) {
	if to.before+to.behind == 0 {
		return shape, nil
	}
	if len(shape) != to.axes {
		return nil, fmt.Errorf("expected %d axes", to.axes)
	}
	return slices.Concat(slices.Repeat([]int{1}, to.before), shape, slices.Repeat([]int{1}, to.behind)), nil
}

// nvidiaNames gives the names of NVIDIA's tensors in rosinality's layout, for a generator of that size. The filters
// keep their names: dropNVIDIAFilters takes them out.
func nvidiaNames(size int) map[string]renamed {
	names := map[string]renamed{
		"mapping.w_avg": {name: stylegan2.LatentAvg},
		nvidiaConst:     {name: "input.input", axes: 3, before: 1},
	}
	for i := range 64 {
		names[fmt.Sprintf("mapping.fc%d.weight", i)] = renamed{name: fmt.Sprintf("style.%d.weight", i+1)}
		names[fmt.Sprintf("mapping.fc%d.bias", i)] = renamed{name: fmt.Sprintf("style.%d.bias", i+1)}
	}
	modulated := func(from, to string) {
		names[from+".weight"] = renamed{name: to + ".conv.weight", axes: 4, before: 1}
		names[from+".affine.weight"] = renamed{name: to + ".conv.modulation.weight"}
		names[from+".affine.bias"] = renamed{name: to + ".conv.modulation.bias"}
	}
	noises := 0
	styled := func(from, to string) {
		modulated(from, to)
		names[from+".bias"] = renamed{name: to + ".activate.bias"}
		names[from+".noise_strength"] = renamed{name: to + ".noise.weight", axes: 0, before: 1}
		names[from+".noise_const"] = renamed{name: fmt.Sprintf("noises.noise_%d", noises), axes: 2, before: 2}
		noises++
	}
	toRGB := func(from, to string) {
		modulated(from, to)
		names[from+".bias"] = renamed{name: to + ".bias", axes: 1, before: 1, behind: 2}
	}
	styled("synthesis.b4.conv1", "conv1")
	toRGB("synthesis.b4.torgb", "to_rgb1")
	for r, i := 8, 0; r <= size; r, i = r*2, i+1 {
		block := fmt.Sprintf("synthesis.b%d.", r)
		styled(block+"conv0", fmt.Sprintf("convs.%d", 2*i))
		styled(block+"conv1", fmt.Sprintf("convs.%d", 2*i+1))
		toRGB(block+"torgb", fmt.Sprintf("to_rgbs.%d", i))
	}
	return names
}

// dropNVIDIAFilters takes out the resample filters, after a look that each is [1,3,3,1], of sum 1.
func dropNVIDIAFilters(w *checkpoints.Weights) (int, error) {
	dropped := 0
	for _, name := range slices.Sorted(maps.Keys(w.Tensors)) {
		if strings.HasSuffix(name, ".resample_filter") {
			if err := checkFilter(w, name, 1); err != nil {
				return 0, err
			}
			delete(w.Tensors, name)
			dropped++
		}
	}
	return dropped, nil
}
