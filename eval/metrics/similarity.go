package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"illustrator/internal/vectors"
)

// Metrics between a picture and its text.
var (
	// CLIPSimilarity is the cosine of the text's and the picture's embeddings.
	CLIPSimilarity = Definition{Name: "clip_similarity", Better: Higher}
	// CLIPScore is CLIP-S of Hessel et al. 2021 (EMNLP), section 3: 2.5·max(cos, 0), the text prefixed by CLIPScorePrefix.
	CLIPScore = Definition{Name: "clip_score", Unit: Amount, Better: Higher}
	// CLIPScoreTorchMetrics is torchmetrics' CLIPScore: 100·max(mean cos, 0), without a prefix of the text.
	CLIPScoreTorchMetrics = Definition{Name: "clip_score_torchmetrics", Better: Higher}
	// InputSimilarity is the cosine of the embedding that the mapper gets (eq. 3) and that of its picture.
	InputSimilarity = Definition{Name: "input_similarity"}
)

// CLIPScorePrefix stands before a text that is embedded for CLIPScore: "A photo depicts" and a space, as in the
// reference implementation (jmhessel/clipscore). Whoever embeds the text puts it there.
const CLIPScorePrefix = "A photo depicts "

// cosines returns the cosine of each row of x with the same row of y, such as pictures and their texts.
func cosines(x, y *mat.Dense) ([]float64, error) {
	if err := needBoth("cosines", x, y, 1); err != nil {
		return nil, err
	}
	n, _ := x.Dims()
	if m, _ := y.Dims(); m != n {
		return nil, fmt.Errorf("cosines: %d rows cannot be paired with %d", n, m)
	}
	cosines := make([]float64, n)
	for i := range cosines {
		cosines[i] = vectors.Cosine(x.RawRowView(i), y.RawRowView(i))
	}
	return cosines, nil
}

// CLIPScores returns CLIPScore of each cosine between a picture and its prefixed text: 0 to 2.5. The score of a set is
// their mean.
func CLIPScores(cosines []float64) []float64 {
	scores := make([]float64, len(cosines))
	for i, c := range cosines {
		scores[i] = 2.5 * math.Max(c, 0)
	}
	return scores
}

// TorchMetricsCLIPScore returns CLIPScoreTorchMetrics of cosines: 0 to 100. torchmetrics 1.9 cuts off negative values
// after the mean, not before it as its documentation reads; they differ only where some cosines are negative.
func TorchMetricsCLIPScore(cosines []float64) (Metric, error) {
	if len(cosines) == 0 {
		return Metric{}, tooFew(CLIPScoreTorchMetrics.Name, 0, 1)
	}
	return Metric{Definition: CLIPScoreTorchMetrics, Value: math.Max(0, 100*stat.Mean(cosines, nil)), N: len(cosines)}, nil
}

// unit returns the rows of x divided by their length; a row of zeros stays.
func unit(x *mat.Dense) *mat.Dense {
	u := mat.DenseCopyOf(x)
	n, _ := u.Dims()
	for i := range n {
		row := u.RawRowView(i)
		if length := floats.Norm(row, 2); length > 0 {
			floats.Scale(1/length, row)
		}
	}
	return u
}
