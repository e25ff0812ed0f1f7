//go:build linux || darwin

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Private is an open folder that no other user can change, apart from root: neither it nor any folder above it.
// The folder that was checked stays open, so that no other can take its place.
type Private struct {
	path string
	dir  *os.File
}

// maxLinks is the most symbolic links that are followed on the way to a folder, as in Linux.
const maxLinks = 40

// OpenPrivate opens a folder. It is a *DistrustError if another user could change the folder or one above it: they
// must belong to this user or to root and must not be writable by their group or by others. A folder above it may
// be writable if it is sticky, as /tmp is. Symbolic links in such folders are followed.
func OpenPrivate(folder string) (*Private, error) {
	path, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	at, rest := "/", parts(path)
	dir, err := openAt(nil, at, searchFolder)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: at, Err: err}
	}
	for links := 0; len(rest) > 0; {
		if err = trust(dir, at, true); err != nil {
			break
		}
		name := rest[0]
		target, link := readLinkAt(dir, name)
		if link {
			if links++; links > maxLinks {
				err = &fs.PathError{Op: "open", Path: path, Err: unix.ELOOP}
				break
			}
			rest = append(parts(target), rest[1:]...)
			if !filepath.IsAbs(target) {
				continue
			}
			name, at = "/", "/"
		} else {
			rest, at = rest[1:], filepath.Join(at, name)
		}
		var next *os.File
		if next, err = openAt(dir, name, searchFolder); err != nil {
			err = &fs.PathError{Op: "open", Path: at, Err: err}
			break
		}
		dir.Close()
		dir = next
	}
	if err == nil {
		err = trust(dir, at, false)
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return &Private{path: at, dir: dir}, nil
}

// Close closes the folder.
func (p *Private) Close() error { return p.dir.Close() }

// Open opens a regular file of the folder for reading and returns its description. Links are not followed, and a
// FIFO or device does not block. The file must belong to this user or to root and must not be writable by others,
// or it is a *DistrustError.
func (p *Private) Open(name string) (*os.File, fs.FileInfo, error) {
	path := filepath.Join(p.path, name)
	f, err := openAt(p.dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err == unix.ELOOP || err == unix.EMLINK || err == unix.ENXIO || err == unix.EOPNOTSUPP {
		return nil, nil, notRegular(path)
	}
	if err != nil {
		return nil, nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path)
	}
	if err == nil {
		err = trust(f, path, false)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func notRegular(path string) error {
	return &DistrustError{Path: path, Reason: "is not a regular file", Fix: fmt.Sprintf("remove it: rm -r %q", path)}
}

// parts splits a path at its separators.
func parts(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

func openAt(dir *os.File, name string, flags int) (*os.File, error) {
	at := unix.AT_FDCWD
	if dir != nil {
		at = int(dir.Fd())
	}
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_CLOEXEC, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if !errors.Is(err, unix.EINTR) {
			return nil, err
		}
	}
}

// readLinkAt returns the target of a symbolic link; link is false for all else.
func readLinkAt(dir *os.File, name string) (target string, link bool) {
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(dir.Fd()), name, text)
	return string(text[:max(n, 0)]), err == nil
}

// trust checks the owner and the mode. A folder above others may be writable if it is sticky: its entries are their
// owners' alone.
func trust(f *os.File, path string, stickyServes bool) error {
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return &DistrustError{Path: path, Reason: fmt.Sprintf("belongs to user %d", stat.Uid),
			Fix: "take a folder that only you and root can write to"}
	}
	if stat.Mode&0o022 == 0 || stickyServes && stat.Mode&unix.S_ISVTX != 0 {
		return nil
	}
	return &DistrustError{Path: path, Reason: fmt.Sprintf("can be written by other users (mode %04o)", stat.Mode&0o7777),
		Fix: fmt.Sprintf("run: chmod go-w %q", path)}
}

// Touch sets an open file's time of change to now, if the user may.
func Touch(f *os.File) { _ = unix.Futimes(int(f.Fd()), nil) }
