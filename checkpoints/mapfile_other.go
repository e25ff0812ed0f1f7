//go:build !unix

package checkpoints

import (
	"io"
	"os"
)

// mapFile reads a file of size bytes: this system has no memory map.
func mapFile(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(f, data)
	return data, err
}
