package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"illustrator/checkpoints"
	"illustrator/data/pairs"
	"illustrator/models/xla"
)

// killing is a command that must come to the same end however often it is killed and given again.
type killing struct {
	args   []string     // the command line after `illustrator`
	folder string       // what the command writes, removed before each round
	atKill func() error // looks at the folder after a kill
	atEnd  func() error // looks at it after the command has ended by itself
}

// run kills the command at random moments within the time that a whole run takes, and gives it again until it ends by
// itself; then it starts again until all kills are spent.
func (k killing) run(t *testing.T, kills int, whole time.Duration) {
	for killed, round := 0, 1; ; round++ {
		if err := os.RemoveAll(k.folder); err != nil {
			t.Fatal(err)
		}
		for attempt := 1; ; attempt++ {
			after := whole // of the last attempt, which is let live
			if killed < kills {
				after = rand.N(whole)
			}
			if ended := k.start(t, killed < kills, after); ended {
				t.Logf("round %d: %d starts, %d kills so far", round, attempt, killed)
				break
			}
			killed++
			if err := k.atKill(); err != nil {
				t.Fatalf("kill %d, in attempt %d of round %d: %v", killed, attempt, round, err)
			}
		}
		if err := k.atEnd(); err != nil {
			t.Fatalf("after round %d: %v", round, err)
		}
		if killed >= kills {
			return
		}
	}
}

// start runs the command and kills it after some time if kill is set. It reports whether the command ended by itself.
func (k killing) start(t *testing.T, kill bool, after time.Duration) bool {
	t.Helper()
	cmd := exec.Command("illustrator", k.args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if kill {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return false
	}
	if err != nil {
		t.Fatalf("illustrator %q: %v\n%s", k.args, err, stderr.String())
	}
	return true
}

// killsOf returns how often a test kills: the variable KILLS, which `make soak` sets.
func killsOf(t *testing.T) int {
	t.Helper()
	text := os.Getenv("KILLS")
	if text == "" {
		return 5
	}
	kills, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("KILLS: %v", err)
	}
	return kills
}

// needPlugin skips the test without an XLA plugin.
func needPlugin(t *testing.T) {
	t.Helper()
	if _, ok := xla.Find("cpu"); ok {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no XLA CPU plugin")
	}
	t.Skip("needs the XLA CPU plugin (`make setup` installs it)")
}

// sums are the SHA-256 of all files below a folder.
func sums(folder string) (map[string]string, error) {
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := checkpoints.SHA256OfFile(path)
		all[path[len(folder):]] = file.SHA256
		return err
	})
	return all, err
}

// TestKillPairs kills a sampling: the set comes out as if nothing had happened, and on the way it never loses a shard
// that it had.
func TestKillPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills many samplings; run without -short")
	}
	needPlugin(t)
	kills := killsOf(t)
	dir := t.TempDir()
	if err := writeTinyDomain(dir, 1); err != nil {
		t.Fatal(err)
	}
	const rows = 15_000
	command := func(out string) []string {
		return []string{"pairs", "--quiet", "--domain", filepath.Join(dir, "tiny.yaml"), "--rows", strconv.Itoa(rows),
			"--shard-rows", "444", "--noise-mode", "const", "--out", out}
	}
	undisturbed, folder := filepath.Join(dir, "undisturbed"), filepath.Join(dir, "killed")
	began := time.Now()
	(killing{args: command(undisturbed)}).start(t, false, 0)
	whole := time.Since(began)
	want, err := sums(undisturbed)
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	killing{
		args: command(folder), folder: folder,
		atKill: func() error {
			now, err := listedRows(t, folder)
			if err == nil && now < before {
				err = fmt.Errorf("the manifest lists %d rows; it listed %d", now, before)
			}
			before = now
			return err
		},
		atEnd: func() error {
			before = 0
			got, err := sums(folder)
			if err == nil && !maps.Equal(got, want) {
				err = fmt.Errorf("the files are %v; an undisturbed run's %v", got, want)
			}
			return err
		},
	}.run(t, kills, whole)
}

// listedRows verifies what the manifest of a set lists and returns the number of rows,
// 0 without a manifest.
func listedRows(t *testing.T, folder string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var manifest struct{ Rows int }
	if err = errors.Join(err, json.Unmarshal(raw, &manifest)); err != nil || manifest.Rows == 0 {
		return 0, err
	}
	pairs, err := pairs.Open(folder)
	if err != nil {
		return 0, err
	}
	defer pairs.Close()
	return manifest.Rows, pairs.Verify(t.Context(), nil)
}
