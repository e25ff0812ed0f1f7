package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
	"illustrator/data/pairs"
	"illustrator/train"
)

// smallDisk names the folder of a test that was started again in a mount namespace of its own,
// where it may mount a disk.
const smallDisk = "ILLUSTRATOR_TEST_SMALL_DISK"

// onSmallDisk runs a test in a folder dir that has a disk of its own, of a size in KiB, in dir/disk.
func onSmallDisk(t *testing.T, size int, test func(t *testing.T, dir string)) {
	if testing.Short() {
		t.Skip("compiles programs; run without -short")
	}
	if dir := os.Getenv(smallDisk); dir != "" {
		disk := filepath.Join(dir, "disk")
		if err := os.Mkdir(disk, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
			t.Skipf("cannot mount a small disk: %v", err)
		}
		defer syscall.Unmount(disk, 0)
		test(t, dir)
		return
	}
	needPlugin(t)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), smallDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("needs a mount namespace, which this system refuses: %v", err)
	}
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if bytes.Contains(out.Bytes(), []byte("--- SKIP")) {
		t.Skipf("skipped in the namespace:\n%s", out.String())
	}
}

// fill takes a number of KiB of the disk in dir until free is called.
func fill(t *testing.T, dir string, size int) (free func()) {
	t.Helper()
	filler := filepath.Join(dir, "disk", "filler")
	if err := os.WriteFile(filler, make([]byte, size<<10), 0o666); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
}

// inProcess runs the command in a process of its own and returns its exit code and what it says.
func inProcess(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.Command("illustrator", args...)
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// TestFullDiskPairs samples onto a disk that is too small: a clear error, nothing lost, and the same command resumes
// once there is space.
func TestFullDiskPairs(t *testing.T) {
	onSmallDisk(t, 1024, fillWithPairs)
}

func fillWithPairs(t *testing.T, dir string) {
	if err := writeTinyDomain(filepath.Join(dir, "tiny"), 1); err != nil {
		t.Fatal(err)
	}
	free := fill(t, dir, 512)
	sample := func(out string) (code int, said string) {
		return inProcess(t, "pairs", "--domain", filepath.Join(dir, "tiny", "tiny.yaml"), "--rows", "5000",
			"--shard-rows", "1000", "--noise-mode", "const", "--out", out) // of 136 bytes each
	}
	set := filepath.Join(dir, "disk", "set")
	code, stderr := sample(set)
	said := regexp.MustCompile(`illustrator: error: write pairs ".*set": .*no space left on device\n` +
		`illustrator: hint: free some space: (\d+) rows are kept, and the same command resumes from there\n`).
		FindStringSubmatch(stderr)
	if code != terminal.ExitFailure || said == nil {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	pairs, err := pairs.Open(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := pairs.Verify(t.Context(), nil); err != nil || pairs.Len() < 1000 || strconv.Itoa(pairs.Len()) != said[1] {
		t.Errorf("%d rows are left, %v; it said %s", pairs.Len(), err, said[1])
	}
	pairs.Close()
	free()
	for _, out := range []string{set, filepath.Join(dir, "undisturbed")} {
		if code, stderr := sample(out); code != terminal.ExitOK {
			t.Fatalf("exit code %d with space:\n%s", code, stderr)
		}
	}
	got, errGot := sums(set)
	want, errWant := sums(filepath.Join(dir, "undisturbed"))
	if err := errors.Join(errGot, errWant); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v: the files are %v; an undisturbed run's %v", err, got, want)
	}
}

// TestFullDiskTrain trains onto a disk that is full at a checkpoint, and on one that is full at a line of metrics: a
// clear error, what is saved is whole, and once there is space the same command makes the files of an undisturbed run.
func TestFullDiskTrain(t *testing.T) {
	onSmallDisk(t, 4096, fillWithTraining)
}

func fillWithTraining(t *testing.T, dir string) {
	command := writeSoakRun(t, dir)
	for name, c := range map[string]struct {
		filler, every int
		said          string
	}{
		"checkpoint": {3500, 25, `(?:validation after step \d+: )?` +
			`write (?:weights ".*/(?:checkpoints/\d+|mapper-\w+)": .*|.*/\.run\.json\d+: )`},
		"metrics": {3750, 350, `(?:step \d+: )?write .*/(?:metrics.jsonl|events\.out\.\S+|\.run\.json\d+): `},
	} {
		again := func(out string) (code int, said string) {
			every := strconv.Itoa(c.every)
			return inProcess(t, append(command(out),
				"--set", "train.checkpoint.every="+every, "--set", "train.validation.every="+every)...)
		}
		free, run, undisturbed := fill(t, dir, c.filler), filepath.Join(dir, "disk", name), filepath.Join(dir, name)
		code, stderr := again(run)
		said := regexp.MustCompile(`illustrator: error: ` + c.said + `no space left on device\n` +
			`illustrator: hint: free some space: what is saved is whole, ` +
			`and the same command resumes after step (\d+)\n$`).FindStringSubmatch(stderr)
		if code != terminal.ExitFailure || said == nil {
			t.Fatalf("%s: exit code %d:\n%s", name, code, stderr)
		}
		checkWhole(t, run, said[1])
		free()
		for _, out := range []string{run, undisturbed} {
			if code, stderr := again(out); code != terminal.ExitOK {
				t.Fatalf("%s: exit code %d with space:\n%s", name, code, stderr)
			}
		}
		got, errGot := runFiles(run)
		want, errWant := runFiles(undisturbed)
		if err := errors.Join(errGot, errWant); err != nil {
			t.Fatal(err)
		}
		if err := sameRun(got, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.RemoveAll(run); err != nil {
			t.Fatal(err)
		}
	}
}

// checkWhole fails unless a run's newest checkpoint is that of the step, and all its checkpoints and lines are whole.
func checkWhole(t *testing.T, run, step string) {
	t.Helper()
	steps, err := train.Folder(run).Checkpoints()
	if err != nil || len(steps) == 0 || strconv.Itoa(steps[0]) != step {
		t.Errorf("the checkpoints are %v, %v; it said %s", steps, err, step)
	}
	for _, at := range steps {
		folder, err := checkpoints.Open(filepath.Join(run, "checkpoints", fmt.Sprintf("%06d", at)))
		if err == nil {
			_, err = folder.Weights()
		}
		if err != nil {
			t.Error(err)
		}
	}
	metrics, err := os.ReadFile(train.Folder(run).Metrics())
	if err != nil || !bytes.HasSuffix(metrics, []byte("}\n")) {
		t.Errorf("metrics end with %q, %v", metrics[max(0, len(metrics)-40):], err)
	}
}
