package world

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/cmd/worlds/scene"
	"illustrator/models/batch"
	"illustrator/models/clip"
	"illustrator/models/nn"
)

// Geometry describes how a CLIP's embeddings of a source of captioned pictures lie. All are of unit length.
type Geometry struct {
	Source string `json:"source"`
	Pairs  int    `json:"pairs"`
	// Pictures, Texts and Unmatched are mean cosines of two pictures, of two texts, and of a picture and another's
	// text. Matched is that of a picture and its own text.
	Pictures  float64 `json:"pictures"`
	Texts     float64 `json:"texts"`
	Matched   float64 `json:"matched"`
	Unmatched float64 `json:"unmatched"`
	// Distance is that of the mean picture and the mean text.
	Distance float64 `json:"distance_of_means"`
	// Retrieval is the share of texts whose own picture is the nearest of 100.
	Retrieval float64 `json:"retrieval_1_of_100"`
	// ZeroShot are the shares of pictures whose value of an attribute is that of the nearest mean text.
	ZeroShot []Accuracy `json:"zero_shot,omitempty"`

	pictures, texts [][]float64
}

// retrievalSet is the number of pictures that a text's own is sought among.
const retrievalSet = 100

// Report describes a CLIP.
type Report struct {
	LogitScale float64    `json:"logit_scale"` // the factor of cosines, 1 / temperature
	Sources    []Geometry `json:"sources"`
	// Between has the cosines of the unit means of two sources' pictures, by "a, b".
	Between map[string]float64 `json:"between"`
	// Words has the cosine of each of Texts with the mean picture of each source.
	Words map[string]map[string]float64 `json:"words"`
}

// foreignTexts are texts that no domain's captions have.
var foreignTexts = []string{"a red sports car", "a slice of pizza", "an airplane", "a bicycle", "a church",
	"a cat", "a person"}

// measuredPairs is the number of held-out pairs of each source.
const measuredPairs = 1000

// Geometry measures the trained CLIP on pictures that it was not trained on, and writes what it finds to
// shared/geometry.json.
func (m *Maker) Geometry(ctx context.Context, shares []Share) (*Report, error) {
	weights, err := m.clipWeights()
	if err != nil {
		return nil, err
	}
	cfg, tokenizer, err := m.tokenizer(shares)
	if err != nil {
		return nil, err
	}
	e := &embedder{batch.NewRunner(m.Backend), cfg, tokenizer}
	if err := nn.Load(e.Store.Scope("/"+clipScope), weights, dtypes.Float32, false); err != nil {
		return nil, err
	}
	scale, err := e.Store.Scope("/" + clipScope).GetVariable("logit_scale").Value()
	if err != nil {
		return nil, err
	}
	report := &Report{LogitScale: math.Exp(float64(scale.Value().(float32))), Between: map[string]float64{},
		Words: map[string]map[string]float64{}}
	foreign, err := e.texts(ctx, foreignTexts)
	if err != nil {
		return nil, err
	}
	for _, text := range foreignTexts {
		report.Words[text] = map[string]float64{}
	}
	for i, s := range shares {
		g, err := e.geometry(ctx, s, m.Plan.Seed+40+uint64(i))
		if err != nil {
			return nil, fmt.Errorf("geometry of %s: %w", s.Name(), err)
		}
		mean := unitMean(g.pictures)
		for j, text := range foreignTexts {
			report.Words[text][s.Name()] = dot(mean, foreign[j])
		}
		for _, other := range report.Sources {
			report.Between[other.Source+", "+g.Source] = dot(mean, unitMean(other.pictures))
		}
		report.Sources = append(report.Sources, *g)
	}
	return report, m.write(Shared, "geometry.json", report)
}

// embedder embeds texts and pictures with a CLIP of float32 variables.
type embedder struct {
	*batch.Runner
	cfg       clip.Config
	tokenizer *clip.Tokenizer
}

