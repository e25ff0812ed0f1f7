//go:build linux || darwin

package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrivateFolders changes one thing at a time that lets other users at a file.
func TestPrivateFolders(t *testing.T) {
	other := os.Geteuid() + 1
	another := fmt.Sprintf("user %d", other)
	for name, c := range map[string]struct {
		change func(base string) error
		reason string // "" if the file is read
		at     string // below base
	}{
		"own":                 {func(string) error { return nil }, "", ""},
		"folder of a group":   {func(b string) error { return os.Chmod(b+"/a/b", 0o770) }, "mode 0770", "a/b"},
		"folder above":        {func(b string) error { return os.Chmod(b+"/a", 0o777) }, "mode 0777", "a"},
		"sticky folder above": {func(b string) error { return os.Chmod(b+"/a", 0o777|os.ModeSticky) }, "", ""},
		"sticky folder":       {func(b string) error { return os.Chmod(b+"/a/b", 0o777|os.ModeSticky) }, "mode 1777", "a/b"},
		"another's folder":    {func(b string) error { return os.Chown(b+"/a/b", other, -1) }, another, "a/b"},
		"another's above":     {func(b string) error { return os.Chown(b+"/a", other, -1) }, another, "a"},
		"file of a group":     {func(b string) error { return os.Chmod(b+"/a/b/file", 0o664) }, "mode 0664", "a/b/file"},
		"another's file":      {func(b string) error { return os.Chown(b+"/a/b/file", other, -1) }, another, "a/b/file"},
		"unreadable above":    {func(b string) error { return os.Chmod(b+"/a", 0o100) }, "", ""},
		"link above": {func(b string) error {
			return errors.Join(os.Rename(b+"/a", b+"/c"), os.Symlink("c", b+"/a"))
		}, "", ""},
		"link to a folder of everyone's": {func(b string) error {
			return errors.Join(os.Rename(b+"/a", b+"/c"), os.Chmod(b+"/c", 0o777), os.Symlink(b+"/c", b+"/a"))
		}, "mode 0777", "c"},
		"linked file": {func(b string) error {
			return errors.Join(os.Rename(b+"/a/b/file", b+"/c"), os.Symlink("../../c", b+"/a/b/file"))
		}, "not a regular file", "a/b/file"},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(base+"/a", 0o700)
			err = errors.Join(os.MkdirAll(base+"/a/b", 0o700), os.WriteFile(base+"/a/b/file", []byte("content"), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.change(base); errors.Is(err, fs.ErrPermission) {
				t.Skip("only root gives files away")
			} else if err != nil {
				t.Fatal(err)
			}
			content, err := readPrivate(base+"/a/b", "file")
			if c.reason == "" {
				if string(content) != "content" || err != nil {
					t.Errorf("read %q, %v", content, err)
				}
				return
			}
			distrust := new(DistrustError)
			if !errors.As(err, &distrust) || distrust.Path != filepath.Join(base, c.at) ||
				!strings.Contains(distrust.Reason, c.reason) || distrust.Fix == "" {
				t.Errorf("read %q, %v; want %s, %q", content, err, c.at, c.reason)
			}
		})
	}
}

// A link that leads to itself ends.
func TestPrivateFolderOfLinks(t *testing.T) {
	base := t.TempDir()
	if err := os.Symlink("loop", base+"/loop"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPrivate(base + "/loop/folder"); err == nil || !strings.Contains(err.Error(), "symbolic links") {
		t.Error(err)
	}
	if _, err := OpenPrivate(base + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func readPrivate(folder, name string) ([]byte, error) {
	p, err := OpenPrivate(folder)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	f, _, err := p.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
