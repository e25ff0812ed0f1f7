package metrics

import (
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// tile is the number of rows on each side of one product: 8 MiB of float64, independent of the number of rows.
const tile = 1024

// tiles calls visit with the inner products of rows i, i+1, … of x and rows j, j+1, … of y, tile by tile. The tile is
// overwritten by the next. With symmetric, where x is y, tiles below the diagonal are left out.
func tiles(x, y *mat.Dense, symmetric bool, visit func(i, j int, products *mat.Dense)) {
	n, d := x.Dims()
	m, _ := y.Dims()
	room := make([]float64, min(n, tile)*min(m, tile))
	for i := 0; i < n; i += tile {
		first := 0
		if symmetric {
			first = i
		}
		for j := first; j < m; j += tile {
			iEnd, jEnd := min(i+tile, n), min(j+tile, m)
			products := mat.NewDense(iEnd-i, jEnd-j, room[:(iEnd-i)*(jEnd-j)])
			products.Mul(x.Slice(i, iEnd, 0, d), y.Slice(j, jEnd, 0, d).T())
			visit(i, j, products)
		}
	}
}

// rowPairs visits all pairs of rows i of x and j of y, or with symmetric, where x is y, those above the diagonal, with
// the inner products xy of the two, and xx and yy of each with itself.
func rowPairs(x, y *mat.Dense, symmetric bool, visit func(i, j int, xy, xx, yy float64)) {
	xx, yy := squaredNorms(x), squaredNorms(y)
	tiles(x, y, symmetric, func(i0, j0 int, products *mat.Dense) {
		rows, _ := products.Dims()
		for i := range rows {
			row, first := products.RawRowView(i), 0
			if symmetric {
				first = max(0, i0+i+1-j0)
			}
			for j := first; j < len(row); j++ {
				visit(i0+i, j0+j, row[j], xx[i0+i], yy[j0+j])
			}
		}
	})
}

// squaredNorms returns the inner product of each row with itself.
func squaredNorms(x *mat.Dense) []float64 {
	n, _ := x.Dims()
	norms := make([]float64, n)
	for i := range norms {
		row := x.RawRowView(i)
		norms[i] = floats.Dot(row, row)
	}
	return norms
}
