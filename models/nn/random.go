package nn

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
)

// NormalNoise draws n numbers from N(0,1) for each key: keys [B] uint64 → [B,n] float32. They are a function of the key
// and the position alone, whatever the batch: Threefry-2x32 with 20 rounds (Salmon et al. 2011) and Box-Muller. No
// gradient flows through them.
func NormalNoise(keys *Node, n int) *Node {
	g, batch, half := keys.Graph(), keys.Shape().Dim(0), (n+1)/2
	keys = InsertAxes(keys, 1)
	low := ConvertDType(BitwiseAnd(keys, ConstAs(keys, uint64(math.MaxUint32))), dtypes.Uint32)
	high := ConvertDType(BitwiseShiftRightLogicalScalar(keys, 32), dtypes.Uint32)
	shape := shapes.Make(dtypes.Uint32, batch, half)
	counter := Iota(g, shape, 1)
	x0, x1 := threefry(BroadcastToShape(low, shape), BroadcastToShape(high, shape), counter, ZerosLike(counter))

	radius := Sqrt(MulScalar(Log(uniform(x0)), -2))
	angle := MulScalar(uniform(x1), 2*math.Pi)
	normal := Concatenate([]*Node{Mul(radius, Cos(angle)), Mul(radius, Sin(angle))}, 1)
	return StopGradient(Slice(normal, AxisRange(), AxisRange(0, n)))
}

// uniform maps 32 random bits to the middle of one of 2²⁴ equal parts of (0,1), so that its logarithm is finite.
func uniform(bits *Node) *Node {
	x := ConvertDType(BitwiseShiftRightLogicalScalar(bits, 8), dtypes.Float32)
	return MulScalar(AddScalar(x, 0.5), 1.0/(1<<24))
}

// threefry is the Threefry-2x32-20 block function of key (k0,k1) and counter (x0,x1), all uint32 of one shape.
func threefry(k0, k1, x0, x1 *Node) (*Node, *Node) {
	rotations := [8]uint32{13, 15, 26, 6, 17, 29, 16, 24}
	keys := [3]*Node{k0, k1, BitwiseXor(BitwiseXor(k0, k1), ConstAs(k0, uint32(0x1BD11BDA)))}
	x0, x1 = Add(x0, keys[0]), Add(x1, keys[1])
	for round := range 20 {
		r := rotations[round%8]
		x0 = Add(x0, x1)
		x1 = BitwiseOr(BitwiseShiftLeftScalar(x1, r), BitwiseShiftRightLogicalScalar(x1, 32-r))
		x1 = BitwiseXor(x1, x0)
		if round%4 == 3 {
			i := round/4 + 1
			x0 = Add(x0, keys[i%3])
			x1 = Add(x1, Add(keys[(i+1)%3], ConstAs(x1, uint32(i))))
		}
	}
	return x0, x1
}
