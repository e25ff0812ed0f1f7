// Package doctor checks what the networks need on this machine: plugin, devices, memory, weights.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/machine"
	"illustrator/internal/version"
	"illustrator/models/xla"
	"illustrator/models/xla/cuda"
	"illustrator/models/xla/programs"
)

// Check is one thing that was checked.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // OK, Warning or Wrong
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // what fixes it, or an advice
	// Lack is what is to be installed, Err what is wrong with the plugin: the caller knows the commands that fix them.
	Lack Lack  `json:"-"`
	Err  error `json:"-"`
}

// Lack says what the machine lacks.
type Lack string

// Lacks of a Check.
const (
	OwnPlugin   Lack = "own_plugin"   // the XLA plugin that belongs to this program
	OtherPlugin Lack = "other_plugin" // an XLA plugin whose version can be read
	Pip         Lack = "pip"          // which installs the plugin
)

// Statuses of a Check.
const (
	OK      = "ok"
	Warning = "warning" // works, but may trouble some
	Wrong   = "wrong"
)

// Diagnosis holds the checks and the facts behind them.
type Diagnosis struct {
	OK       bool           `json:"ok"`
	Plugin   string         `json:"plugin,omitempty"` // path
	Info     *xla.Info      `json:"plugin_info,omitempty"`
	Memory   machine.Memory `json:"memory"`
	Weights  []Weights      `json:"embedded_weights"`
	Versions version.Info   `json:"versions"`
	Checks   []Check        `json:"checks"`
}

// Weights are a network within the program.
type Weights struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of model.safetensors
}

// Need is the memory in bytes that a run takes, 0 if unknown: of the machine on a CPU, and on each GPU.
type Need struct{ CPU, GPU int64 }

// Diagnose checks the machine for a backend, "" for the default; verify returns the process that verifies a plugin.
// need is the memory that a run takes.
func Diagnose(ctx context.Context, backend string, need Need, cache *programs.Cache,
	verify func(ctx context.Context, plugin string) *exec.Cmd) Diagnosis {
	d := Diagnosis{OK: true, Versions: version.Read(), Memory: machine.ReadMemory()}
	add := func(c Check) {
		d.Checks = append(d.Checks, c)
		d.OK = d.OK && c.Status != Wrong
	}
	v := d.Versions
	add(Check{Name: "program", Status: OK, Detail: fmt.Sprintf("illustrator %s, %s, gomlx %s, go-xla %s",
		v.Illustrator, v.Go, v.GoMLX, v.GoXLA)})
	add(d.checkPlugin(ctx, backend, verify))
	if d.Info != nil {
		add(checkAPI(d.Info.API))
		if d.Info.Ran {
			add(checkDevices(d.Info))
		}
	}
	if xla.IsCUDA(cmp.Or(backend, os.Getenv(xla.BackendEnv))) {
		need.CPU = 0
		for _, c := range checkGPU(cuda.Probe(ctx), need.GPU) {
			add(c)
		}
	}
	add(checkMemory(d.Memory, need.CPU))
	add(d.checkWeights())
	add(checkPrograms(cache))
	add(checkPip(ctx, d.Info != nil))
	return d
}

// checkPlugin finds the plugin and has it run a graph, each time: a stamp of an earlier day says little about today.
func (d *Diagnosis) checkPlugin(ctx context.Context, backend string,
	verify func(ctx context.Context, plugin string) *exec.Cmd) Check {
	c := Check{Name: "XLA plugin", Status: Wrong}
	path, err := xla.Locate(backend)
	if err != nil {
		c.Detail, c.Fix, c.Err = err.Error(), fault.HintOf(err), err
		return c
	}
	d.Plugin = path
	info, err := xla.VerifyInChild(ctx, path, verify)
	if err != nil {
		c.Err = xla.Unusable(backend, fmt.Errorf("%s: %w", path, err))
		c.Detail, c.Fix = c.Err.Error(), fault.HintOf(c.Err)
		return c
	}
	d.Info = &info
	c.Status, c.Detail = OK, path+": a graph and a gradient gave the right values"
	if !info.Ran {
		c.Detail = fmt.Sprintf("%s: loads, for CUDA %s; without a GPU no graph is run", path, info.CUDA)
	}
	if target, err := os.Readlink(path); err == nil {
		c.Detail += "; links to " + target
	}
	return c
}

