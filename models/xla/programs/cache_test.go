package programs

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/internal/files"
	"illustrator/internal/sealed"
)

var keyA, keyB, keyC = keyOf([]string{"a"}), keyOf([]string{"b"}), keyOf([]string{"c"})

func TestCacheReadsWhatItWrote(t *testing.T) {
	c := &Cache{Folder: filepath.Join(t.TempDir(), "illustrator", "programs")}
	if content, err := c.files().Read(keyA); content != nil || err != nil {
		t.Errorf("from a folder that is not there: %q, %v", content, err)
	}
	if n, size, err := c.Size(); n != 0 || size != 0 || err != nil {
		t.Errorf("size of a folder that is not there: %d, %d, %v", n, size, err)
	}
	for range 2 { // another process may have written it before
		if err := c.files().Write(keyA, []byte("program a")); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := c.files().Read(keyA); string(content) != "program a" || err != nil {
		t.Errorf("read %q, %v", content, err)
	}
	if content, err := c.files().Read(keyB); content != nil || err != nil {
		t.Errorf("another key: %q, %v", content, err)
	}
	if n, size, err := c.Size(); n != 1 || size != 32+9 || err != nil {
		t.Errorf("size: %d, %d, %v", n, size, err)
	}
}

// A damaged, cut or foreign file is an error and never a program.
func TestCacheRefusesDamage(t *testing.T) {
	c := &Cache{Folder: t.TempDir(), Limit: 200}
	if err := c.files().Write(keyA, []byte("program a")); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(c.files().File(keyA))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		damaged := bytes.Clone(good)
		damaged[i] ^= 1
		expectRefusal(t, c, keyA, damaged, "damaged")
	}
	expectRefusal(t, c, keyA, nil, "cut short")
	expectRefusal(t, c, keyA, good[:32], "cut short")
	expectRefusal(t, c, keyA, good[:40], "damaged")
	expectRefusal(t, c, keyA, make([]byte, 201), "201 bytes")
	expectRefusal(t, c, keyB, good, "another key's")
	if err := c.files().Write(keyA, make([]byte, 169)); err == nil || !strings.Contains(err.Error(), "201 bytes") {
		t.Errorf("a program above the limit: %v", err)
	}
}

func expectRefusal(t *testing.T, c *Cache, key string, file []byte, why string) {
	t.Helper()
	if err := os.WriteFile(c.files().File(key), file, 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := c.files().Read(key); content != nil || err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%d bytes: read %q, %v; want an error that says %q", len(file), content, err, why)
	}
}

