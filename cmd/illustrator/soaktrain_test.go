package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/train"
)

// soakRun is a training whose programs compile fast, and which has much to write: two stages without the semantic loss,
// a moving average, dropout, a checkpoint each 25 steps.
const soakRun = `domain: tiny.yaml
mapper: {width: 12, blocks: 1, layers: 2, dropout: 0.1}
train:
  batch: 4
  log_every: 1
  optimizer: {name: adamw, weight_decay: 0.01, clip_norm: 1, ema: 0.9}
  validation: {every: 100, rows: 8}
  checkpoint: {every: 25, keep: 2}
  stages:
    - name: first
      losses: {l1: 1}
      schedule: {kind: cosine, steps: 1000, warmup: 10, learning_rate: 1e-3}
    - name: second
      losses: {l1: 0.3, regularization: 0.3}
      schedule: {kind: constant, steps: 200, learning_rate: 1e-4}
`

// writeSoakRun writes the tiny domain and soakRun into the folder dir,
// and returns the command line that trains into out.
func writeSoakRun(t *testing.T, dir string) (command func(out string) []string) {
	t.Helper()
	if err := writeTinyDomain(dir, 1); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "run.yaml")
	text := strings.Replace(soakRun, "tiny.yaml", filepath.Join(dir, "tiny.yaml"), 1)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return func(out string) []string {
		return []string{"train", "--quiet", "--config", config, "--pairs", filepath.Join(dir, "pairs"), "--out", out}
	}
}

// runFiles are the SHA-256 of all files of a run but those that hold times, and "" for each folder.
func runFiles(folder string) (map[string]string, error) {
	files, err := sums(folder)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(files, func(path, _ string) bool {
		return path == "/run.json" || path == "/log.txt" || strings.HasPrefix(path, "/tensorboard/")
	})
	return files, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			files[path[len(folder):]+"/"] = ""
		}
		return err
	})
}

// sameRun returns an error that names the files in which a run differs from another.
func sameRun(got, want map[string]string) error {
	var all error
	for path := range want {
		if sum, ok := got[path]; !ok {
			all = errors.Join(all, fmt.Errorf("%s is missing", path))
		} else if sum != want[path] {
			all = errors.Join(all, fmt.Errorf("%s differs", path))
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			all = errors.Join(all, fmt.Errorf("%s is too much", path))
		}
	}
	return all
}

// TestKillTrain kills a training: metrics, mappers and checkpoints come out as if nothing had happened, nothing is left
// over, and on the way neither the newest checkpoint nor the step in run.json goes back.
func TestKillTrain(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills many trainings; run without -short")
	}
	needPlugin(t)
	dir := t.TempDir()
	command := writeSoakRun(t, dir)
	undisturbed, folder := filepath.Join(dir, "undisturbed"), filepath.Join(dir, "killed")
	began := time.Now()
	(killing{args: command(undisturbed)}).start(t, false, 0)
	whole := time.Since(began)
	want, err := runFiles(undisturbed)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := want["/checkpoints/001200/model.safetensors"]; !ok {
		t.Fatalf("the undisturbed run has %v", want)
	}
	noted, saved, midway := 0, 0, 0
	killing{
		args: command(folder), folder: folder,
		atKill: func() error {
			nowNoted, nowSaved, err := standing(train.Folder(folder))
			if err == nil && (nowNoted < noted || nowSaved < saved || nowNoted > nowSaved) {
				err = fmt.Errorf("run.json says step %d, the newest checkpoint %d; they said %d and %d",
					nowNoted, nowSaved, noted, saved)
			}
			if nowSaved > saved && nowSaved < 1200 {
				midway++
			}
			noted, saved = nowNoted, nowSaved
			return err
		},
		atEnd: func() error {
			got, err := runFiles(folder)
			if err != nil {
				return err
			}
			if at, _, err := standing(train.Folder(folder)); err != nil || at != 1200 {
				return fmt.Errorf("run.json says step %d: %v", at, err)
			}
			noted, saved = 0, 0
			return sameRun(got, want)
		},
	}.run(t, killsOf(t), whole)
	if midway == 0 && killsOf(t) >= 20 {
		t.Error("no kill hit the training between two checkpoints: the test shows nothing")
	}
	t.Logf("an undisturbed run takes %v; %d kills found a new checkpoint before the last",
		whole.Round(time.Millisecond), midway)
}

// standing reads the step in run.json and that of the newest checkpoint, 0 where there is none.
func standing(folder train.Folder) (noted, saved int, err error) {
	info, err := folder.ReadInfo()
	if err != nil {
		return 0, 0, err
	}
	if info != nil {
		noted = info.Step
	}
	steps, err := folder.Checkpoints()
	if len(steps) > 0 {
		saved = steps[0]
	}
	return noted, saved, err
}
