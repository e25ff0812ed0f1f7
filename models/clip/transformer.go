package clip

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
)

// Axes: B batch, T tokens, Q tokens that ask (T or 1), D width, H heads, K width of a head (D/H).

// transformer is the common part of the text and the vision tower.
type transformer struct {
	config string // the part of config.json, for messages
	model  string // the prefix of the weights' names
	width  int    // D
	inner  int    // hidden units of the MLP
	layers int
	heads  int // H
	act    Activation
	eps    float64
}

func (c Config) textTransformer() transformer {
	t := c.Text
	return transformer{config: "text_config", model: "text_model", width: t.HiddenSize, inner: t.IntermediateSize,
		layers: t.NumHiddenLayers, heads: t.NumAttentionHeads, act: t.HiddenAct, eps: t.LayerNormEps}
}

func (c Config) visionTransformer() transformer {
	v := c.Vision
	return transformer{config: "vision_config", model: "vision_model", width: v.HiddenSize, inner: v.IntermediateSize,
		layers: v.NumHiddenLayers, heads: v.NumAttentionHeads, act: v.HiddenAct, eps: v.LayerNormEps}
}

func (t transformer) layerName(i int) string { return fmt.Sprintf("%s.encoder.layers.%d", t.model, i) }

// pooling picks the one token of each text or picture that becomes the embedding.
type pooling struct {
	// pick takes that token: [B,T,D] → [B,1,D].
	pick func(x *Node) *Node
	// all and one tell which tokens each token, and the picked one, can see: bool [1,T,T] and [B,1,T]; nil if all.
	all, one *Node
}

// encode runs the tokens x [B,T,D] through all layers and returns the picked token [B,1,D]. In the last layer only that
// token is computed: the others would be thrown away.
func (t transformer) encode(scope *model.Scope, x *Node, pool pooling) *Node {
	last := t.layers - 1
	for i := range last {
		normed := t.norm(scope, x, t.layerName(i)+".layer_norm1")
		x = t.layer(scope, i, x, normed, normed, pool.all)
	}
	normed := t.norm(scope, x, t.layerName(last)+".layer_norm1")
	return t.layer(scope, last, pool.pick(x), pool.pick(normed), normed, pool.one)
}

// layer is a pre-norm transformer layer for the tokens x [B,Q,D]: attention from normed [B,Q,D] to all tokens [B,T,D],
// then the MLP.
func (t transformer) layer(scope *model.Scope, i int, x, normed, tokens, visible *Node) *Node {
	name := t.layerName(i)
	x = Add(x, t.attention(scope, name+".self_attn", normed, tokens, visible))
	y := nn.Linear(scope, t.norm(scope, x, name+".layer_norm2"), name+".mlp.fc1", t.inner)
	return Add(x, nn.Linear(scope, t.activation(y), name+".mlp.fc2", t.width))
}

func (t transformer) norm(scope *model.Scope, x *Node, name string) *Node {
	return nn.LayerNorm(scope, x, name, t.eps)
}

// attention is multi-head attention from x [B,Q,D] to tokens [B,T,D]; visible is a bool [B or 1,Q,T], nil if all are
// seen.
func (t transformer) attention(scope *model.Scope, name string, x, tokens, visible *Node) *Node {
	batch, asking, keys, headWidth := x.Shape().Dim(0), x.Shape().Dim(1), tokens.Shape().Dim(1), t.width/t.heads
	// Heads come before tokens: with the batch axes of a product in the middle XLA's CPU compiler is slow, with bfloat16
	// 30 times.
	project := func(x *Node, which string) *Node { // [B,·,D] → [B,H,·,K]
		x = Reshape(nn.Linear(scope, x, name+"."+which, t.width), batch, x.Shape().Dim(1), t.heads, headWidth)
		return TransposeAllDims(x, 0, 2, 1, 3)
	}
	query := MulScalar(project(x, "q_proj"), 1/math.Sqrt(float64(headWidth)))
	key, value := project(tokens, "k_proj"), project(tokens, "v_proj")

	scores := nn.Widen(nn.Contract(query, []int{3}, []int{0, 1}, key, []int{3}, []int{0, 1}))
	scores.AssertDims(batch, t.heads, asking, keys)
	if visible != nil {
		visible = BroadcastToDims(ExpandAxes(visible, 1), scores.Shape().Dimensions...)
		scores = Where(visible, scores, Infinity(scores.Graph(), scores.DType(), -1))
	}
	attended := ConvertDType(Softmax(scores, -1), value.DType())
	mixed := nn.Contract(attended, []int{3}, []int{0, 1}, value, []int{2}, []int{0, 1})
	mixed.AssertDims(batch, t.heads, asking, headWidth)
	mixed = Reshape(TransposeAllDims(mixed, 0, 2, 1, 3), batch, asking, t.width)
	return nn.Linear(scope, mixed, name+".out_proj", t.width)
}

// activation applies the activation.
func (t transformer) activation(x *Node) *Node {
	if t.act == GELU {
		return Mul(x, MulScalar(OnePlus(Erf(MulScalar(x, math.Sqrt2/2))), 0.5))
	}
	return Mul(x, Sigmoid(MulScalar(x, 1.702)))
}
