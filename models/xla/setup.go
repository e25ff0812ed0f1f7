package xla

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Options says what Setup should see to.
type Options struct {
	Plugin string // a library or the pinned wheel to use; "" finds a plugin or installs one
	CUDA   bool   // the CUDA plugin instead of the CPU's

	CUDAVersion int    // 12 or 13; 0 leaves the choice to the driver
	From        string // a folder with the CUDA plugin's wheels; "" downloads them

	// Command makes the process that verifies a plugin: it calls Verify and prints the Info as JSON. A broken library
	// may take that process down, and Setup says so.
	Command func(ctx context.Context, plugin string) *exec.Cmd
	// Progress is told what is being done, in a few words, from any goroutine. It may be nil.
	Progress func(line string)
}

// Report says what Setup did.
type Report struct {
	Path      string `json:"path"`      // of the plugin
	Source    string `json:"source"`    // "found", "linked", "wheel", "wheels", "pip" or "gomlx"
	Installed bool   `json:"installed"` // by this call
	// Verified says that this call ran a graph: not where an earlier one did and nothing changed since, nor on a
	// machine without the plugin's device.
	Verified bool `json:"verified"`
	Info     Info `json:"info"`
}

// Setup sees to it that a plugin that works is where Open looks for it: it keeps a good one, else installs one into the
// first folder of SearchPath. Nothing stands there under its final name before it has run a graph and a gradient.
func Setup(ctx context.Context, opts Options) (Report, error) {
	s := setup{Options: opts, name: "cpu"}
	if opts.CUDA {
		s.name = "cuda"
	}
	if s.Progress == nil {
		s.Progress = func(string) {}
	}
	if opts.Plugin != "" {
		return s.useOwn(ctx)
	}
	if path, ok := Find(s.name); ok {
		if info, ok := verified(path); ok && s.wants(info) {
			return Report{Path: path, Source: "found", Info: info}, nil
		}
		s.Progress("verifying " + path)
		info, err := VerifyInChild(ctx, path, s.Command)
		if err == nil && !s.wants(info) {
			err = fmt.Errorf("it is for CUDA %s", info.CUDA)
		}
		if err == nil {
			remember(path, info)
			return Report{Path: path, Source: "found", Verified: info.Ran, Info: info}, nil
		}
		if ctx.Err() != nil {
			return Report{}, ctx.Err()
		}
		s.Progress(fmt.Sprintf("another plugin will take the place of %s: %v", path, err))
	}
	if opts.CUDA {
		return s.installCUDA(ctx)
	}
	return s.installCPU(ctx)
}

// setup is one call of Setup.
type setup struct {
	Options
	name string // of the plugin: "cpu" or "cuda"
}

// wants reports whether a plugin is for the CUDA version that was asked for.
func (s *setup) wants(info Info) bool {
	return s.CUDAVersion == 0 || strings.HasPrefix(info.CUDA, fmt.Sprintf("%d.", s.CUDAVersion))
}

// destination returns the path that a new plugin gets, its folder made.
func (s *setup) destination() (string, error) {
	dirs := searchPath()
	if len(dirs) == 0 {
		return "", fault.Hint(errors.New("no folder to install XLA's plugin into"),
			"unset PJRT_PLUGIN_LIBRARY_PATH or let it name a folder")
	}
	if err := os.MkdirAll(dirs[0], 0o755); err != nil {
		return "", fault.Hint(fmt.Errorf("make the plugin's folder: %w", err),
			"set PJRT_PLUGIN_LIBRARY_PATH to a folder that you may write to, here and for later runs")
	}
	return filepath.Abs(filepath.Join(dirs[0], fileName(s.name)))
}

// useOwn installs the user's own library as a link to it, or the pinned wheel brought from elsewhere.
func (s *setup) useOwn(ctx context.Context) (Report, error) {
	own, err := filepath.Abs(s.Plugin)
	if err != nil {
		return Report{}, fmt.Errorf("plugin %q: %w", s.Plugin, err)
	}
	if strings.HasSuffix(own, ".whl") {
		return s.installWheel(ctx, own, "wheel")
	}
	s.Progress("verifying " + own)
	info, err := VerifyInChild(ctx, own, s.Command)
	if err != nil {
		return Report{}, fault.WithCode(fault.Hint(fmt.Errorf("plugin %q: %w", s.Plugin, err),
			"give a PJRT plugin (a library with the function GetPjrtApi) built for this machine"), NotAPlugin)
	}
	if cuda := isCUDAPlatform(info.Platform); cuda != s.CUDA {
		return Report{}, fault.WithCode(fault.Usage(fmt.Errorf("plugin %q is for %q", s.Plugin, info.Platform),
			"give one for the other platform"), OtherPlatform)
	}
	path, err := s.destination()
	if err != nil {
		return Report{}, err
	}
	if !sameFile(own, path) {
		if err := files.Symlink(own, path); err != nil {
			return Report{}, fmt.Errorf("link the plugin: %w", err)
		}
	}
	remember(path, info)
	return Report{Path: path, Source: "linked", Installed: true, Verified: info.Ran, Info: info}, nil
}

// isCUDAPlatform tells the names that XLA's GPU plugins give their platform.
func isCUDAPlatform(platform string) bool {
	platform = strings.ToLower(platform)
	return strings.Contains(platform, "cuda") || strings.Contains(platform, "gpu")
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// publish writes a plugin beside path with write, verifies it, and only then gives it its name.
func (s *setup) publish(ctx context.Context, path string, write func(f *os.File) error) (Info, error) {
	f, err := files.Pending(path)
	if err != nil {
		return Info{}, fmt.Errorf("install the plugin: %w", err)
	}
	defer f.Cleanup() //nolint:errcheck // nothing to clean up after success
	if err := f.Chmod(0o755); err != nil {
		return Info{}, fmt.Errorf("install the plugin: %w", err)
	}
	if err := write(f.File); err != nil {
		return Info{}, fmt.Errorf("install the plugin as %q: %w", path, err)
	}
	s.Progress("verifying the plugin")
	info, err := VerifyInChild(ctx, f.Name(), s.Command)
	if err != nil {
		return Info{}, fmt.Errorf("the new plugin does not work here: %w", err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return Info{}, fmt.Errorf("install the plugin as %q: %w", path, err)
	}
	remember(path, info)
	return info, nil
}
