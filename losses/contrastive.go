package losses

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// Contrastive is CLIP's loss (Radford et al. 2021, figure 3; InfoNCE): the mean of the cross-entropies of each picture
// among all texts and of each text among all pictures, whose own pair is the right answer. Embeddings [B,E] are
// normalised here; logitScale is the logarithm of the factor of their cosines, the inverse of the temperature.
func Contrastive(imageEmbeds, textEmbeds, logitScale *Node) *Node {
	images, texts := unit(wide(imageEmbeds)), unit(wide(textEmbeds))
	batch := images.Shape().Dim(0)
	texts.AssertDims(batch, images.Shape().Dim(1))
	cosines := Dot(images, texts).General([]int{1}, nil, []int{1}, nil) // [pictures, texts]
	logits := Mul(cosines, Exp(wide(logitScale)))

	square := shapes.Make(dtypes.Int32, batch, batch)
	own := Equal(Iota(logits.Graph(), square, 0), Iota(logits.Graph(), square, 1))
	among := func(axis int) *Node {
		return Neg(DivScalar(ReduceAllSum(Where(own, LogSoftmax(logits, axis), ZerosLike(logits))), float64(batch)))
	}
	return MulScalar(Add(among(1), among(0)), 0.5)
}

// unit divides the rows of x [B,E] by their lengths.
func unit(x *Node) *Node { return Div(x, InsertAxes(length(x), -1)) }
