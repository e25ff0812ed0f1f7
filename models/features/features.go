// Package features runs networks on pictures of any size, in batches: features for FID and KID, perceptual distances,
// and other pictures. Plain slices at its border, one device behind it.
//
// Axes: N pictures, H height, W width, D features.
package features

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/batch"
	"illustrator/models/inception"
	"illustrator/models/lpips"
)

// batchSize is the number of pictures that go through a network at once. Results don't depend on it.
const batchSize = 16

// Extractor makes feature vectors of pictures. It is for one goroutine at a time.
type Extractor struct {
	// Name says what the features are, the resizing filter included: results with another name are not comparable.
	Name string
	// SHA256 is that of the weights.
	SHA256 string
	// Dim is D, the length of a feature vector.
	Dim int

	runner *batch.Runner
	build  func(scope *model.Scope, images *graph.Node) *graph.Node
	batch  int // pictures that go through at once
}

// Open loads the feature extractor at location: a folder as illustrator convert writes it, of model_type
// "inception-fid", or an ONNX file with its settings beside it (ONNXOptions).
func Open(backend compute.Backend, location string) (*Extractor, error) {
	if isONNX(location) {
		o, err := readONNXOptions(location)
		if err != nil {
			return nil, err
		}
		return OpenONNX(backend, location, o)
	}
	var cfg inception.Config
	runner := batch.NewRunner(backend)
	sha, err := load(location, &cfg, func(w *checkpoints.Weights) error {
		return inception.Load(runner.Store.RootScope(), cfg, w, dtypes.Float32)
	})
	if err != nil {
		return nil, fmt.Errorf("open feature extractor %q: %w", location, err)
	}
	return &Extractor{
		Name: inception.ModelType + " " + inception.Resize, SHA256: sha, Dim: cfg.FeatureDim, runner: runner,
		batch: batchSize,
		build: func(scope *model.Scope, images *graph.Node) *graph.Node {
			return inception.Build(scope, cfg, inception.Preprocess(images))
		},
	}, nil
}

// Fix sets the number of pictures of each program, as batch.Runner.Shapes with one element.
func (e *Extractor) Fix(pictures int) { e.runner.Shapes = []int{max(pictures, 1)} }

// Features returns the features [N,D] of pictures [N,3,height,width] in [-1,1]; what is beyond is clamped.
func (e *Extractor) Features(ctx context.Context, images []float32, height, width int) ([]float32, error) {
	out, err := batch.Run(ctx, e.runner, fmt.Sprintf("features %dx%d", width, height), e.build, e.batch,
		batch.Rows(images, 3, height, width))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Distance measures how different two pictures look. It is for one goroutine at a time.
type Distance struct {
	// Name says what the distance is, such as "lpips-0.1 vgg".
	Name string
	// SHA256 is that of the weights.
	SHA256 string

	runner *batch.Runner
	build  func(scope *model.Scope, a, b *graph.Node) *graph.Node
	batch  int // pairs that go through at once
	least  int // pixels of a side
}

// OpenDistance loads the perceptual distance at location: a folder as illustrator convert writes it, of model_type
// "lpips", or an ONNX file with its settings beside it (ONNXOptions).
func OpenDistance(backend compute.Backend, location string) (*Distance, error) {
	if isONNX(location) {
		o, err := readONNXOptions(location)
		if err != nil {
			return nil, err
		}
		return OpenONNXDistance(backend, location, o)
	}
	d, cfg := &Distance{runner: batch.NewRunner(backend), batch: batchSize}, lpips.Config{}
	sha, err := load(location, &cfg, func(w *checkpoints.Weights) error {
		return lpips.Load(d.runner.Store.RootScope(), cfg, w, dtypes.Float32)
	})
	if err != nil {
		return nil, fmt.Errorf("open perceptual distance %q: %w", location, err)
	}
	d.Name, d.SHA256, d.least = "lpips-0.1 "+string(cfg.Net), sha, cfg.MinSize()
	d.build = func(scope *model.Scope, a, b *graph.Node) *graph.Node {
		return lpips.Build(scope, cfg, graph.ClipScalar(a, -1, 1), graph.ClipScalar(b, -1, 1))
	}
	return d, nil
}

func isONNX(location string) bool { return strings.EqualFold(filepath.Ext(location), ".onnx") }

// Fix sets the number of pairs of each program, as batch.Runner.Shapes with one element.
func (d *Distance) Fix(pairs int) { d.runner.Shapes = []int{max(pairs, 1)} }

// Distances returns the distance [N] of each pair of pictures a and b [N,3,height,width] in [-1,1]; what is beyond is
// clamped. Pictures are compared in the size that they have, which changes the distance.
func (d *Distance) Distances(ctx context.Context, a, b []float32, height, width int) ([]float32, error) {
	if min(height, width) < d.least {
		return nil, fault.Usage(fmt.Errorf("pictures of %d×%d pixels are too small for %s", width, height, d.Name),
			"give pictures of at least %d×%[1]d pixels", d.least)
	}
	out, err := batch.Run(ctx, d.runner, fmt.Sprintf("distances %dx%d", width, height), d.build, d.batch,
		batch.Rows(a, 3, height, width), batch.Rows(b, 3, height, width))
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// config is the common part of the networks' configurations.
type config interface{ Validate() error }

// load reads the folder at location into cfg, hands its weights to put, and returns their SHA-256.
func load(location string, cfg config, put func(*checkpoints.Weights) error) (sha256 string, err error) {
	folder, err := checkpoints.Open(location)
	if err != nil {
		return "", err
	}
	if err := folder.Config(cfg); err != nil {
		return "", err
	}
	if err := cfg.Validate(); err != nil {
		return "", err
	}
	weights, err := folder.Weights()
	if err != nil {
		return "", err
	}
	return folder.SHA256(), put(weights)
}
