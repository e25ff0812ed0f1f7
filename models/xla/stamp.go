package xla

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"

	"illustrator/internal/files"
)

// stamp remembers that a plugin was verified, and as which file: another size or time, or another go-xla, voids it.
type stamp struct {
	Size    int64  `json:"size"`
	ModTime int64  `json:"mtime_ns"`
	GoXLA   string `json:"go_xla"`
	Info    Info   `json:"info"`
}

// stampFile is the path of the file that holds the stamps, by plugin path. "" if the user has no cache folder.
func stampFile() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "illustrator", "verified-plugins.json")
}

// verified returns what the plugin at path said when it was verified, if it has not changed since.
func verified(path string) (Info, bool) {
	saved, ok := readStamps()[path]
	if !ok {
		return Info{}, false
	}
	now, ok := newStamp(path)
	if !ok || now.Size != saved.Size || now.ModTime != saved.ModTime || now.GoXLA != saved.GoXLA {
		return Info{}, false
	}
	return saved.Info, true
}

// remember notes that the plugin at path was verified, if it has run a graph. Forgetting costs a second,
// so errors are of no account.
func remember(path string, info Info) {
	file := stampFile()
	entry, ok := newStamp(path)
	if file == "" || !ok || !info.Ran {
		return
	}
	entry.Info = info
	stamps := readStamps()
	for old := range stamps {
		if _, err := os.Stat(old); err != nil {
			delete(stamps, old)
		}
	}
	stamps[path] = entry
	content, err := json.MarshalIndent(stamps, "", "  ")
	if err != nil || os.MkdirAll(filepath.Dir(file), 0o755) != nil {
		return
	}
	_ = files.WriteFile(file, append(content, '\n'), 0o644)
}

func readStamps() map[string]stamp {
	stamps := map[string]stamp{}
	content, err := os.ReadFile(stampFile())
	if err != nil || json.Unmarshal(content, &stamps) != nil {
		return map[string]stamp{}
	}
	return stamps
}

func newStamp(path string) (stamp, bool) {
	info, err := os.Stat(path) // follows a link to a user's own plugin
	if err != nil {
		return stamp{}, false
	}
	s := stamp{Size: info.Size(), ModTime: info.ModTime().UnixNano()}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range build.Deps {
			if dep.Path == "github.com/gomlx/go-xla" {
				s.GoXLA = dep.Version
			}
		}
	}
	return s, true
}