// geometry measures pairs of a source: those that are held out, or all where it holds out none.
func (e *embedder) geometry(ctx context.Context, s Share, seed uint64) (*Geometry, error) {
	from, count := s.Len(), min(s.HeldOut(), measuredPairs)
	if count == 0 {
		from, count = 0, min(s.Len(), measuredPairs)
	}
	rows, captions, random := make([]int, count), make([]string, count), scene.Random(seed, 0)
	for i := range rows {
		rows[i] = from + i
		captions[i] = s.Caption(rows[i], random)
	}
	pixels, err := s.Captioned.Pictures(rows)
	if err != nil {
		return nil, err
	}
	g := &Geometry{Source: s.Name(), Pairs: count}
	if g.pictures, err = e.pictures(ctx, pixels); err != nil {
		return nil, err
	}
	if g.texts, err = e.texts(ctx, captions); err != nil {
		return nil, err
	}
	g.measure()
	if own, ok := s.Captioned.(renderCaptions); ok {
		g.ZeroShot, err = e.zeroShot(ctx, own.Renders, rows, g.pictures)
	}
	return g, err
}

func (g *Geometry) measure() {
	n := float64(len(g.pictures))
	mean := func(rows [][]float64) []float64 {
		m := make([]float64, len(rows[0]))
		for _, row := range rows {
			for i, x := range row {
				m[i] += x / n
			}
		}
		return m
	}
	pictures, texts := mean(g.pictures), mean(g.texts)
	for i := range g.pictures {
		g.Matched += dot(g.pictures[i], g.texts[i]) / n
	}
	// Sums over all pairs of rows are products of means; a row's pair with itself is taken off.
	g.Pictures = (n*dot(pictures, pictures) - 1) / (n - 1)
	g.Texts = (n*dot(texts, texts) - 1) / (n - 1)
	g.Unmatched = (n*dot(pictures, texts) - g.Matched) / (n - 1)
	for i := range pictures {
		g.Distance += (pictures[i] - texts[i]) * (pictures[i] - texts[i])
	}
	g.Distance = math.Sqrt(g.Distance)
	sets := len(g.texts) / retrievalSet
	for i := range sets * retrievalSet {
		first := i / retrievalSet * retrievalSet
		best := first
		for j := first; j < first+retrievalSet; j++ {
			if dot(g.texts[i], g.pictures[j]) > dot(g.texts[i], g.pictures[best]) {
				best = j
			}
		}
		if best == i {
			g.Retrieval += 1 / float64(sets*retrievalSet)
		}
	}
}

func (e *embedder) pictures(ctx context.Context, pixels []uint8) ([][]float64, error) {
	size := e.cfg.Vision.ImageSize
	out, err := batch.Run(ctx, e.Runner, "pictures", func(scope *model.Scope, pixels *Node) *Node {
		x := images(pixels, Scalar(pixels.Graph(), dtypes.Float32, 0))
		return L2Normalize(clip.ImageEmbeds(scope.At(clipScope), e.cfg, clip.Preprocess(e.cfg, x)), -1)
	}, 64, batch.Rows(pixels, size, size, 3))
	if err != nil {
		return nil, err
	}
	return rowsOf(out[0], e.cfg.ProjectionDim), nil
}

func (e *embedder) texts(ctx context.Context, texts []string) ([][]float64, error) {
	out, err := batch.Run(ctx, e.Runner, "texts", func(scope *model.Scope, ids *Node) *Node {
		return L2Normalize(clip.TextEmbeds(scope.At(clipScope), e.cfg, ids), -1)
	}, 64, batch.Rows(tokens(e.tokenizer, texts), e.tokenizer.Context()))
	if err != nil {
		return nil, err
	}
	return rowsOf(out[0], e.cfg.ProjectionDim), nil
}

func rowsOf(flat []float32, width int) (rows [][]float64) {
	for from := 0; from < len(flat); from += width {
		row := make([]float64, width)
		for i := range row {
			row[i] = float64(flat[from+i])
		}
		rows = append(rows, row)
	}
	return rows
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// unitMean is the mean of rows at length 1.
func unitMean(rows [][]float64) []float64 {
	mean := make([]float64, len(rows[0]))
	for _, row := range rows {
		for i, x := range row {
			mean[i] += x
		}
	}
	length := math.Sqrt(dot(mean, mean))
	for i := range mean {
		mean[i] /= length
	}
	return mean
}
