package train

import (
	"math/bits"
	"math/rand/v2"
)

// Order says which row each place of the training holds: place p is row p mod rows of epoch p / rows, shuffled by the
// seed and the epoch. It is a function of the place alone and needs no memory, whatever the number of rows: a resumed
// training needs no state of its data but the place.
//
// The shuffle is a Feistel network on the smallest even number of bits that counts the rows; numbers beyond them are
// sent through again until they fall within ("cycle walking", Black and Rogaway 2002), less than 4 times on average.
type Order struct {
	rows  uint64
	half  int // bits of each half
	seed  uint64
	epoch int // of keys, -1 before the first
	keys  [rounds]uint64
}

// rounds of the Feistel network. Four are enough for a pseudo-random permutation (Luby and Rackoff 1988); small halves
// want more.
const rounds = 8

// NewOrder returns the order of rows that seed shuffles.
func NewOrder(seed uint64, rows int) *Order {
	return &Order{rows: uint64(rows), half: max(1, (bits.Len64(uint64(rows-1))+1)/2), seed: seed, epoch: -1}
}

// At returns the row at place p.
func (o *Order) At(p int) int {
	if epoch := p / int(o.rows); epoch != o.epoch {
		o.epoch = epoch
		source := rand.NewPCG(o.seed, uint64(epoch))
		for i := range o.keys {
			o.keys[i] = source.Uint64()
		}
	}
	row := o.permute(uint64(p) % o.rows)
	for row >= o.rows {
		row = o.permute(row)
	}
	return int(row)
}

// permute is a bijection of the numbers of 2·half bits.
func (o *Order) permute(x uint64) uint64 {
	mask := uint64(1)<<o.half - 1
	left, right := x>>o.half, x&mask
	for _, key := range o.keys {
		left, right = right, left^(mix(right^key)&mask)
	}
	return left<<o.half | right
}

// mix is SplitMix64's finaliser (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// noiseKey is the key of the generator's noise at place p: no two places of a training share one.
func noiseKey(seed uint64, p int) uint64 {
	return rand.NewPCG(seed, 1).Uint64() + uint64(p)
}
