package checkpoints

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// parts are writes on both sides of overlapFrom, and more than sendEvery together.
func parts() (all [][]byte) {
	for i, n := range []int{8, overlapFrom - 1, overlapFrom, 5, 3 << 20, 6 << 20, 1, 0, 9 << 20} {
		all = append(all, bytes.Repeat([]byte{byte(i + 1), 7, byte(n)}, n/3+1)[:n])
	}
	return all
}

func TestWriteFileHashesWhatItWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	file, err := writeFile(path, func(w io.Writer) error {
		for _, p := range parts() {
			if n, err := w.Write(p); n != len(p) || err != nil {
				t.Errorf("wrote %d of %d bytes, %v", n, len(p), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Join(parts(), nil)
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("the file has %d bytes, want %d; %v", len(have), len(want), err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(want)); file.SHA256 != sum || file.Size != int64(len(want)) {
		t.Errorf("%+v; want %d bytes, SHA-256 %s", file, len(want), sum)
	}
}

func TestWriteFileFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, n := range []int{1, overlapFrom} {
		_, err := writeFile(path, func(w io.Writer) error {
			f := w.(*hashedFile).f
			if err := f.Close(); err != nil {
				return err
			}
			_, err := w.Write(make([]byte, n))
			return err
		})
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%d bytes to a closed file: %v", n, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkWriteFile writes as many bytes as the state of the paper's mapper has, synced and hashed.
func BenchmarkWriteFile(b *testing.B) {
	tensor := make([]byte, 1<<20)
	const tensors = 313
	dir := b.TempDir()
	b.SetBytes(tensors << 20)
	for b.Loop() {
		path := filepath.Join(dir, "file")
		if _, err := writeFile(path, func(w io.Writer) error {
			for range tensors {
				if _, err := w.Write(tensor); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
}
