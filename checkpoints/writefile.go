package checkpoints

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
)

// writeFile writes a new file, syncs it and returns its size and hash.
func writeFile(path string, content func(w io.Writer) error) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	w := &hashedFile{f: f, hash: sha256.New()}
	if err := content(w); err != nil {
		return File{}, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return File{}, err
	}
	return File{Size: w.size, SHA256: hex.EncodeToString(w.hash.Sum(nil))}, nil
}

// hashedFile hashes what is written to a file while the system takes it, and has the system begin to write it to the
// disk, so that less is left for Sync.
type hashedFile struct {
	f    *os.File
	hash hash.Hash
	size int64
	sent int64 // bytes that the system was told to write to the disk
}

const (
	// overlapFrom is the number of bytes from which a second goroutine is worth its start.
	overlapFrom = 64 << 10
	// sendEvery is the number of bytes that are gathered before they are sent to the disk.
	sendEvery = 8 << 20
)

func (w *hashedFile) Write(p []byte) (n int, err error) {
	if len(p) < overlapFrom {
		n, err = w.f.Write(p)
		w.hash.Write(p)
	} else {
		written := make(chan struct{})
		go func() {
			defer close(written)
			n, err = w.f.Write(p)
		}()
		w.hash.Write(p)
		<-written
	}
	if w.size += int64(n); w.size-w.sent >= sendEvery {
		sendToDisk(w.f, w.sent, w.size-w.sent)
		w.sent = w.size
	}
	return n, err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }
