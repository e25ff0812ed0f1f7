package xla

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"illustrator/internal/fault"
)

// Names that go-xla and every plugin use. They are go-xla's constants, which a build without cgo does not have.
const (
	searchPathEnv = "PJRT_PLUGIN_LIBRARY_PATH"
	apiFunction   = "GetPjrtApi"
)

// searchPath lists the folders in which plugins are looked for, first match first: those of $PJRT_PLUGIN_LIBRARY_PATH
// if it is set, otherwise ~/.local/lib/go-xla and /usr/local/lib/go-xla, as go-xla does. The folders of the system's
// loader, which go-xla searches last, are left out.
func searchPath() []string {
	if env := os.Getenv(searchPathEnv); env != "" {
		return slices.DeleteFunc(filepath.SplitList(env), func(dir string) bool { return dir == "" })
	}
	var dirs []string
	if home, err := os.UserHomeDir(); err == nil {
		base := filepath.Join(home, ".local", "lib")
		if runtime.GOOS == "darwin" {
			base = filepath.Join(home, "Library", "Application Support")
		}
		dirs = append(dirs, filepath.Join(base, "go-xla"))
	}
	return append(dirs, "/usr/local/lib/go-xla")
}

// fileName is the name under which the plugin called name is looked for first.
func fileName(name string) string {
	extension := ".so"
	switch runtime.GOOS {
	case "darwin":
		extension = ".dylib"
	case "windows":
		extension = ".dll"
	}
	return "pjrt_c_api_" + name + "_plugin" + extension
}

// Find returns the absolute path of the first plugin called name ("cpu", "cuda") on SearchPath. It does not load it.
// CUDA's may also be in the folder nvidia of each, where it finds NVIDIA's libraries.
func Find(name string) (path string, ok bool) {
	dirs := searchPath()
	if name == "cuda" {
		for _, dir := range searchPath() {
			dirs = append(dirs, filepath.Join(dir, "nvidia"))
		}
	}
	ext := filepath.Ext(fileName(name))
	patterns := []string{fileName(name), "pjrt_c_api_" + name + "_v*_plugin" + ext, "pjrt-plugin-" + name + ext,
		"pjrt_plugin_" + name + ext}
	if runtime.GOOS == "darwin" {
		patterns = append(patterns, "pjrt_c_api_"+name+"_plugin.so", "pjrt_c_api_"+name+"_v*_plugin.so")
	}
	for _, dir := range dirs {
		for _, pattern := range patterns {
			candidates, _ := filepath.Glob(filepath.Join(dir, pattern))
			slices.Sort(candidates)
			slices.Reverse(candidates) // the newest version first
			for _, candidate := range candidates {
				if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() {
					if path, err = filepath.Abs(candidate); err == nil {
						return path, true
					}
				}
			}
		}
	}
	return "", false
}

// inspect reports what keeps the file at path from being a plugin, as far as can be told without running its code:
// loading a file that is not a plugin would end the process.
func inspect(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Missing("no such file")
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder, not a library")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case runtime.GOOS != "linux":
		return nil
	}
	return inspectELF(path, info.Size())
}

func inspectELF(path string, size int64) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("it is not a shared library, or damaged: %w", err)
	}
	defer f.Close()
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	if want, known := machines[runtime.GOARCH]; known && f.Machine != want {
		return fmt.Errorf("it is for another processor (%v; this is %v)", f.Machine, want)
	}
	if f.Type != elf.ET_DYN {
		return fmt.Errorf("it is not a shared library (%v)", f.Type)
	}
	for _, p := range f.Progs {
		if p.Off+p.Filesz > uint64(size) || p.Off+p.Filesz < p.Off {
			return fmt.Errorf("it is cut short: %d bytes, its header asks for %d", size, p.Off+p.Filesz)
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("its symbols can't be read: %w", err)
	}
	if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool {
		return s.Name == apiFunction && s.Section != elf.SHN_UNDEF
	}) {
		return fmt.Errorf("it has no function %s, so it is not a PJRT plugin", apiFunction)
	}
	return nil
}
