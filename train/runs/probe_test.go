package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/configs"
	"illustrator/data/seeds"
	"illustrator/internal/pace"
	"illustrator/losses"
	"illustrator/models/host"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/xla/programs"
	"illustrator/train"
)

// book is a book of paces in memory.
type book map[string]pace.Pace

func (b book) of(kind string) (pace.Pace, bool) { p, known := b[kind]; return p, known }

// Stages to come have an estimate before they begin: those that no earlier process and no other stage tells are timed.
func TestUnknownStages(t *testing.T) {
	parts := []host.Part{{Units: 4000, Kind: "l1"}, {Units: 700, Kind: "all"}, {Units: 500, Kind: "more"},
		{Units: 300, Kind: "all"}, {Units: probeWorth - 1, Kind: "short"}}
	for _, c := range []struct {
		what  string
		known book
		done  int
		want  []int
	}{
		{"the first training", nil, 0, []int{1, 2}},
		{"resumed in the first stage", nil, 3999, []int{1, 2}},
		{"the second stage begins", nil, 4000, []int{2}},
		{"resumed in the third stage", nil, 4701, []int{3}},
		{"one stage is known", book{"all": {}}, 0, []int{2}},
		{"all are known", book{"all": {}, "more": {}}, 0, nil},
		{"finished", nil, 5599, nil},
	} {
		if got := unknownStages(host.Env{Pace: c.known.of}, parts, c.done); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// normals are pairs of random vectors.
type normals int

func (n normals) Len() int { return int(n) }

func (n normals) Read(rows []int, z, imageEmbeds []float32) error {
	for i, row := range rows {
		copy(z[i*pipelinetest.ZDim:], seeds.Z(uint64(row), pipelinetest.ZDim))
		copy(imageEmbeds[i*pipelinetest.EmbedDim:], seeds.Z(uint64(row)+1<<32, pipelinetest.EmbedDim))
	}
	return nil
}

// tinyTraining is one of two stages with other losses.
func tinyTraining(t *testing.T) *train.Training {
	t.Helper()
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	networks, err := pipeline.Open(nntest.Backend(t),
		pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		t.Fatal(err)
	}
	config := configs.Paper().Train
	config.Batch, config.Validation.Rows, config.Stages = 4, 4, nil
	for name, w := range map[string]losses.Weights{"first": {L1: 1}, "second": {L1: 1, Regularization: 1}} {
		config.Stages = append(config.Stages, train.Stage{Name: name, Losses: w,
			Schedule: train.Schedule{Kind: "constant", Steps: probeWorth, LearningRate: 1e-3}})
	}
	slices.SortFunc(config.Stages, func(a, b train.Stage) int { return strings.Compare(a.Name, b.Name) })
	return &train.Training{Config: config.Resolved(40), Networks: networks, Pairs: normals(44),
		Folder: train.Folder(t.TempDir()), Mapper: mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense,
			EmbedDim: pipelinetest.EmbedDim, ZDim: pipelinetest.ZDim, Width: 8, Blocks: 1, Layers: 2}}
}

// shownStages notes what is shown as progress.
type shownStages []string

func (s *shownStages) stage(name string, total int) host.Progress {
	*s = append(*s, fmt.Sprintf("%s of %d", name, total))
	return noProgress{}
}

type noProgress struct{}

func (noProgress) Set(int, string) {}
func (noProgress) Done()           {}

// A probe times the second stage once. It leaves a training alone that is to stop, and one whose programs are not kept.
func TestProbe(t *testing.T) {
	training := tinyTraining(t)
	known, shown := book{}, shownStages{}
	job := Job{Env: host.Env{Progress: shown.stage, Pace: known.of,
		Note: func(kind string, p pace.Pace) { known[kind] = p }}}
	parts := trainingParts(training.Networks, training.Config, training.Mapper.Parameters())
	probe := func(ctx context.Context) {
		t.Helper()
		if err := job.probe(ctx, training, parts, 0); err != nil {
			t.Fatal(err)
		}
	}
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	probe(stopped)
	programs.Use(nil)
	probe(t.Context())
	programs.Use(programs.Chosen(slog.New(slog.DiscardHandler)))
	if len(known) > 0 {
		t.Fatalf("timed: %v", known)
	}
	shown = nil
	for range 2 {
		probe(t.Context())
	}
	if p := known[parts[1].Kind]; len(known) != 1 || p.Unit <= 0 || p.Before != 0 {
		t.Errorf("paces %v, want that of %s", known, parts[1].Kind)
	}
	if want := []string{"Timing later stages of 3"}; !slices.Equal(shown, want) {
		t.Errorf("shown %v, want %v", shown, want)
	}
}
