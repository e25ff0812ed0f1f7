// Package filestest reads, writes and compares files and folders in tests.
package filestest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Write writes raw to path.
func Write(t testing.TB, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Read returns the bytes of the file at path.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Names returns the names in a folder, sorted.
func Names(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Folder returns the bytes of each file of a folder by its name.
func Folder(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range Names(t, folder) {
		files[name] = Read(t, filepath.Join(folder, name))
	}
	return files
}

// Same fails the test at the first file in which two folders differ.
func Same(t interface{ Fatalf(string, ...any) }, a, b map[string][]byte) {
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Fatalf("%s differs (%d and %d bytes)", name, len(a[name]), len(b[name]))
		}
	}
	if len(a) != len(b) {
		t.Fatalf("%d files and %d", len(a), len(b))
	}
}
