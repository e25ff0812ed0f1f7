package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"illustrator/data"
)

// smallDisk names the folder on which the test, started again in a mount namespace of its own, mounts a small disk.
const smallDisk = "ILLUSTRATOR_TEST_SMALL_DISK"

// TestFullDisk samples onto a disk that is too small: a clear error, nothing lost, and the same command goes on once there
// is space.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program; run without -short")
	}
	if disk := os.Getenv(smallDisk); disk != "" {
		fillDisk(t, disk)
		return
	}
	needPlugin(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
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

// fillDisk is the test in its namespace.
func fillDisk(t *testing.T, dir string) {
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	defer syscall.Unmount(disk, 0)
	if err := writeTinyDomain(filepath.Join(dir, "tiny"), 1); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 512<<10), 0o666); err != nil {
		t.Fatal(err)
	}
	sample := func(out string) (code int, stderr string) {
		cmd := exec.Command("illustrator", "pairs", "--domain", filepath.Join(dir, "tiny", "tiny.yaml"), "--rows", "5000",
			"--shard-rows", "1000", "--noise-mode", "const", "--out", out) // of 136 bytes each
		text, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(text)
	}
	set := filepath.Join(disk, "set")
	code, stderr := sample(set)
	said := regexp.MustCompile(`illustrator: error: write pairs ".*set": .*no space left on device\nillustrator: hint: free some space: (\d+) rows are kept, and the same command goes on from there\n`).FindStringSubmatch(stderr)
	if code != exitFailure || said == nil {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	pairs, err := data.OpenPairs(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := pairs.Verify(t.Context(), nil); err != nil || pairs.Len() < 1000 || strconv.Itoa(pairs.Len()) != said[1] {
		t.Errorf("%d rows are left, %v; it said %s", pairs.Len(), err, said[1])
	}
	pairs.Close()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{set, filepath.Join(dir, "undisturbed")} {
		if code, stderr := sample(out); code != exitOK {
			t.Fatalf("exit code %d with space:\n%s", code, stderr)
		}
	}
	got, errGot := sums(set)
	want, errWant := sums(filepath.Join(dir, "undisturbed"))
	if err := errors.Join(errGot, errWant); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v: the files are %v; an undisturbed run's %v", err, got, want)
	}
}
