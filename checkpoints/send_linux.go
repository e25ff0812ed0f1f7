package checkpoints

import (
	"os"

	"golang.org/x/sys/unix"
)

// sendToDisk has the system begin to write a part of a file, without waiting. It is an advice, whose failure Sync makes
// good.
func sendToDisk(f *os.File, from, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), from, n, unix.SYNC_FILE_RANGE_WRITE)
}
