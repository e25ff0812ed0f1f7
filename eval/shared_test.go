package eval_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"illustrator/data/pictures"
	"illustrator/eval"
	"illustrator/internal/sealed"
)

// What evaluations have in common is made once: the figures are the same, nothing is drawn but the pictures, and those
// are handed out. The result is read again from its folder.
func TestEvaluateShares(t *testing.T) {
	n, r := tiny(t), tinyRequest(t)
	r.Texts = r.Texts[:12]
	var stages []string
	r.Progress = func(stage string, _, _ int) {
		if !slices.Contains(stages, stage) {
			stages = append(stages, stage)
		}
	}
	alone, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(stages, []string{"Judging pictures", "Drawing the reference"}) {
		t.Errorf("stages %q", stages)
	}

	shared, cache := r, t.TempDir()
	shared.Keep, shared.Reference.Keep = t.TempDir(), cache
	if shared.Reference.Features, err = eval.NewReference(t.Context(), n, shared); err != nil {
		t.Fatal(err)
	}
	if shared.TextEmbeds, err = eval.EmbedTexts(t.Context(), n, shared); err != nil {
		t.Fatal(err)
	}
	stages = nil
	var seen []eval.File
	shared.Picture = func(text int, seed uint64, p pictures.Picture) error {
		seen = append(seen, eval.File{Text: text, Seed: seed})
		if p.Width != n.Generator.Size || len(p.Pixels) != 3*p.Width*p.Height {
			t.Errorf("a picture of %d×%d with %d values", p.Width, p.Height, len(p.Pixels))
		}
		return nil
	}
	together, err := eval.Evaluate(t.Context(), n, shared)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(stages, []string{"Judging pictures"}) || len(seen) != 36 ||
		seen[35] != (eval.File{Text: 11, Seed: 9}) {
		t.Errorf("stages %q, %d pictures", stages, len(seen))
	}
	if a, b := mustJSON(t, alone), mustJSON(t, together); !bytes.Equal(a, b) {
		t.Errorf("alone\n%s\nwith what is shared\n%s", a, b)
	}

	if _, err := eval.ReadResult(shared.Keep); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no result yet: %v", err)
	}
	if err := together.Write(shared.Keep); err != nil {
		t.Fatal(err)
	}
	read, err := eval.ReadResult(shared.Keep)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := mustJSON(t, together), mustJSON(t, read); !bytes.Equal(a, b) || len(together.Samples) != 6 {
		t.Errorf("wrote\n%s\nread\n%s", a, b)
	}
	for name, samples := range together.Samples {
		if !slices.Equal(samples, read.Samples[name]) {
			t.Errorf("%s: wrote %v, read %v", name, samples, read.Samples[name])
		}
	}
	if err := os.WriteFile(filepath.Join(shared.Keep, eval.SamplesFile), []byte(`{"fid":{"text":[1]}}`),
		0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := eval.ReadResult(shared.Keep); err == nil || !strings.Contains(err.Error(), "1 texts, 0 seeds") {
		t.Errorf("damaged samples: %v", err)
	}

	// From the folder, after a stop amid the second of two batches.
	whole := files(t, cache)
	if len(whole) != 2 {
		t.Fatalf("the reference is kept in %q", whole)
	}
	for _, path := range whole {
		if err := os.Truncate(path, size(t, path)*9/10); err != nil {
			t.Fatal(err)
		}
	}
	var done []int
	again := shared
	again.Progress = func(_ string, n, _ int) { done = append(done, n) }
	if again.Reference.Features, err = eval.NewReference(t.Context(), n, again); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(done, []int{40}) {
		t.Errorf("it was drawn up to %v", done)
	}
	again.Keep = ""
	if once, err := eval.Evaluate(t.Context(), n, again); err != nil ||
		!bytes.Equal(mustJSON(t, once), mustJSON(t, alone)) {
		t.Errorf("with a resumed reference: %v", err)
	}

	// Of other texts and networks nothing is taken.
	again.Texts = r.Texts[1:]
	if err := again.Check(n); err == nil || !strings.Contains(err.Error(), "other texts") {
		t.Errorf("other texts: %v", err)
	}
	again.Texts, again.Judges.CLIP = r.Texts, n
	if err := again.Check(n); err == nil || !strings.Contains(err.Error(), "another CLIP") {
		t.Errorf("a further CLIP: %v", err)
	}
}

func files(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Features of the generator's own pictures are drawn once for all evaluations of the same networks, to the same bits.
// Damaged ones are drawn again, with a warning; those of other networks and other numbers of samples are others.
func TestFeatureCache(t *testing.T) {
	n, r := tiny(t), tinyRequest(t)
	defer func(hashes map[string]string) { n.Hashes = hashes }(n.Hashes) // other tests have the same networks
	n.Hashes = maps.Clone(n.Hashes)
	r.Reference.Samples = 40
	var log bytes.Buffer
	folder := &sealed.Folder{Path: t.TempDir(), Suffix: eval.FeaturesSuffix, Kind: "features", Limit: 1 << 20}
	r.Reference.Cache = &eval.FeatureCache{Folder: folder, Log: slog.New(slog.NewTextHandler(&log, nil))}
	draws := 0
	r.Progress = func(stage string, _, _ int) {
		if stage == "Drawing the reference" {
			draws++
		}
	}
	// make returns the features, after a look at whether pictures passed and what was logged.
	make := func(name string, want bool, logged string) *eval.ReferenceFeatures {
		t.Helper()
		draws = 0
		log.Reset()
		f, err := eval.NewReference(t.Context(), n, r)
		if err != nil {
			t.Fatal(err)
		}
		if (draws > 0) != want || !strings.Contains(log.String(), logged) || logged == "" && log.Len() > 0 {
			t.Errorf("%s: drawn %d times, logged %q", name, draws, log.String())
		}
		return f
	}
	first := make("first", true, "")
	if again := make("again", false, ""); !reflect.DeepEqual(again, first) {
		t.Error("kept features differ")
	}
	r.Keep = t.TempDir() // of another evaluation
	if other := make("in another folder", false, ""); !reflect.DeepEqual(other, first) {
		t.Error("kept features differ")
	}
	r.Keep = ""
	kept, _, err := folder.Files()
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d files, %v", len(kept), err)
	}
	path := filepath.Join(folder.Path, kept[0].Name())
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if mended := make("damaged", true, "made again"); !reflect.DeepEqual(mended, first) {
		t.Error("features drawn again differ")
	}
	make("after that", false, "")
	r.Reference.Samples = 24
	make("fewer samples", true, "")
	n.Hashes["generator"] = strings.Repeat("0", 64)
	make("another generator", true, "")
	n.Hashes["generator"] = "" // in memory: without a key
	make("without a hash", true, "")
	make("without a hash again", true, "")
	folder.Limit = 40
	n.Hashes["generator"] = strings.Repeat("1", 64)
	make("no room", true, "not kept for other evaluations")
}
