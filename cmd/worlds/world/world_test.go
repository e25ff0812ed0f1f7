package world_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene/scenetest"
	"illustrator/cmd/worlds/world"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/models/host"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/train/fit"
)

// silent shows no progress. It calls at after each step of a stage.
type silent struct {
	stage string
	at    func(stage string, done int)
}

func (s silent) Set(done int, _ string) {
	if s.at != nil {
		s.at(s.stage, done)
	}
}
func (silent) Done() {}

func maker(t *testing.T, out string, at func(stage string, done int)) *world.Maker {
	return &world.Maker{Plan: world.TinyPlan(), Backend: nntest.Backend(t), Out: out, Log: slog.New(slog.DiscardHandler),
		Progress: func(stage string, _ int) host.Progress { return silent{stage, at} }}
}

// signs are captioned pictures beside the toy's: each shows its number of bright columns.
type signs struct{ size int }

func (signs) Name() string { return "signs" }
func (signs) Len() int     { return 40 }
func (signs) HeldOut() int { return 0 }

func (signs) Caption(row int, random *rand.Rand) string {
	return fmt.Sprintf("sign %c%c number %d", 'a'+random.IntN(26), 'a'+random.IntN(26), row)
}

func (s signs) Pictures(rows []int) ([]uint8, error) {
	pictures := make([]uint8, len(rows)*s.size*s.size*3)
	for i, row := range rows {
		for p := range s.size * s.size {
			if p%s.size*40 < row*s.size {
				pictures[(i*s.size*s.size+p)*3+row%3] = 255
			}
		}
	}
	return pictures, nil
}

// makeAll does all stages of a toy world.
func makeAll(ctx context.Context, m *world.Maker) (err error) {
	toy := scenetest.Toy{}
	r, err := m.Renders(ctx, toy)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	shares := []world.Share{m.Share(r, 1), {Captioned: signs{m.Plan.Size}, Share: m.Plan.Others}}
	for _, stage := range []func() error{
		func() error { return m.Classifier(ctx, r) },
		func() error { return m.Mapping(ctx, toy) },
		func() error { return m.Synthesis(ctx, r) },
		func() error { return m.Teacher(ctx, r) },
		func() error { return m.Details(ctx, r) },
		func() error { return m.ExportNetworks(ctx, toy) },
		func() error { return m.Attributes(ctx, shares) },
		func() error { return m.Contrast(ctx, shares) },
		func() error { return m.Fidelity(ctx, r) }, // after all that makeInterrupted interrupts: it would be repeated
		func() error {
			report, err := m.Geometry(ctx, []world.Share{m.Share(r, 1)})
			if err == nil && !(report.LogitScale > 1 && report.LogitScale <= 100 && report.Sources[0].Pairs == m.Plan.HeldOut) {
				err = fmt.Errorf("geometry: %+v", report)
			}
			return err
		},
		func() error {
			return m.Export(toy, world.File{TextPrompt: "A shape.", Descriptions: []byte("[]")})
		},
	} {
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}

// losses reads the losses of a training.
func losses(t *testing.T, folder, measure string) (all []float64) {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line fit.Line
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line.Measures[measure])
	}
	return all
}

// TestWorld makes a tiny world: each loss falls, and each exported folder opens and draws. A world whose trainings
// are interrupted in their middle does not differ from it.
func TestWorld(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a world twice; run without -short")
	}
	out := t.TempDir()
	if err := makeAll(t.Context(), maker(t, out, nil)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ folder, measure string }{
		{"toy/classifier", "cross-entropy"}, {"toy/mapping", "squared error"}, {"toy/synthesis", "absolute error"},
		{"toy/details", "loss"}, {"shared/attributes", "loss"},
	} {
		all := losses(t, filepath.Join(out, c.folder), c.measure)
		if first, last := all[0], all[len(all)-1]; len(all) < 2 || !(last < 0.9*first) {
			t.Errorf("%s: %s does not fall: %v", c.folder, c.measure, all)
		}
	}
	// Batches of one domain and of all alternate here.
	if all := losses(t, filepath.Join(out, "shared/clip"), "contrastive loss"); len(all) < 8 ||
		!(mean(all[len(all)-4:]) < 0.98*mean(all[:4])) {
		t.Errorf("the contrastive loss of the CLIP does not fall: %v", all)
	}
	opens(t, filepath.Join(out, "export", "toy.yaml"))
	parts := t.TempDir()
	makeInterrupted(t, parts)
	same(t, parts, out)
}

