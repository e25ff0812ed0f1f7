package convert

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/pytools"
	"illustrator/models/mapper"
)

// A released projector that was converted and written again has its tensors under its names; PyTorch loads it.
func TestToPyTorch(t *testing.T) {
	for file, cfg := range map[string]mapper.Config{"projector.pth": tinyDense, "baseline.pth": tinyBaseline} {
		source := filepath.Join("testdata", file)
		folder, written := filepath.Join(t.TempDir(), "mapper"), filepath.Join(t.TempDir(), "state.pth")
		if _, err := Convert(source, folder, Options{}); err != nil {
			t.Fatal(err)
		}
		r, err := ToPyTorch(folder, written, false)
		if err != nil {
			t.Fatal(err)
		}
		if r.Network != cfg || !strings.Contains(fmt.Sprint(r.Rows()), written) {
			t.Errorf("%+v", r)
		}
		f, err := checkpoints.ReadTorch(written)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Weights("")
		if err != nil {
			t.Fatal(err)
		}
		want := testWeights(t, file, "")
		for name, x := range want.Tensors {
			if strings.HasSuffix(name, "num_batches_tracked") {
				x.Data = make([]byte, 8)
			}
		}
		sameTensors(t, got, want)
		f.Close()
		if _, err := ToPyTorch(folder, written, false); err == nil || !fault.IsUsage(err) ||
			fault.CodeOf(err) != FileExists {
			t.Errorf("over a file: %v", err)
		}
		if _, err := ToPyTorch(folder, written, true); err != nil {
			t.Error(err)
		}
		t.Run("PyTorch "+file, func(t *testing.T) {
			number := func(v int) string { return fmt.Sprint(v) }
			pytools.RunTorch(t, "testdata/load_projector.py", written, source, string(cfg.Arch),
				number(cfg.EmbedDim), number(cfg.ZDim), number(cfg.Width), number(cfg.Blocks), number(cfg.Layers))
		})
	}
	generator := filepath.Join(t.TempDir(), "generator")
	if _, err := Convert("testdata/rosinality.pt", generator, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ToPyTorch(generator, filepath.Join(t.TempDir(), "x.pth"), false); err == nil ||
		!strings.Contains(err.Error(), `model_type "stylegan2"`) {
		t.Errorf("a generator: %v", err)
	}
}
