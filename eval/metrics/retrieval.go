package metrics

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/sampleuv"

	"illustrator/internal/fault"
)

// RPrecision is the share of pictures whose own text is, by cosine, nearer than all of the texts it competes with.
var RPrecision = Definition{Name: "r_precision", Unit: Share, Better: Higher}

// tie is the difference of cosines below which two texts are equally near: what float32 embeddings cannot tell apart,
// as one text's embedding differs by as much from batch to batch.
const tie = 1e-6

// RPrecisions says of each picture whether its own text is the nearest of candidates texts: its own and others that are
// drawn, without repetition, by seed and the picture's row. 100 candidates are R-precision as AttnGAN defined it (Xu et
// al. 2018, section 4: one true text and 99 others); 0 takes all texts, 1 of N. Chance gives 1/candidates.
//
// images is [N,E], texts [T,E], own[i] the row of texts that belongs to picture i. The credit is 1 or 0, or 1/k where
// the own text shares the first place with k-1 others: what guessing among them would earn. The mean of the credits is
// RPrecision.
func RPrecisions(images, texts *mat.Dense, own []int, candidates int, seed uint64) ([]float64, error) {
	if err := needBoth(RPrecision.Name, images, texts, 1); err != nil {
		return nil, err
	}
	n, dim := images.Dims()
	t, _ := texts.Dims()
	if candidates == 0 {
		candidates = t
	}
	if err := checkCandidates(n, t, own, candidates); err != nil {
		return nil, err
	}
	texts = unit(texts)
	credits, chosen := make([]float64, n), make([]int, candidates-1)
	step := max(1, (1<<21)/t) // pictures at a time: 16 MiB of cosines
	for from := 0; from < n; from += step {
		to := min(from+step, n)
		var cosines mat.Dense
		cosines.Mul(unit(images.Slice(from, to, 0, dim).(*mat.Dense)), texts.T())
		for i := from; i < to; i++ {
			if candidates == t {
				sequence(chosen)
			} else {
				sampleuv.WithoutReplacement(chosen, t-1, rand.NewPCG(seed, uint64(i)))
			}
			credits[i] = credit(cosines.RawRowView(i-from), own[i], chosen)
		}
	}
	return credits, nil
}

func checkCandidates(n, t int, own []int, candidates int) error {
	if len(own) != n {
		return fmt.Errorf("%s: %d pictures have %d texts", RPrecision.Name, n, len(own))
	}
	for i, o := range own {
		if o < 0 || o >= t {
			return fmt.Errorf("%s: picture %d belongs to text %d of %d", RPrecision.Name, i, o, t)
		}
	}
	if candidates < 2 {
		return fault.Usage(fmt.Errorf("%s: 1 of %d is not a choice", RPrecision.Name, candidates), "give at least 2 texts")
	}
	if candidates > t {
		return fault.Usage(fmt.Errorf("%s: 1 of %d needs %d different texts, there are %d", RPrecision.Name, candidates,
			candidates, t),
			"give more texts, or rank among all %d of them", t)
	}
	return nil
}

// credit is the share of the first place that own has against the chosen, which count the texts without it.
func credit(cosines []float64, own int, chosen []int) float64 {
	first := 1
	for _, c := range chosen {
		if c >= own {
			c++
		}
		switch difference := cosines[c] - cosines[own]; {
		case difference > tie:
			return 0
		case difference >= -tie:
			first++
		}
	}
	return 1 / float64(first)
}

func sequence(of []int) {
	for i := range of {
		of[i] = i
	}
}
