package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/losses"
	"illustrator/train"
)

// writeRunCommand is the scripts' command `write-run FOLDER STATUS KEY=VALUE...`: it writes the folder of a run of
// config lorelei with these settings, as if it had trained 1000 of its steps.
func writeRunCommand() {
	if err := writeRun(train.Folder(os.Args[1]), os.Args[2], os.Args[3:]...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func writeRun(folder train.Folder, status string, set ...string) error {
	run, err := configs.OpenRun("lorelei", set)
	if err != nil {
		return err
	}
	config, err := run.YAML()
	if err != nil {
		return err
	}
	var metrics bytes.Buffer
	var best train.Best
	for step := 25; step <= 1000; step += 25 {
		value := (0.3 + 0.6*math.Exp(-float64(step)/300)) * float64(run.Mapper.Width) / 128
		values := losses.Values{Total: value, L1: value}
		lines := []train.Line{{Step: step, Stage: run.Train.Stages[0].Name, Losses: &values}}
		if step%500 == 0 {
			values := losses.Values{Total: 2 * value, L1: value, Semantic: value / 2, Regularization: value / 4}
			best = train.Best{Step: step, Losses: values}
			lines = append(lines, train.Line{Step: step, Stage: lines[0].Stage,
				Validation: &train.Measures{Losses: values, FixedNoise: values}})
		}
		for _, line := range lines {
			text, err := json.Marshal(line)
			if err != nil {
				return err
			}
			metrics.Write(append(text, '\n'))
		}
	}
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	info := train.Info{
		Status: status, Step: 1000, Steps: run.Train.Steps(), Best: &best, Seconds: 61.2, Started: started,
		Updated:   started.Add(time.Minute),
		Arguments: []string{"train", "--config", "lorelei", "--name", "it's wide"},
		Versions:  map[string]string{"commit": "0123", "go": "go1.26", "none": ""},
		Device:    "a CPU", Host: "here", Networks: map[string]string{"clip": strings.Repeat("c1", 32)},
		Pairs: "10 pairs", Parameters: 12345,
	}
	if err := os.MkdirAll(folder.BestMapper(), 0o777); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(folder.Config(), config, 0o666), os.WriteFile(folder.Metrics(), metrics.Bytes(), 0o666),
		os.WriteFile(filepath.Join(folder.BestMapper(), "model.safetensors"), make([]byte, 1500), 0o666),
		jsonfile.Write(folder.Info(), info),
	)
}

// illustrator runs one command line and returns what the user sees.
func illustrator(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	opts := terminal.NewOptions("illustrator", &out, &out)
	err := opts.Execute(t.Context(), func() *cobra.Command { return newRootCommand(opts) }, args)
	return opts.PrintError(t.Context(), err), out.String()
}

func TestRunInUse(t *testing.T) {
	t.Chdir(t.TempDir())
	folder := train.Folder("runs/00001-a")
	if err := writeRun(folder, train.Running); err != nil {
		t.Fatal(err)
	}
	if _, output := illustrator(t, "runs", "list"); !strings.Contains(output, "killed  1000/4700") {
		t.Errorf("a run whose process is gone: %s", output)
	}
	lock, err := files.LockFolder(string(folder))
	if err != nil {
		t.Fatal(err)
	}
	if _, output := illustrator(t, "runs", "list"); !strings.Contains(output, "running  1000/4700") {
		t.Errorf("a run that trains: %s", output)
	}
	code, output := illustrator(t, "runs", "rm", "1", "--yes")
	if _, err := os.Stat(folder.Info()); err != nil || code != 1 || !strings.Contains(output, "in use") {
		t.Errorf("removing it: exit code %d, %v, %s", code, err, output)
	}
	lock.Release()
	if code, output := illustrator(t, "runs", "rm", "1", "--yes"); code != 0 || output != "removed runs/00001-a\n" {
		t.Errorf("removing it later: exit code %d, %s", code, output)
	}
	if left, err := os.ReadDir("runs"); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestFoldersThatRemoveRefuses puts a sound run beside each of them: nothing at all may go.
func TestFoldersThatRemoveRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(folder train.Folder) error
		want  string
	}{
		"foreign file": {func(f train.Folder) error {
			return os.WriteFile(filepath.Join(string(f), "notes.txt"), nil, 0o666)
		}, "no command writes there: notes.txt"},
		"foreign folder": {func(f train.Folder) error { return os.Mkdir(filepath.Join(string(f), "photos"), 0o777) },
			"no command writes there: photos"},
		"no config":   {func(f train.Folder) error { return os.Remove(f.Config()) }, "lacks config.yaml"},
		"no run.json": {func(f train.Folder) error { return os.Remove(f.Info()) }, "lacks config.yaml or run.json"},
		"link": {func(f train.Folder) error {
			return errors.Join(os.Rename(string(f), "elsewhere"), os.Symlink("../elsewhere", string(f)))
		}, "is a link"},
	} {
		t.Chdir(t.TempDir())
		good, bad := train.Folder("runs/00001-good"), train.Folder("runs/00002-bad")
		if err := errors.Join(writeRun(good, train.Finished), writeRun(bad, train.Finished), c.spoil(bad)); err != nil {
			t.Fatal(err)
		}
		before := tree(t)
		if code, output := illustrator(t, "runs", "rm", "1", "2", "--yes"); code != 2 || !strings.Contains(output, c.want) {
			t.Errorf("%s: exit code %d, %s", name, code, output)
		}
		if after := tree(t); !slices.Equal(before, after) {
			t.Errorf("%s: %q were there, %q are left", name, before, after)
		}
	}
}

func tree(t *testing.T) (paths []string) {
	t.Helper()
	if err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestRemoveWithEvaluation removes what eval and demo wrote into a run, and names it in the question.
func TestRemoveWithEvaluation(t *testing.T) {
	t.Chdir(t.TempDir())
	folder := train.Folder("runs/00001-a")
	if err := errors.Join(
		writeRun(folder, train.Finished), os.Mkdir(folder.Evaluation(), 0o777), os.Mkdir(folder.Pictures(), 0o777),
		os.WriteFile(filepath.Join(folder.Evaluation(), "eval.json"), nil, 0o666),
	); err != nil {
		t.Fatal(err)
	}
	const want = "remove runs/00001-a with its eval and pictures? [y/N] "
	if got := question([]train.Folder{folder}); got != want {
		t.Errorf("question %q, want %q", got, want)
	}
	if code, output := illustrator(t, "runs", "rm", "1", "--yes"); code != 0 || output != "removed runs/00001-a\n" {
		t.Errorf("exit code %d, %s", code, output)
	}
}
