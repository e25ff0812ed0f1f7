package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// A folder that can be made is not made by looking, and nothing stays in one that is there.
func TestCheckOutputLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "a", "b")} {
		if err := CheckOutputFolder(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := CheckOutputFile(filepath.Join(dir, "x.npy"), ".npy"); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	// A file system that takes no files, whoever asks.
	if _, err := os.Stat("/proc/self"); err == nil {
		for _, err := range []error{CheckOutputFolder("/proc/out"), CheckOutputFile("/proc/out.npy")} {
			if err == nil || !strings.Contains(err.Error(), `--out "/proc/out`) ||
				!strings.Contains(err.Error(), `"/proc" cannot be written to`) {
				t.Errorf("/proc: %v", err)
			}
		}
	}
}

// A name that is a file's is refused, with a folder's, unless a folder of that name is there.
func TestCheckOutputFolderNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for path, hint := range map[string]string{
		"notes.txt": "--out is a folder here: name one, such as notes", "a/b.JSON": "name one, such as a/b",
		"x.png": "name one, such as x", "v1.5": "", "pictures.old": "", ".json": "", "out": "",
	} {
		err := CheckOutputFolder(path)
		if (err == nil) != (hint == "") || err != nil && (!fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), hint)) {
			t.Errorf("%s: %v, hint %q", path, err, fault.HintOf(err))
		}
	}
	err := CheckOutputFolder("way.txt", ".png", ".gif")
	if want := "name a folder, such as way, or a file that ends in .png or .gif"; fault.HintOf(err) != want {
		t.Errorf("%v, hint %q; want %q", err, fault.HintOf(err), want)
	}
	if err := os.Mkdir("notes.txt", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := CheckOutputFolder("notes.txt"); err != nil {
		t.Errorf("a folder that is there: %v", err)
	}
}

// An --out that cannot be is one mistake with one exit code, whatever is in the way.
func TestOutputMistakesAreUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a file": CheckOutputFolder(file), "below a file": CheckOutputFolder(filepath.Join(file, "x")),
		"a file below a file": CheckOutputFile(filepath.Join(file, "x.npy")), "a folder": CheckOutputFile(t.TempDir()),
		"no folder": CheckOutputFile(filepath.Join(t.TempDir(), "none", "x.npy")),
	} {
		if !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
