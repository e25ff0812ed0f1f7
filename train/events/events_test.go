package events_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"illustrator/internal/pytools"
	"illustrator/train/events"
)

// read returns TensorBoard's view of a folder.
type read struct {
	Scalars map[string][][3]float64 `json:"scalars"` // step, value, time
	Images  map[string][][4]any     `json:"images"`  // step, width, height, PNG in base64
	Served  map[string]string       `json:"served"`  // tag → plugin that shows it
}

func tensorBoard(t *testing.T, folder string) (got read) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "read.json")
	pytools.Run(t, []string{"tensorboard"}, filepath.Join("testdata", "read.py"), folder, file)
	out, err := os.ReadFile(file)
	check(t, err)
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return got
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func picture(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	check(t, png.Encode(&file, image.NewRGBA(image.Rect(0, 0, 7, 5))))
	return file.Bytes()
}

func TestTensorBoardReadsEvents(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run [1]*") // as a user may name it
	clock := time.Unix(1_700_000_000, 250_000_000)
	now := func() time.Time { return clock }

	old, err := events.Create(folder, now)
	check(t, err)
	check(t, old.Scalar(900, "train/total", 9))
	check(t, old.Close())

	clock = clock.Add(time.Hour)
	w, err := events.Create(folder, now)
	check(t, err)
	check(t, w.Scalar(25, "train/total", 0.1))
	check(t, w.Scalar(50, "train/total", -3e-7))
	check(t, w.Scalar(1<<40, "train/total", 1e30))
	check(t, w.Scalar(50, "train/größe", 2))
	file := picture(t)
	check(t, w.PNG(50, "samples", file))
	check(t, w.Close())

	const at = 1_700_003_600.25
	got := tensorBoard(t, folder)
	want := read{
		// Values are float32 in the file.
		Scalars: map[string][][3]float64{
			"train/total": {{25, float64(float32(0.1)), at}, {50, float64(float32(-3e-7)), at},
				{1 << 40, float64(float32(1e30)), at}},
			"train/größe": {{50, 2, at}},
		},
		Images: map[string][][4]any{"samples": {{50.0, 7.0, 5.0, base64.StdEncoding.EncodeToString(file)}}},
		Served: map[string]string{"train/total": "scalars", "train/größe": "scalars", "samples": "images"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("TensorBoard reads (-want +got):\n%s", diff)
	}
}

// TestRecords reads the file without TensorBoard: old files are gone, others stay, and the frames have these bytes.
func TestRecords(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"events.out.tfevents.1.host.2.3", "notes.txt"} {
		check(t, os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o666))
	}
	w, err := events.Create(folder, func() time.Time { return time.Unix(2, 0) })
	check(t, err)
	check(t, w.Close())
	if _, err := os.Stat(filepath.Join(folder, "notes.txt")); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "events.out.tfevents.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("event files %q, %v", files, err)
	}
	got, err := os.ReadFile(files[0])
	check(t, err)
	// The same two events by event_pb2.Event and RecordWriter of tensorboard 2.21.
	const want = "1800000000000000a37f4b220900000000000000401a0d627261696e2e4576656e743a32ff2ee0e7" +
		"0d000000000000003c37b8340900000000000000403a02080187caa50d"
	if fmt.Sprintf("%x", got) != want {
		t.Errorf("the file is\n%x; want\n%s", got, want)
	}
}

func TestPictureThatIsNone(t *testing.T) {
	w, err := events.Create(t.TempDir(), time.Now)
	check(t, err)
	defer w.Close()
	if err := w.PNG(1, "samples", []byte("no picture")); err == nil {
		t.Error("no error")
	}
}

func TestFolderThatIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(path, nil, 0o666))
	if _, err := events.Create(path, time.Now); err == nil {
		t.Error("no error")
	}
}
