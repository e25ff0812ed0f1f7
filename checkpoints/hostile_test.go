package checkpoints

import (
	"runtime"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// allocated returns the bytes that f allocates, whether or not they are freed again.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// refuse fails the test unless read gives an error that mentions the source and each of want, carries a hint, and costs
// little memory for what the file is.
func refuse(t *testing.T, source string, fileSize int, read func() error, want ...string) {
	t.Helper()
	var err error
	got := allocated(func() { err = read() })
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range append(want, source) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not mention %q", err, w)
		}
	}
	if fault.HintOf(err) == "" {
		t.Errorf("error %q has no hint", err)
	}
	if len(err.Error()) > 1000 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
	if limit := uint64(1<<20 + 32*fileSize); got > limit {
		t.Errorf("refusing a file of %d bytes allocated %d bytes; at most %d", fileSize, got, limit)
	}
}
