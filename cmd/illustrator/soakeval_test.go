package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/eval"
)

// TestKillEval kills an evaluation amid its pictures, twice, and amid its reference: what it had kept it keeps, and in
// the end all files are those of an evaluation that was let alone.
func TestKillEval(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills evaluations; run without -short")
	}
	needPlugin(t)
	dir := t.TempDir()
	if err := writeTinyDomain(dir, 1); err != nil {
		t.Fatal(err)
	}
	texts := filepath.Join(dir, "texts.txt")
	var lines strings.Builder
	for i := range 300 { // the last batch is smaller than the others
		fmt.Fprintf(&lines, "wizard number %d\n", i)
	}
	if err := os.WriteFile(texts, []byte(lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	command := func(out string) killing {
		return killing{args: []string{"eval", "--quiet", "--domain", filepath.Join(dir, "tiny.yaml"), "--mapper",
			filepath.Join(dir, "mapper"), "--texts", texts,
			"--seeds", "0-2", "--noise-mode", "const", "--metrics", "clip_similarity,r_precision,diversity,fid",
			"--reference-samples", "900", "--out", out}}
	}
	undisturbed, killed := filepath.Join(dir, "undisturbed"), filepath.Join(dir, "killed")
	command(undisturbed).start(t, false, 0)
	before := map[string]int{}
	for _, moment := range []struct {
		files string
		lines int
	}{{"scores.jsonl", 1}, {"scores.jsonl", 500}, {"reference-*.jsonl", 1}} {
		command(killed).killAt(t, func() bool { return keptLines(filepath.Join(killed, moment.files)) >= moment.lines })
		for _, files := range []string{"scores.jsonl", "reference-*.jsonl"} {
			now := keptLines(filepath.Join(killed, files))
			if now < before[files] {
				t.Fatalf("%s has %d lines; it had %d", files, now, before[files])
			}
			before[files] = now
		}
	}
	if before["reference-*.jsonl"] >= 900 {
		t.Error("the reference was finished before the kill: give more --reference-samples")
	}
	command(killed).start(t, false, 0)
	result, err := eval.ReadResult(killed)
	if err != nil || result.Pictures != 900 || len(result.Metrics) < 5 || len(result.Samples["clip_similarity"]) != 900 {
		t.Errorf("the result is read as %+v, %v", result, err)
	}
	want, got := evalFiles(t, undisturbed), evalFiles(t, killed)
	if len(want) < 9 || !maps.Equal(want, got) {
		t.Errorf("the files are %v; those of an undisturbed evaluation %v", got, want)
	}
}

// killAt kills the command as soon as a condition holds. It must not end before.
func (k killing) killAt(t *testing.T, when func() bool) { t.Helper(); k.signalAt(t, os.Kill, when) }

// signalAt sends the command a signal as soon as a condition holds, and returns its exit code, -1 of a killed one, and
// what it said. It must not end before.
func (k killing) signalAt(t *testing.T, signal os.Signal, when func() bool) (code int, said string) {
	t.Helper()
	cmd := exec.Command("illustrator", k.args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !when() {
		select {
		case err := <-ended:
			t.Fatalf("illustrator %q ended before it was killed: %v\n%s", k.args, err, stderr.String())
		case <-time.After(time.Millisecond):
		}
	}
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	<-ended
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// keptLines counts the lines of the files of a pattern.
func keptLines(pattern string) int {
	paths, _ := filepath.Glob(pattern) // a pattern of this file
	n := 0
	for _, path := range paths {
		raw, _ := os.ReadFile(path) // it may not be there yet
		n += bytes.Count(raw, []byte("\n"))
	}
	return n
}

// evalFiles are the SHA-256 of an evaluation's files; of eval.json, which holds a time, they are the rest's.
func evalFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := sums(folder)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "eval.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	delete(report, "seconds")
	files["/eval.json"] = fmt.Sprint(report)
	return files
}