func mean(v []float64) (sum float64) {
	for _, x := range v {
		sum += x / float64(len(v))
	}
	return sum
}

// opens draws a text's picture with a domain's exported networks.
func opens(t *testing.T, file string) {
	t.Helper()
	run, err := configs.OpenRun(strings.TrimSuffix(file, ".yaml")+"-run.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	domain, err := configs.OpenDomain(run.Domain)
	if err != nil {
		t.Fatal(err)
	}
	networks, err := pipeline.Open(nntest.Backend(t), domain.Locations())
	if err != nil {
		t.Fatal(err)
	}
	if err := domain.CheckNetworks(networks); err != nil {
		t.Error(err)
	}
	if err := networks.NeedFrozen(); err != nil {
		t.Error(err)
	}
}

var errStop = errors.New("stop")

// makeInterrupted makes a world in a folder, and interrupts each training once.
func makeInterrupted(t *testing.T, folder string) {
	t.Helper()
	stopped := map[string]bool{}
	for {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := makeAll(ctx, maker(t, folder, func(stage string, done int) {
			if done == 20 && !stopped[stage] {
				stopped[stage] = true
				cancel(errStop)
			}
		}))
		cancel(nil)
		if err == nil {
			break
		}
		if !errors.Is(err, errStop) {
			t.Fatal(err)
		}
	}
	if len(stopped) != 7 {
		t.Errorf("%d trainings were interrupted", len(stopped))
	}
}

// same compares all files below two folders. A run's file names its folder, which may differ.
func same(t *testing.T, got, want string) {
	t.Helper()
	count := 0
	if err := filepath.WalkDir(want, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "checkpoints") {
			return err
		}
		count++
		relative, err := filepath.Rel(want, path)
		if err != nil {
			return err
		}
		a, errA := os.ReadFile(filepath.Join(got, relative))
		b, errB := os.ReadFile(path)
		if !bytes.Equal(bytes.ReplaceAll(a, []byte(got), []byte(want)), b) {
			t.Errorf("%s differs", relative)
		}
		return errors.Join(errA, errB)
	}); err != nil {
		t.Error(err)
	}
	if count < 10 {
		t.Errorf("%d files were compared", count)
	}
}

// TestErrors names what is missing.
func TestErrors(t *testing.T) {
	m := maker(t, t.TempDir(), nil)
	r, err := m.Renders(t.Context(), scenetest.Toy{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	other := *m
	other.Plan.Seed++
	if _, err := other.Renders(t.Context(), scenetest.Toy{}); err == nil ||
		!strings.Contains(err.Error(), "not what the renderer draws") {
		t.Errorf("renders of another seed: %v", err)
	}
	if err := m.Synthesis(t.Context(), r); err == nil || !strings.Contains(err.Error(), "mapping of toy") {
		t.Errorf("synthesis before mapping: %v", err)
	}
	if err := m.ExportNetworks(t.Context(), scenetest.Toy{}); err == nil ||
		!strings.Contains(err.Error(), "details of toy is not complete") {
		t.Errorf("networks of half a world: %v", err)
	}
	if err := m.Export(scenetest.Toy{}, world.File{TextPrompt: "A shape."}); err == nil ||
		!strings.Contains(err.Error(), "networks of toy is not complete") {
		t.Errorf("export of half a world: %v", err)
	}
	shares := []world.Share{m.Share(r, 1)}
	if err := m.Contrast(t.Context(), shares); err == nil ||
		!strings.HasPrefix(fault.HintOf(err), "run `worlds --stage attributes` first") {
		t.Errorf("CLIP before attributes: %v, hint %s", err, fault.HintOf(err))
	}
	m.Plan.Attributes.Schedule.Steps = 10
	if err := m.Attributes(t.Context(), shares); err != nil {
		t.Fatal(err)
	}
	foreign := append(shares, world.Share{Captioned: signs{m.Plan.Size}, Share: 1})
	m.Plan.Attributes.Schedule.Steps = 12
	if err := m.Attributes(t.Context(), foreign); err == nil || !strings.Contains(err.Error(), "vocabulary lacks") {
		t.Errorf("captions with other words: %v", err)
	}
}
