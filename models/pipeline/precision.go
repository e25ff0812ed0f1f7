package pipeline

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
	"illustrator/models/nn"
	"illustrator/models/stylegan2"
)

// Precision is the type of the numbers inside generator and CLIP. What goes in and comes out is float32
// in either. The empty Precision is Float32.
type Precision string

// Precisions, named as data types.
const (
	Float32 Precision = "float32"
	// BFloat16 has matrix products and convolutions in bfloat16; on a CPU, for which XLA has no such convolutions, 3×3
	// convolutions at one resolution are float32, with weights in bfloat16. Styles, demodulation and the sum of colours,
	// layer norm, softmax and the embedding's norm are float32.
	BFloat16 Precision = "bfloat16"
)

// UnmarshalText reads a precision.
func (p *Precision) UnmarshalText(text []byte) error {
	return fault.Choose(p, "precision", text, Float32, BFloat16)
}

// MarshalText writes the precision.
func (p Precision) MarshalText() ([]byte, error) { return []byte(p), nil }

// in is the scope of a network's weights. Those in bfloat16 stand beside those in float32, which the rest of the
// package computes with.
func (p Precision) in(root *model.Scope, network string) *model.Scope {
	if p == BFloat16 {
		return root.At("%s", network).At(string(BFloat16))
	}
	return root.At("%s", network)
}

// String returns the precision's name.
func (p Precision) String() string { return string(cmp.Or(p, Float32)) }

// Narrow returns BFloat16, "" for float32: what a record says of it.
func (p Precision) Narrow() Precision {
	if p == BFloat16 {
		return p
	}
	return ""
}

// program names a program that is compiled for the precision.
func (p Precision) program(name string) string {
	if p == BFloat16 {
		return name + " in " + string(p)
	}
	return name
}

// scope is a network's name among those that are loaded.
func (p Precision) scope(scope string) string {
	if p == BFloat16 {
		return scope + "/" + string(p)
	}
	return scope
}

// NeedFrozenIn loads generator and CLIP for ImageEmbedsIn with the same precision.
func (n *Networks) NeedFrozenIn(p Precision) error { return n.needIn(p, generatorScope, clipScope) }

// needIn loads generator or CLIP in a precision.
func (n *Networks) needIn(p Precision, scopes ...string) error {
	if p != BFloat16 {
		return n.need(scopes...)
	}
	for _, scope := range scopes {
		if n.loaded[p.scope(scope)] {
			continue
		}
		folder := n.folders[scope]
		if folder == nil {
			return fmt.Errorf("load %s: its weights were given in memory, which can be used in %s only", scope, Float32)
		}
		weights, err := folder.Weights()
		if err == nil {
			err = n.loadNarrow(scope, weights)
		}
		if err != nil {
			return fmt.Errorf("load %s: %w", scope, err)
		}
		n.loaded[p.scope(scope)] = true
	}
	return nil
}

// loadNarrow loads the generator, or the part of CLIP that sees pictures, in bfloat16.
func (n *Networks) loadNarrow(network string, weights *checkpoints.Weights) error {
	scope := BFloat16.in(n.Store.RootScope(), network)
	if network == generatorScope {
		return stylegan2.Load(scope, n.Generator, weights, dtypes.BFloat16)
	}
	if err := weights.Check(n.CLIP.Shapes()); err != nil {
		return err
	}
	vision := &checkpoints.Weights{Source: weights.Source, Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range weights.Tensors {
		if strings.HasPrefix(name, "vis") {
			vision.Tensors[name] = tensor
		}
	}
	return nn.Load(scope, vision, dtypes.BFloat16, false)
}

// ImageEmbedsIn is ImageEmbeds in the given precision, after NeedFrozenIn: z and embeddings are float32 in any.
func (n *Networks) ImageEmbedsIn(scope *model.Scope, p Precision, z *graph.Node, noise stylegan2.Noise) *graph.Node {
	images := stylegan2.Build(p.in(scope, generatorScope), n.Generator, z, noise)
	return embedImages(p.in(scope, clipScope), n.CLIP, images)
}

// embedImages: pictures [B,3,H,H] in [-1,1] → scaled embeddings [B,E] by CLIP's weights in scope, normalised in at
// least float32.
func embedImages(scope *model.Scope, cfg clip.Config, images *graph.Node) *graph.Node {
	return clip.Scaled(nn.Widen(clip.ImageEmbeds(scope, cfg, clip.Preprocess(cfg, images))))
}
