package terminal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"illustrator/internal/fault"
)

// CheckOutputFile returns an error if the file at path could not be written, before anything costly is done for it.
// extensions are those that its name may have; none allows any.
func CheckOutputFile(path string, extensions ...string) error {
	if ext := strings.ToLower(filepath.Ext(path)); len(extensions) > 0 && !slices.Contains(extensions, ext) {
		return fault.Usage(fmt.Errorf("--out %q has the extension %q", path, ext), "name a file that ends in %s",
			strings.Join(extensions, " or "))
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fault.Usage(fmt.Errorf("--out %q is not a file", path), "name a file, new or to be replaced")
	}
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return fault.Usage(fmt.Errorf("--out %q: the folder %q does not exist", path, folder),
			"make the folder first, or name another")
	}
	return tryFolder(path, folder)
}

// CheckOutputFolder returns an error if the folder at path could neither be made nor written to. It makes nothing.
func CheckOutputFolder(path string) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png", ".jpg", ".jpeg", ".webp", ".npy", ".safetensors":
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			return fault.Usage(fmt.Errorf("--out %q is named like a file", path), "--out is a folder here: name one")
		}
	}
	there := filepath.Clean(path)
	for {
		_, err := os.Stat(there)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) || there == filepath.Dir(there) {
			break
		}
		there = filepath.Dir(there)
	}
	return tryFolder(path, there)
}

// tryFolder makes a file in a folder that is there, and removes it again. A place that takes no files is a mistake in
// what the user named; a full disk is not.
func tryFolder(path, folder string) error {
	f, err := os.CreateTemp(folder, ".illustrator-*")
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // without the temporary file's name
		}
		if info, e := os.Stat(folder); e == nil && !info.IsDir() {
			err = errors.New("it is a file")
		}
		err = fmt.Errorf("--out %q: %q cannot be written to: %w", path, folder, err)
		if errors.Is(err, syscall.ENOSPC) {
			return fault.Hint(err, "free some space, or give --out another place")
		}
		return fault.Usage(err, "give --out a place that you can write to")
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// CommandLine writes a program with arguments as a shell takes it.
func CommandLine(program string, arguments []string) string {
	quoted := append([]string{program}, arguments...)
	for i, a := range quoted {
		if a == "" || strings.ContainsAny(a, " \t\n\"'`$&|;<>()*?[]{}~#\\!") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