func checkDevices(info *xla.Info) Check {
	c := Check{Name: "devices", Status: OK}
	if info.Platform == "cpu" {
		c.Detail = fmt.Sprintf("cpu: %d devices of XLA's that share %d cores", len(info.Devices), runtime.GOMAXPROCS(0))
		return c
	}
	c.Detail = fmt.Sprintf("%s: %s", info.Platform, strings.Join(info.Devices, ", "))
	if info.Version != "" && info.Version != info.Platform {
		c.Detail += " (" + info.Version + ")"
	}
	return c
}

// memoryNeeded limits what the runs of embedded domains take.
const memoryNeeded = 4 << 30

func checkMemory(m machine.Memory, need int64) Check {
	c := Check{Name: "memory", Status: OK, Detail: "not known on this system"}
	if m.Total == 0 {
		return c
	}
	c.Detail = fmt.Sprintf("%s, %s of it available", machine.ByteSize(int64(m.Total)),
		machine.ByteSize(int64(m.Available)))
	switch {
	case need > int64(m.Available):
		c.Status, c.Fix = Wrong, "lower train.batch, end other programs, or take a machine with more memory"
		c.Detail += fmt.Sprintf("; the configuration needs about %s", machine.ByteSize(need))
	case need == 0 && m.Available < memoryNeeded:
		c.Status, c.Fix = Warning, "end other programs: runs on an embedded domain take up to 4 GiB"
	}
	return c
}

// checkWeights compares every file of the embedded networks with its manifest.
func (d *Diagnosis) checkWeights() Check {
	c := Check{Name: "weights", Status: Wrong, Fix: "run `make build` in a clean checkout"}
	locations := checkpoints.Embedded()
	if len(locations) == 0 {
		c.Detail = "none are embedded"
		return c
	}
	var names []string
	for _, location := range locations {
		sum, err := verifyFolder(location)
		if err != nil {
			c.Detail = err.Error()
			return c
		}
		name := strings.TrimPrefix(location, checkpoints.EmbeddedPrefix)
		names = append(names, name)
		d.Weights = append(d.Weights, Weights{name, sum})
	}
	return Check{Name: "weights", Status: OK, Detail: "embedded: " + strings.Join(names, ", ") + "; all hashes agree"}
}

// verifyFolder reads every file that the manifest of the network at location lists.
func verifyFolder(location string) (sha256 string, err error) {
	folder, err := checkpoints.Open(location)
	if err != nil {
		return "", err
	}
	manifest := folder.Manifest()
	if manifest == nil {
		return "", fmt.Errorf("%s: %s is missing", location, checkpoints.ManifestFile)
	}
	for _, name := range slices.Sorted(maps.Keys(manifest.Files)) {
		if _, err := folder.ReadFile(name); err != nil {
			return "", err
		}
	}
	return folder.SHA256(), nil
}

// checkPip says whether `setup` could install a plugin, which matters only while there is none.
func checkPip(ctx context.Context, havePlugin bool) Check {
	c := Check{Name: "pip", Status: OK}
	version, err := xla.PipVersion(ctx)
	switch {
	case err == nil:
		c.Detail = version
	case havePlugin:
		c.Detail = fmt.Sprintf("%v; not needed while the plugin works", err)
	default:
		c.Status, c.Detail, c.Lack = Warning, err.Error(), Pip
	}
	return c
}

// checkPrograms says where compiled programs are kept and how much they take.
func checkPrograms(cache *programs.Cache) Check {
	c := Check{Name: "programs", Status: OK}
	if cache == nil {
		c.Detail = "compiled programs are not kept"
		return c
	}
	count, bytes, err := cache.Size()
	if err != nil {
		c.Status, c.Detail = Warning, fmt.Sprintf("compiled programs are not kept: %v", err)
		c.Fix = fmt.Sprintf("set %s to a folder that you may write to", programs.FolderEnv)
		return c
	}
	if distrusted, err := cache.Distrust(); err != nil {
		c.Status, c.Detail = Warning, fmt.Sprintf("compiled programs of %s are not used: %v", cache.Folder, err)
		if distrusted > 1 {
			c.Detail += fmt.Sprintf("; %d others", distrusted-1)
		}
		if distrust := new(files.DistrustError); errors.As(err, &distrust) {
			c.Fix = fmt.Sprintf("%s; or set %s to another folder", distrust.Fix, programs.FolderEnv)
		}
		return c
	}
	c.Detail = fmt.Sprintf("%d compiled, %s of at most %s in %s", count, machine.ByteSize(bytes),
		machine.ByteSize(programs.DefaultLimit), cache.Folder)
	return c
}