// A FIFO, a link, a folder or a file of others in the place of a program neither blocks nor is read.
func TestCacheRefusesWhatOthersMadeOrCanChange(t *testing.T) {
	c := &Cache{Folder: t.TempDir()}
	path := c.files().File(keyA)
	link := func(target string) func() error { return func() error { return os.Symlink(target, path) } }
	elsewhere := filepath.Join(t.TempDir(), "program")
	seal := sealed.Seal(keyA, []byte("program a"))
	file := append(seal[:], "program a"...)
	if err := os.WriteFile(elsewhere, file, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := func(mode os.FileMode) func() error {
		return func() error { return errors.Join(os.WriteFile(path, file, 0o600), os.Chmod(path, mode)) }
	}
	for name, make := range map[string]func() error{
		"FIFO": func() error { return exec.Command("mkfifo", path).Run() }, "link": link(elsewhere),
		"link to a device": link("/dev/zero"), "folder": func() error { return os.Mkdir(path, 0o700) },
		"link to itself": link(path), "of a group": plain(0o620), "of everyone": plain(0o602),
		"socket": func() error {
			short, err := os.MkdirTemp("", "s") // a socket's path is short
			if err != nil {
				return err
			}
			t.Cleanup(func() { os.RemoveAll(short) })
			name := filepath.Join(short, "s")
			_, err = net.ListenUnix("unix", &net.UnixAddr{Name: name})
			return errors.Join(err, os.Rename(name, path))
		},
		"of another user": func() error { return errors.Join(plain(0o600)(), os.Chown(path, os.Geteuid()+1, -1)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer os.RemoveAll(path)
			if err := make(); errors.Is(err, os.ErrPermission) {
				t.Skip("only root gives files away")
			} else if err != nil {
				t.Fatal(err)
			}
			content, err := c.files().Read(keyA)
			if distrust := new(files.DistrustError); content != nil || !errors.As(err, &distrust) || distrust.Path != path ||
				distrust.Fix == "" {
				t.Errorf("read %q, %v", content, err)
			}
			if n, err := c.Distrust(); n != 1 || err == nil {
				t.Errorf("%d programs are not trusted: %v", n, err)
			}
		})
	}
	if err := plain(0o600)(); err != nil {
		t.Fatal(err)
	}
	if content, err := c.files().Read(keyA); string(content) != "program a" || err != nil {
		t.Errorf("read %q, %v", content, err)
	}
	if n, err := c.Distrust(); n != 0 || err != nil {
		t.Errorf("%d programs are not trusted: %v", n, err)
	}
}

// Whatever stands in a file, only what follows a right seal is a program.
func FuzzUnseal(f *testing.F) {
	seal := sealed.Seal(keyA, []byte("program a"))
	f.Add(append(seal[:], "program a"...))
	f.Add(seal[:])
	f.Fuzz(func(t *testing.T, content []byte) {
		c := &Cache{Folder: t.TempDir(), Limit: 1 << 16}
		if err := os.WriteFile(c.files().File(keyA), content, 0o600); err != nil {
			t.Fatal(err)
		}
		program, err := c.files().Read(keyA)
		if (err == nil) == (program == nil) {
			t.Errorf("%q, %v", program, err)
		}
		if sum := sealed.Seal(keyA, program); err == nil && !bytes.Equal(content, append(sum[:], program...)) {
			t.Errorf("read %q", program)
		}
	})
}

// Above the limit the programs go that were not used for longest, and no file of others.
func TestCachePrunes(t *testing.T) {
	c := &Cache{Folder: t.TempDir(), Limit: 250}
	other := filepath.Join(c.Folder, "notes.program")
	if err := os.WriteFile(other, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	halfWritten := filepath.Join(c.Folder, "."+keyB+suffix+"123")
	if err := os.WriteFile(halfWritten, make([]byte, 50), 0o600); err != nil {
		t.Fatal(err)
	}
	age := func(path string, hours int) {
		when := time.Now().Add(-time.Duration(hours) * time.Hour)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{keyA, keyB} {
		if err := c.files().Write(key, make([]byte, 60)); err != nil {
			t.Fatal(err)
		}
	}
	age(halfWritten, 4)
	age(c.files().File(keyA), 3)
	age(c.files().File(keyB), 2)
	if _, err := c.files().Read(keyA); err != nil { // now keyB's use is the longest ago
		t.Fatal(err)
	}
	if err := c.files().Write(keyC, make([]byte, 60)); err != nil {
		t.Fatal(err)
	}
	a, b, third := c.files().File(keyA), c.files().File(keyB), c.files().File(keyC)
	for path, want := range map[string]bool{other: true, halfWritten: false, a: true, b: false, third: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v; want it there: %v", filepath.Base(path), err, want)
		}
	}
}

func TestMachineHasTheFlags(t *testing.T) {
	t.Setenv("XLA_FLAGS", "")
	before := keyOf(describeMachine())
	for _, name := range []string{"XLA_FLAGS", "NVIDIA_TF32_OVERRIDE"} {
		t.Setenv(name, "something else")
		now := keyOf(describeMachine())
		if now == before {
			t.Errorf("%s does not matter", name)
		}
		before = now
	}
}

func TestKeysDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][]string{nil, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"ab", ""}} {
		seen[keyOf(parts)] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d keys of 7 lists", len(seen))
	}
}
