package cuda

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// PluginFile is the name of the plugin in the folder nvidia, where it finds NVIDIA's libraries beside it.
const PluginFile = "pjrt_c_api_cuda_plugin.so"

// Missing lists the release's wheels that the folder dir does not have.
func (r Release) Missing(dir string) []Wheel {
	var missing []Wheel
	for _, w := range r.Wheels() {
		if _, err := os.Stat(filepath.Join(dir, w.File)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, w)
		}
	}
	return missing
}

// Check compares the wheel in the folder dir with its size and SHA-256.
func (w Wheel) Check(ctx context.Context, dir string) error {
	f, err := os.Open(filepath.Join(dir, w.File))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != w.Bytes {
		return fmt.Errorf("wheel %q: %d bytes instead of %d", f.Name(), info.Size(), w.Bytes)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, interruptible{ctx, f}); err != nil {
		return fmt.Errorf("wheel %q: %w", f.Name(), err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != w.SHA256 {
		return fmt.Errorf("wheel %q: SHA-256 %s instead of %s", f.Name(), got, w.SHA256)
	}
	return nil
}

// Unpack takes the plugin and the libraries out of a wheel in the folder dir into the folder nvidia. Headers, static
// libraries and Python files stay behind.
func (w Wheel) Unpack(ctx context.Context, dir, nvidia string) error {
	archive, err := zip.OpenReader(filepath.Join(dir, w.File))
	if err != nil {
		return fmt.Errorf("wheel %q: %w", w.File, err)
	}
	defer archive.Close()
	for _, member := range archive.File {
		to := destination(member.Name, w.File)
		if to == "" || strings.HasSuffix(member.Name, "/") {
			continue
		}
		if !filepath.IsLocal(to) {
			return fmt.Errorf("wheel %q: its member %q would leave the folder", w.File, member.Name)
		}
		if err := extract(ctx, member, filepath.Join(nvidia, filepath.FromSlash(to))); err != nil {
			return fmt.Errorf("unpack %q of wheel %q: %w", member.Name, w.File, err)
		}
	}
	return nil
}

// destination returns the path of a wheel's member in the folder nvidia, "" if it stays behind.
func destination(member, wheel string) string {
	project, _, _ := strings.Cut(wheel, "-")
	under, isLibrary := strings.CutPrefix(member, "nvidia/")
	switch base := path.Base(member); {
	case base == "xla_cuda_plugin.so":
		return PluginFile
	case strings.Contains(member, ".dist-info/") && strings.Contains(strings.ToLower(base), "licen"):
		return path.Join("licences", project+"."+base)
	case !isLibrary || strings.Contains(under, "/include/"):
		return ""
	case strings.HasSuffix(base, ".a") || strings.HasSuffix(base, ".py"):
		return ""
	}
	return under
}

func extract(ctx context.Context, member *zip.File, to string) error {
	from, err := member.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if strings.HasSuffix(path.Dir(member.Name), "/bin") || strings.Contains(path.Base(to), ".so") {
		mode = 0o755 // pip does so; the archives do not say it
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(interruptible{ctx, from}, int64(member.UncompressedSize64)+1))
	return errors.Join(err, f.Close())
}

// interruptible is a reader that ends when ctx does.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
