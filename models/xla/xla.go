// Package xla finds, installs, verifies and opens the XLA plugin (PJRT) that the networks run on.
//
// The plugin is a shared library that is loaded at run time. Open never installs anything; Setup does.
package xla

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"illustrator/internal/fault"
	"illustrator/models/xla/programs"
)

// BackendEnv names the environment variable that chooses a backend where Open is given no name.
const BackendEnv = "GOMLX_BACKEND"

// Open returns the backend called name: "cpu", "cuda", either with "xla:" before it, or the path of a plugin's library.
// Options may follow, separated by commas ("xla:cuda,tf32,preallocate=false"): GoMLX's, of which "preallocate=false"
// takes CUDA's memory as it is needed and "memory_fraction=0.9" nine tenths of it at once, and "tf32", which lets
// float32 be computed in TF32 on CUDA. An empty name means $GOMLX_BACKEND, or else "cpu".
//
// A missing or broken plugin is an error with a hint; whatever GoMLX panics about becomes an error, too.
func Open(name string) (compute.Backend, error) { return OpenDevices(name, 1) }

// OpenDevices is Open for programs that run on a number of devices at once. The CPU has as many as are asked for: they
// share its cores. Elsewhere it is an error if there are fewer.
func OpenDevices(name string, devices int) (compute.Backend, error) {
	target, err := parse(name)
	if err != nil {
		return nil, err
	}
	var options map[string]any
	if target.isCPU() {
		// Always set: without it, newer plugins take the number of devices from the machine.
		options = map[string]any{"cpu_device_count": int64(max(devices, 1))}
	}
	backend, err := open(target, options)
	if err != nil {
		return nil, err
	}
	if have := backend.NumDevices(); have < devices {
		backend.Finalize()
		return nil, fault.Usage(fmt.Errorf("%d devices are asked for; %s has %d", devices, target, have),
			"set train.devices to at most %d", have)
	}
	return backend, nil
}

// open opens the target with options for the plugin's client.
func open(target target, options map[string]any) (backend compute.Backend, err error) {
	path, err := target.locate()
	if err != nil {
		return nil, err
	}
	if strings.Contains(path, ",") {
		return nil, fault.Usage(fmt.Errorf("XLA plugin %q: GoMLX takes no path with a comma", path),
			"move or link the plugin elsewhere")
	}
	if err := inspect(path); err != nil {
		return nil, target.missing(fmt.Errorf("open XLA plugin %q: %w", path, err))
	}
	defer func() {
		if r := recover(); r != nil {
			backend, err = nil, target.broken(fmt.Errorf("open XLA plugin %q: it does not answer as a PJRT plugin should: %w",
				path, fault.Recovered(r, "its table of functions is not PJRT's")))
		}
	}()
	if target.isCUDA(path) {
		target.options = prepareCUDA(path, target.options)
	}
	if err := programs.Intercept(path); err != nil {
		return nil, target.broken(fmt.Errorf("open XLA plugin %q: %w", path, err))
	}
	// By absolute path: a search by name loads every plugin on the way and dies of a broken one.
	opened, err := newBackend(strings.Join(append([]string{path}, target.options...), ","), options)
	if err != nil && strings.Contains(err.Error(), "unknown plugin options") {
		return nil, fault.Usage(fmt.Errorf("backend %s with %s: %w", target, strings.Join(target.options, ","), err),
			"the options are tf32, preallocate, memory_fraction, allocator and visible_devices on CUDA, and shared_buffers")
	}
	if err != nil {
		return nil, target.broken(fmt.Errorf("open XLA plugin %q: %w", path, err))
	}
	return opened, nil
}

// Locate returns the path of the library that Open(name) would load.
func Locate(name string) (string, error) {
	target, err := parse(name)
	if err != nil {
		return "", err
	}
	return target.locate()
}

// Unusable returns err, which the library of Open(name) gave, with the hint and code of one that is missing.
func Unusable(name string, err error) error {
	target, wrong := parse(name)
	if wrong != nil {
		return wrong
	}
	return target.missing(err)
}

// OnCPU reports whether Open(name) opens the CPU, whose memory is the machine's.
func OnCPU(name string) (bool, error) {
	target, err := parse(name)
	return target.isCPU(), err
}

// IsCUDA reports whether Open(name) opens a CUDA device.
func IsCUDA(name string) bool {
	target, err := parse(name)
	return err == nil && target.isCUDA(target.path)
}

// target is a parsed backend name.
type target struct {
	name    string   // of the plugin: "cpu", "cuda"; "" if path is set
	path    string   // of its library
	options []string // for GoMLX
}

func parse(name string) (target, error) {
	origin := "backend"
	if name == "" {
		name, origin = os.Getenv(BackendEnv), "$"+BackendEnv
	}
	plugin, ok := strings.CutPrefix(name, "xla:")
	if name == "" || name == "xla" {
		plugin, ok = "cpu", true
	}
	parts := strings.Split(plugin, ",")
	t := target{name: parts[0], options: slices.DeleteFunc(parts[1:], func(s string) bool { return s == "" })}
	switch {
	case t.name == "cpu", t.name == "cuda":
	case strings.ContainsRune(t.name, filepath.Separator):
		path, err := filepath.Abs(t.name)
		if err != nil {
			return target{}, fmt.Errorf("%s %q: %w", origin, name, err)
		}
		t.name, t.path = "", path
	case ok && t.name != "": // another plugin by name, such as xla:tpu
	default:
		return target{}, fault.Usage(fmt.Errorf("%s %q is unknown", origin, name),
			"it is xla:cpu, xla:cuda or the path of a PJRT plugin, such as /opt/xla/pjrt_c_api_cpu_plugin.so")
	}
	if t.isCPU() && slices.Contains(t.options, optionTF32) {
		return target{}, fault.Usage(fmt.Errorf("%s %q: the CPU has no TF32", origin, name),
			"leave out tf32, or use xla:cuda,tf32")
	}
	return t, nil
}

func (t target) locate() (string, error) {
	if t.path != "" {
		return t.path, nil
	}
	path, ok := Find(t.name)
	if !ok {
		dirs := strings.Join(searchPath(), ", ")
		return "", t.missing(fmt.Errorf("no XLA plugin %q in %s", t.name, dirs))
	}
	return path, nil
}

func (t target) isCPU() bool {
	return t.name == "cpu" || strings.Contains(filepath.Base(t.path), "cpu")
}

// String names the target as in the command line.
func (t target) String() string {
	if t.path != "" {
		return t.path
	}
	return "xla:" + t.name
}

func (t target) isCUDA(path string) bool {
	return t.name == "cuda" || strings.Contains(filepath.Base(path), "cuda")
}

// broken gives an error of the plugin its code.
func (t target) broken(err error) error {
	return fault.WithCode(fault.Hint(err, "examine the plugin %s", t), Broken, t.name)
}

// missing gives the error of a plugin that is missing or does not work what repairs it.
func (t target) missing(err error) error {
	switch {
	case t.path != "":
		return fault.WithCode(fault.Hint(err, "name a PJRT plugin that works"), OwnPlugin, BackendEnv)
	case t.name == "cpu", t.name == "cuda":
		return fault.WithCode(fault.Hint(err, "install it"), NotInstalled, t.name)
	}
	return fault.Hint(err, "put %s into one of the folders, or use xla:cpu", fileName(t.name))
}
