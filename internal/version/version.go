// Package version reads what the running program was built from.
package version

import (
	"runtime"
	"runtime/debug"
)

// module is this one's path.
const module = "illustrator"

// Info names the program's version, and those of what it was built with.
type Info struct {
	Illustrator string `json:"illustrator"`
	Commit      string `json:"commit,omitempty"`
	Go          string `json:"go"`
	Platform    string `json:"platform"`
	GoMLX       string `json:"gomlx"`
	GoXLA       string `json:"go_xla"`
}

// Read reads the build information within the program.
func Read() Info {
	v := Info{Illustrator: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		GoMLX: "unknown", GoXLA: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Path == module && info.Main.Version != "" {
		v.Illustrator = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case module: // in another program
			v.Illustrator = dep.Version
		case "github.com/gomlx/gomlx":
			v.GoMLX = dep.Version
		case "github.com/gomlx/go-xla":
			v.GoXLA = dep.Version
		}
	}
	return v
}

// Fields returns the versions by their names in JSON.
func (v Info) Fields() map[string]string {
	return map[string]string{
		"illustrator": v.Illustrator, "commit": v.Commit, "go": v.Go, "platform": v.Platform, "gomlx": v.GoMLX,
		"go_xla": v.GoXLA,
	}
}

// Program names the program and its version in the metadata of the files it writes.
func Program() string { return "illustrator " + Read().Illustrator }
