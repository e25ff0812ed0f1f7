//go:build (linux || darwin) && cgo

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const modeEnv = "CRASH_TEST_MODE"

// TestMain also is the program that crashes.
func TestMain(m *testing.M) {
	mode := os.Getenv(modeEnv)
	if mode == "" {
		os.Exit(m.Run())
	}
	g := Start("program", 7)
	crash(mode)
	g.Flush()
	os.Exit(3)
}

var sink [][]byte

func crash(mode string) {
	native := func(text string) { syscall.Write(2, []byte(text)) }
	switch mode {
	case "stack overflow":
		overflow(0)
	case "memory":
		for {
			sink = append(sink, make([]byte, 64<<20))
		}
	case "map":
		m := map[int]int{}
		for range 8 {
			go func() {
				for {
					m[1]++
				}
			}()
		}
		time.Sleep(time.Minute)
	case "panic":
		go func() { panic(errors.New("boom")) }()
		time.Sleep(time.Minute)
	case "deadlock":
		select {}
	case "abort":
		native("half a line")
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		time.Sleep(time.Minute)
	case "bad_alloc":
		native("a line\nterminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		time.Sleep(time.Minute)
	case "check":
		native("a line\nWARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n")
		native("W0000 00:00:1795954644.5 1331 x.cc:1] a warning\n" + checkFailure)
		syscall.Kill(os.Getpid(), syscall.SIGABRT)
		time.Sleep(time.Minute)
	case "fault":
		syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		time.Sleep(time.Minute)
	case "none":
		native("native: ")
		native("line\nrun, ")
		native("runtime: ")
		native("all is well\nWARNING: All log")
		native(" messages are well\nfat")
	case "long":
		for i := range 5000 {
			native(fmt.Sprintf("line %d\n", i))
		}
	case "recovered":
		func() {
			defer func() { fmt.Fprintln(os.Stderr, "recovered:", recover()) }()
			var p *int
			*p = 1
		}()
	}
}

// checkFailure holds the words of XLA's plugin where the limit of addresses leaves no room for its threads.
const checkFailure = "F0000 00:00:1795954644.524242    1331 env.cc:93] Check failed: ret == 0 (11 vs. 0) Thread " +
	"tf_XLAEigen creation via pthread_create() failed.\n*** Check failure stack trace: ***\n    @     0x7f0f  (unknown)\n"

func overflow(n int) int {
	var space [1 << 12]byte
	space[n%len(space)] = byte(n)
	return overflow(n+1) + int(space[(n+1)%len(space)]) //lint:ignore SA5007 the overflow is the purpose
}

// run runs this program so that it crashes, under a limit of addresses in KiB, and returns its exit code and
// standard error.
func run(t *testing.T, mode string, limit int, debug string) (int, string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	if limit > 0 {
		command = exec.Command("sh", "-c", fmt.Sprintf(`ulimit -v %d && exec "$0"`, limit), os.Args[0])
	}
	command.Env = append(os.Environ(), modeEnv+"="+mode, DebugEnv+"="+debug)
	var stderr strings.Builder
	command.Stderr = &stderr
	command.WaitDelay = 10 * time.Second
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), stderr.String()
}

// A crash prints one line and ends with the code that Start was given.
func TestCrashes(t *testing.T) {
	const more = " (ILLUSTRATOR_DEBUG=1 prints more)\n"
	const memory = "program: error: out of memory: the machine, or a limit such as ulimit -v, has no more" + more
	for mode, want := range map[string]string{
		"stack overflow": "program: error: internal: stack overflow" + more,
		"memory":         memory,
		"map":            "program: error: internal: fatal error: concurrent map writes" + more,
		"panic":          "program: error: internal: panic: boom" + more,
		"abort":          "half a line\nprogram: error: native code gave up" + more,
		"bad_alloc":      "a line\n" + memory,
		"check":          "a line\nW0000 00:00:1795954644.5 1331 x.cc:1] a warning\n" + memory,
		"fault":          "program: error: internal: SIGSEGV: segmentation violation" + more,
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			limit := 0
			if mode == "memory" {
				limit = 3 << 20
			}
			if code, stderr := run(t, mode, limit, ""); code != 7 || stderr != want {
				t.Errorf("exit code %d, %q; want 7, %q", code, stderr, want)
			}
		})
	}
}

// With ILLUSTRATOR_DEBUG=1 all is printed; the exit code stays.
func TestCrashPrintsAll(t *testing.T) {
	for mode, want := range map[string][]string{
		"stack overflow": {"fatal error: stack overflow", "crash.overflow(", "goroutine 1 "},
		"bad_alloc":      {"what():  std::bad_alloc"},
	} {
		code, stderr := run(t, mode, 0, "1")
		for _, text := range want {
			if code != 7 || !strings.Contains(stderr, text) {
				t.Errorf("%s: exit code %d; want 7 and %q in\n%.3000s", mode, code, text, stderr)
			}
		}
	}
}

// What native code writes comes through in order, whatever it begins as; a nil pointer remains a panic that can be
// recovered.
func TestNoCrash(t *testing.T) {
	var long strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	for mode, want := range map[string]string{
		"none":      "native: line\nrun, runtime: all is well\nWARNING: All log messages are well\nfat",
		"long":      long.String(),
		"recovered": "recovered: runtime error: invalid memory address or nil pointer dereference\n",
	} {
		if code, stderr := run(t, mode, 0, ""); code != 3 || stderr != want {
			t.Errorf("%s: exit code %d, %.200q; want 3, %.200q", mode, code, stderr, want)
		}
	}
}

// Below what Go's runtime needs to start, C code says so.
func TestLimitOfAddresses(t *testing.T) {
	if code, stderr := run(t, "none", 3<<19-1, ""); code != 1 ||
		!strings.HasSuffix(stderr, ": error: out of memory: the limit of addresses, ulimit -v, is below 1.5 GiB\n") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
