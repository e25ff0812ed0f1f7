package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

const (
	strengthSteps     = 100_000
	strengthTolerance = 1e-13 // largest change of a strength in one step
)

// Strengths returns the Bradley-Terry strengths of systems from pairwise comparisons, with mean 0: system i wins
// against j with probability 1/(1+exp(s[j]-s[i])). wins[i][j] counts the comparisons that i won against j; a tie is
// half a win for each. It returns the estimate of maximum likelihood, by Hunter's minorization-maximization (2004,
// Annals of Statistics 32:384, equation 3). That estimate exists if no group of systems won, or lost, every comparison
// with the others; it is an error if it does not.
func Strengths(wins [][]float64) ([]float64, error) {
	if err := checkWins(wins); err != nil {
		return nil, err
	}
	n := len(wins)
	strengths := make([]float64, n)
	for range strengthSteps {
		next, mean := make([]float64, n), 0.0
		for i := range n {
			won, weight := 0.0, 0.0
			for j := range n {
				if i != j {
					won += wins[i][j]
					weight += (wins[i][j] + wins[j][i]) / (math.Exp(strengths[i]) + math.Exp(strengths[j]))
				}
			}
			next[i] = math.Log(won / weight)
			mean += next[i] / float64(n)
		}
		change := 0.0
		for i := range next {
			next[i] -= mean
			change = max(change, math.Abs(next[i]-strengths[i]))
		}
		strengths = next
		if change < strengthTolerance {
			return strengths, nil
		}
	}
	return nil, fmt.Errorf("strengths of %d systems: no convergence after %d steps", n, strengthSteps)
}

// checkWins reports the first count that is wrong, and comparisons that have no estimate.
func checkWins(wins [][]float64) error {
	n := len(wins)
	if n < 2 {
		return tooFew("strengths", n, 2)
	}
	beats := simple.NewDirectedGraph()
	for i := range n {
		beats.AddNode(simple.Node(i))
	}
	for i, row := range wins {
		if len(row) != n {
			return fmt.Errorf("strengths: row %d of the wins has %d counts, not %d", i, len(row), n)
		}
		for j, count := range row {
			if !(count >= 0) || math.IsInf(count, 0) || i == j && count != 0 {
				return fmt.Errorf("strengths: system %d won %g times against %d", i, count, j)
			}
			if count > 0 {
				beats.SetEdge(beats.NewEdge(simple.Node(i), simple.Node(j)))
			}
		}
	}
	if groups := len(topo.TarjanSCC(beats)); groups > 1 {
		return fmt.Errorf("strengths: the systems fall into %d groups, between which one side won every comparison "+
			"or there is none: their strengths have no finite estimate", groups)
	}
	return nil
}
