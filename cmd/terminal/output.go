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

// fileExtensions are those of names that no one means for a folder. Others, such as that of "pictures.old", may be.
var fileExtensions = []string{
	".png", ".jpg", ".jpeg", ".webp", ".gif", ".apng", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".svg", ".mp4", ".webm",
	".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".html", ".htm", ".pdf", ".tex", ".log",
	".npy", ".npz", ".safetensors", ".pt", ".pth", ".ckpt", ".pkl", ".onnx", ".arrow", ".parquet",
	".zip", ".tar", ".gz", ".tgz",
}

// CheckOutputFolder returns an error if the folder at path could neither be made nor written to, or if it does not
// exist and is named like a file. It makes nothing. extensions are those of files that the command writes in place of a
// folder.
func CheckOutputFolder(path string, extensions ...string) error {
	if _, err := os.Stat(path); err != nil {
		if err := checkFolderName(path, extensions); err != nil {
			return err
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

// checkFolderName returns an error if path is named like a file.
func checkFolderName(path string, extensions []string) error {
	name := strings.TrimSuffix(path, filepath.Ext(path))
	if ext := strings.ToLower(filepath.Ext(path)); !slices.Contains(fileExtensions, ext) || filepath.Base(path) == ext {
		return nil
	}
	err := fmt.Errorf("--out %q is named like a file", path)
	if len(extensions) > 0 {
		return fault.Usage(err, "name a folder, such as %s, or a file that ends in %s", name, fault.AnyOf(extensions))
	}
	return fault.Usage(err, "--out is a folder here: name one, such as %s", name)
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
