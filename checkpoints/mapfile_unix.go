//go:build unix

package checkpoints

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file of size bytes into memory, for reading alone: writing into it is a fault. It stays mapped, for
// slices of it may live as long as the program; its pages come from the disk when they are touched, and cost no memory
// that the system could not take back.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
}
