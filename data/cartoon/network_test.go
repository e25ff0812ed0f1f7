package cartoon

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"illustrator/data/pictures"
	"illustrator/internal/fault"
	"illustrator/models/features"
	"illustrator/models/nn/nntest"
)

const (
	faststyle = "../../models/features/testdata/redraw-faststyle.onnx"
	fixed     = "../../models/features/testdata/redraw-fixed.onnx" // the same for pictures of 16 × 12 pixels
)

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func writeConfig(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "style.yaml")
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "NET", absolute(t, faststyle))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A network draws a picture as its file says; one whose sides are no multiples is continued and cut, a large one
// scaled.
func TestNetworkDraws(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a network in two sizes")
	}
	backend := nntest.Backend(t)
	path := writeConfig(t, "network: NET", "range: [0, 255]", "output_range: [0, 255]", "size_multiple: 4", "max_side: 16")
	opened := 0
	s, err := Open(path, func() (compute.Backend, error) { opened++; return backend, nil })
	if err != nil {
		t.Fatal(err)
	}
	if opened != 0 || len(s.SHA256) != 64 {
		t.Errorf("opened %d backends, SHA-256 %q", opened, s.SHA256)
	}
	img := scene(16, 12)
	got, err := s.Draw(t.Context(), img, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := features.OpenRedrawer(faststyle, features.RedrawOptions{
		Layout: features.NCHW, Channels: features.RGB, Range: [2]float64{0, 255}, OutputRange: [2]float64{0, 255},
		Std: [3]float64{1, 1, 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Backend = backend
	out, err := r.Redraw(t.Context(), pictures.FromImage(img).Pixels, 12, 16)
	if err != nil {
		t.Fatal(err)
	}
	if want := (pictures.Picture{Width: 16, Height: 12, Pixels: out}).Image(); difference(got, want) > 0 {
		t.Errorf("the style differs from its network in %.1f %%", 100*difference(got, want))
	}
	for _, size := range []image.Point{{15, 11}, {1, 1}, {40, 20}} {
		got, err := s.Draw(t.Context(), scene(size.X, size.Y), 1)
		if err != nil || got.Rect.Size() != size || opened != 1 {
			t.Errorf("%v: got %v, %v; %d backends", size, got.Rect, err, opened)
		}
	}
	// One of a single size sees what fits into it, and the rest as its edges.
	alone, err := Open(writeConfig(t, "network: "+absolute(t, fixed), "range: [0, 255]", "output_range: [0, 255]"),
		func() (compute.Backend, error) { return backend, nil })
	if err != nil {
		t.Fatal(err)
	}
	if again, err := alone.Draw(t.Context(), img, 1); err != nil || difference(got, again) > 0 {
		t.Errorf("for its own size: %v, differs in %.1f %%", err, 100*difference(got, again))
	}
	for size, want := range map[image.Point]image.Point{{15, 11}: {15, 11}, {32, 12}: {16, 6}, {16, 24}: {8, 12},
		{4000, 1}: {16, 1}} {
		if seen, w, h := alone.network.sizes(size); seen != want || w != 16 || h != 12 {
			t.Errorf("of %v it sees %v in %d × %d; want %v", size, seen, w, h, want)
		}
		if got, err := alone.DrawAt(t.Context(), scene(9, 7), size); err != nil || got.Rect.Size() != size {
			t.Errorf("%v: %v", size, err)
		}
	}
	odd, err := Open(writeConfig(t, "network: "+absolute(t, faststyle), "range: [0, 255]", "output_range: [0, 255]"),
		func() (compute.Backend, error) { return backend, nil })
	if err == nil {
		_, err = odd.Draw(t.Context(), scene(15, 11), 1)
	}
	if err == nil || !strings.Contains(err.Error(), "faststyle.onnx\": ") ||
		!strings.Contains(err.Error(), "size_multiple") {
		t.Errorf("a size that the network does not keep: %v", err)
	}
	broken := errors.New("no device")
	if s, err = Open(path, func() (compute.Backend, error) { return nil, broken }); err == nil {
		_, err = s.Draw(t.Context(), img, 1)
	}
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestNetworkMistakes(t *testing.T) {
	good := []string{"network: NET", "range: [0, 1]", "output_range: [0, 1]"}
	for want, lines := range map[string][]string{
		"field layuot not found":        append(good[:3:3], "layuot: NCHW"),
		`network is ""`:                 {"range: [0, 1]"},
		`layout is "CHWN"`:              append(good[:3:3], "layout: CHWN"),
		`channels is "GBR"`:             append(good[:3:3], "channels: GBR"),
		"size_multiple is 0":            append(good[:3:3], "size_multiple: 0"),
		"max_side is 100000":            append(good[:3:3], "max_side: 100000"),
		"output_range is [0 0]":         good[:2],
		"range is [NaN 1]":              {"network: NET", "range: [.nan, 1]", "output_range: [0, 1]"},
		"std is [0 0 0] [1 0 1]":        append(good[:3:3], "std: [1, 0, 1]"),
		"second YAML document":          append(good[:3:3], "---", "x: 1"),
		"none.onnx":                     {"network: none.onnx", "range: [0, 1]", "output_range: [0, 1]"},
		"which is not NHWC":             append(good[:3:3], "layout: NHWC"),
		"cannot unmarshal !!str `wide`": append(good[:3:3], "max_side: wide"),
	} {
		path := writeConfig(t, lines...)
		_, err := Open(path, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) ||
			fault.HintOf(err) == "" {
			t.Errorf("got %v (hint %q), want %q", err, fault.HintOf(err), want)
		}
	}
	if _, err := Open("none.yaml", nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}
