package train

import "math/rand/v2"

// order says which row each place of the training holds: place p is row p mod rows of epoch p / rows, shuffled by the
// seed and the epoch. It is a function of the place alone, so that a training that goes on needs no state of its data.
type order struct {
	seed  uint64
	rows  int
	epoch int // of shuffled, -1 before the first
	row   []int
}

func newOrder(seed uint64, rows int) *order {
	return &order{seed: seed, rows: rows, epoch: -1, row: make([]int, rows)}
}

// at returns the row at place p.
func (o *order) at(p int) int {
	if epoch := p / o.rows; epoch != o.epoch {
		o.epoch = epoch
		for i := range o.row {
			o.row[i] = i
		}
		rng := rand.New(rand.NewPCG(o.seed, uint64(epoch)))
		rng.Shuffle(o.rows, func(i, j int) { o.row[i], o.row[j] = o.row[j], o.row[i] })
	}
	return o.row[p%o.rows]
}

// noiseKey is the key of the generator's noise at place p: no two places of a training share one.
func noiseKey(seed uint64, p int) uint64 {
	return rand.NewPCG(seed, 1).Uint64() + uint64(p)
}
