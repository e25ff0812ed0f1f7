package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
)

// AreaResize resizes pictures x [B,C,H,W] to [B,C,height,width] by the exact area filter: each new pixel is the mean of
// the interval of the old picture that it covers, where a pixel covered in part counts in part. Where the new size
// divides the old one this is average pooling; in the official release nearest ×7 then average pooling does the same.
// An axis that has its size already is left as it is.
func AreaResize(x *Node, height, width int) *Node {
	x.AssertRank(4)
	if size := x.Shape().Dimensions; size[2] == height && size[3] == width {
		return x
	}
	// Each product moves the new axis to the end: [B,C,H,W] → [B,C,W,height] → [B,C,height,width].
	x = Contract(x, []int{2}, nil, areaWeights(x, x.Shape().Dim(2), height), []int{1}, nil)
	return Contract(x, []int{2}, nil, areaWeights(x, x.Shape().Dim(2), width), []int{1}, nil)
}

// areaWeights returns the matrix [to,from] of the area filter in the dtype of x: the overlap of the old pixel j,
// [j, j+1), and of the new pixel i, [i·from/to, (i+1)·from/to), over the latter's length. It is computed in the graph
// from whole numbers, in units of 1/to of an old pixel, so that it is exact and takes no room in the program.
func areaWeights(x *Node, from, to int) *Node {
	g, shape := x.Graph(), shapes.Make(dtypes.Int32, to, from)
	i, j := Iota(g, shape, 0), Iota(g, shape, 1)
	begin := Max(MulScalar(i, from), MulScalar(j, to))
	end := Min(MulScalar(OnePlus(i), from), MulScalar(OnePlus(j), to))
	overlap := ConvertDType(MaxScalar(Sub(end, begin), 0), x.DType())
	return DivScalar(overlap, from)
}

// TF1BilinearResize resizes pictures x [B,C,H,W] to [B,C,height,width] as TensorFlow 1's resize_bilinear without
// align_corners does: new pixel i is read at i·H/height, between its two neighbours, without a half-pixel offset and
// without a filter against aliasing. It is what the statistics of published FIDs were made with.
func TF1BilinearResize(x *Node, height, width int) *Node {
	x.AssertRank(4)
	x = Contract(x, []int{2}, nil, tf1Weights(x, x.Shape().Dim(2), height), []int{1}, nil)
	return Contract(x, []int{2}, nil, tf1Weights(x, x.Shape().Dim(2), width), []int{1}, nil)
}

// tf1Weights returns the matrix [to,from] of TF1BilinearResize in the dtype of x. Positions are in float32, as in
// TensorFlow.
func tf1Weights(x *Node, from, to int) *Node {
	g, shape := x.Graph(), shapes.Make(dtypes.Float32, to, from)
	position := MulScalar(Iota(g, shape, 0), float32(float64(from)/float64(to)))
	low := Floor(position)
	high := MinScalar(OnePlus(low), float64(from-1))
	share := Sub(position, low)
	j := Iota(g, shape, 1)
	at := func(place, weight *Node) *Node { return Where(Equal(j, place), weight, ZerosLike(weight)) }
	return ConvertDType(Add(at(low, OneMinus(share)), at(high, share)), x.DType())
}
