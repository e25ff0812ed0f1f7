package stylegan2

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/ml/model"
	"golang.org/x/sync/errgroup"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// fir is the filter [1,3,3,1] of up-sampling along one axis; its sum 2 makes up for the inserted zeros.
var fir = [4]float64{1. / 4, 3. / 4, 3. / 4, 1. / 4}

// Load checks the weights w against cfg and puts them into scope in the form that the graph uses, frozen:
// learning-rate scales multiplied in, kernels as [3,3,in,out]. All of that is done once here instead of in every step.
// The mean W, if w holds one, becomes "latent_avg".
//
// With dtype bfloat16 the kernels of the convolutions are of that type and everything else is float32, as in NVIDIA's
// mixed precision: styles, demodulation and the sum of colours are sensitive and cost little.
func Load(scope *model.Scope, cfg Config, w *checkpoints.Weights, dtype dtypes.DType) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	want := cfg.Shapes()
	if _, ok := w.Tensors[LatentAvg]; ok {
		want[LatentAvg] = []int{cfg.StyleDim}
	}
	if err := w.Check(want); err != nil {
		return err
	}
	p := &preparation{from: w, to: &checkpoints.Weights{Source: w.Source, Tensors: map[string]checkpoints.Tensor{}},
		double: dtype == dtypes.Float64}
	p.prepare(cfg)
	if p.err != nil {
		return p.err
	}
	if dtype != dtypes.BFloat16 {
		return nn.Load(scope, p.to, dtype, false)
	}
	kernels := &checkpoints.Weights{Source: w.Source, Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range p.to.Tensors {
		if name == constant || strings.HasSuffix(name, ".conv.kernel") {
			kernels.Tensors[name] = tensor
			delete(p.to.Tensors, name)
		}
	}
	if err := nn.Load(scope, kernels, dtype, false); err != nil {
		return err
	}
	return nn.Load(scope, p.to, dtypes.Float32, false)
}

// LatentAvg is the name of the mean W, an optional tensor.
const LatentAvg = "latent_avg"

// constant is the name of the constant that the synthesis network begins with.
const constant = "input.input"

// preparation collects the tensors of the graph's form, in float64 with double and in float32 otherwise.
type preparation struct {
	from   *checkpoints.Weights
	to     *checkpoints.Weights
	double bool
	err    error
}

func (p *preparation) prepare(cfg Config) {
	p.copy(LatentAvg)
	c := cfg.Channels[4]
	p.put(constant, transpose(p.values(constant), []int{c, 4, 4}, []int{1, 2, 0}), 1, 4, 4, c)
	for i := range cfg.NMLP {
		name := fmt.Sprintf("style.%d", i+1)
		p.scaled(name+".weight", cfg.LRMLP/math.Sqrt(float64(cfg.StyleDim)))
		p.scaled(name+".bias", cfg.LRMLP)
	}
	noises := 0
	styled := func(name string, in, out int) {
		p.modulation(name, cfg.StyleDim)
		p.kernel(name, in, out)
		p.copy(name + ".noise.weight")
		p.copy(name + ".activate.bias")
		p.copy(fmt.Sprintf("noises.noise_%d", noises))
		noises++
	}
	toRGB := func(name string, in int) {
		p.modulation(name, cfg.StyleDim)
		p.rgb(name, in, cfg.ColorOrder == BGR)
	}
	styled("conv1", c, c)
	toRGB("to_rgb1", c)
	for r, i := 8, 0; r <= cfg.Size; r, i = r*2, i+1 {
		styled(fmt.Sprintf("convs.%d", 2*i), cfg.Channels[r/2], cfg.Channels[r])
		styled(fmt.Sprintf("convs.%d", 2*i+1), cfg.Channels[r], cfg.Channels[r])
		toRGB(fmt.Sprintf("to_rgbs.%d", i), cfg.Channels[r])
	}
}

func (p *preparation) values(name string) []float64 {
	v, err := p.from.Tensors[name].Float64s()
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%s: tensor %q: %w", p.from.Source, name, err)
	}
	return v
}

func (p *preparation) put(name string, values []float64, shape ...int) {
	if p.double {
		p.to.Tensors[name] = checkpoints.Float64Tensor(values, shape...)
		return
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	p.to.Tensors[name] = checkpoints.Float32Tensor(narrow, shape...)
}

// copy takes a tensor over as it is, if there is one.
func (p *preparation) copy(name string) {
	if t, ok := p.from.Tensors[name]; ok {
		p.to.Tensors[name] = t
	}
}

func (p *preparation) scaled(name string, scale float64) {
	values := p.values(name)
	for i := range values {
		values[i] *= scale
	}
	p.put(name, values, p.from.Tensors[name].Shape...)
}

func (p *preparation) modulation(name string, styleDim int) {
	p.scaled(name+".conv.modulation.weight", 1/math.Sqrt(float64(styleDim)))
	p.copy(name + ".conv.modulation.bias")
}

// kernel turns the weight [1,out,in,3,3] into "kernel" [3,3,in,out] and "power" [in,out], the sum of squares that
// demodulation needs.
func (p *preparation) kernel(name string, in, out int) {
	w := p.values(name + ".conv.weight")
	scale := 1 / math.Sqrt(float64(in*9))
	power, kernel := make([]float64, in*out), make([]float64, 9*in*out)
	parallel(in, func(i int) {
		for o := range out {
			sum := 0.0
			for tap := range 9 {
				v := w[(o*in+i)*9+tap] * scale
				kernel[(tap*in+i)*out+o] = v
				sum += v * v
			}
			power[i*out+o] = sum
		}
	})
	p.put(name+".conv.power", power, in, out)
	p.put(name+".conv.kernel", kernel, 3, 3, in, out)
}

// rgb turns the weight [1,3,in,1,1] into "kernel" [3,in] and orders kernel and bias as RGB.
func (p *preparation) rgb(name string, in int, bgr bool) {
	w, bias := p.values(name+".conv.weight"), p.values(name+".bias")
	scale := 1 / math.Sqrt(float64(in))
	kernel := make([]float64, 3*in)
	for c := range 3 {
		from := c
		if bgr {
			from = 2 - c
		}
		for i := range in {
			kernel[c*in+i] = w[from*in+i] * scale
		}
	}
	if bgr {
		bias[0], bias[2] = bias[2], bias[0]
	}
	p.put(name+".conv.kernel", kernel, 3, in)
	p.put(name+".bias", bias, 1, 3, 1, 1)
}

// transpose permutes the axes of a row-major array.
func transpose(values []float64, shape, permutation []int) []float64 {
	strides := make([]int, len(shape))
	for i, s := len(shape)-1, 1; i >= 0; i-- {
		strides[i], s = s, s*shape[i]
	}
	out := make([]float64, 0, len(values))
	var walk func(axis, offset int)
	walk = func(axis, offset int) {
		if axis == len(shape) {
			out = append(out, values[offset])
			return
		}
		for i := range shape[permutation[axis]] {
			walk(axis+1, offset+i*strides[permutation[axis]])
		}
	}
	walk(0, 0)
	return out
}

// parallel calls f for 0 … n-1 on all processors and waits.
func parallel(n int, f func(i int)) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error { f(i); return nil })
	}
	_ = group.Wait()
}
