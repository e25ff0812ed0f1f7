package world

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/cmd/worlds/scene"
	"illustrator/models/classifier"
	"illustrator/models/nn"
)

// headName is the variable of the linear layer that names attributes: a vector for each value of each attribute of all
// domains.
const headName = "head"

// headScale is the factor of the products of a centered embedding and the layer's vectors.
const headScale = 10

// leastLabelled is the least number of a source's pictures in a batch that are labelled: the mean of fewer says little.
const leastLabelled = 16

// renderSource is a source of a domain's renders.
type renderSource interface{ renders() *Renders }

// labels lists the attributes of all domains, one domain's after the other's. A picture's label has a value for each:
// -1 for those of other domains and for what is not visible.
type labels struct {
	all     classifier.Config
	domains []labelRange
}

// labelRange has the attributes of one domain: first, and the next count-1.
type labelRange struct {
	domain       string
	first, count int
}

func newLabels(shares []Share) (l labels) {
	for _, s := range shares {
		if own, ok := s.Captioned.(renderSource); ok {
			d := own.renders().Domain
			l.domains = append(l.domains, labelRange{d.Name(), len(l.all.Attributes), len(d.Attributes())})
			l.all.Attributes = append(l.all.Attributes, attributesOf(d)...)
		}
	}
	return l
}

// none is the label of a picture of no domain.
func (l labels) none() []int32 { return slices.Repeat([]int32{-1}, len(l.all.Attributes)) }

// of returns the label of a domain's picture with the visible values.
func (l labels) of(domain string, values []int32) []int32 {
	line := l.none()
	for _, d := range l.domains {
		if d.domain == domain {
			copy(line[d.first:], values)
		}
	}
	return line
}

// head returns fresh weights of the linear layer: a short random vector of width values for each value.
func (l labels) head(seed uint64, width int) *tensors.Tensor {
	random, rows := scene.Random(seed, 0), 0
	for _, a := range l.all.Attributes {
		rows += len(a.Values)
	}
	weights := make([]float32, rows*width)
	for i := range weights {
		weights[i] = float32(0.05 * random.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(weights, rows, width)
}

// crossEntropy is that of labels, named by the linear layer from embeddings. The layer sees a unit embedding less the
// mean of its domain in the batch, at length 1: where the domain's cone lies, and how wide it is, is left to the
// contrastive loss.
func (l labels) crossEntropy(scope *model.Scope, embeds, values *Node) *Node {
	head := scope.GetVariable(headName).NodeValue(embeds.Graph())
	centered := L2Normalize(l.center(L2Normalize(embeds, -1), values), -1)
	return classifier.CrossEntropy(l.all, MulScalar(nn.MatMulT(centered, head), headScale), values)
}

// center returns embeddings less the mean of those with labels of the same domain, 0 for those without labels.
func (l labels) center(embeds, values *Node) *Node {
	sum := ZerosLike(embeds)
	for _, d := range l.domains {
		own := Slice(values, AxisRange(), AxisRange(d.first, d.first+d.count))
		of := ConvertDType(GreaterOrEqual(ReduceMax(own, 1), Scalar(own.Graph(), own.DType(), 0)), embeds.DType())
		mean := Div(Dot(of, embeds).Product(), MaxScalar(ReduceAllSum(of), 1))
		sum = Add(sum, Mul(InsertAxes(of, -1), Sub(embeds, InsertAxes(mean, 0))))
	}
	return sum
}
