// Package cuda knows XLA's CUDA plugin: the wheels that hold it and NVIDIA's libraries, and the driver and GPUs of this
// machine. It loads no plugin.
package cuda

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The wheels of a CUDA version as pip's requirements, each with its file name and its size in bytes. The plugin is of
// the release whose XLA the CPU plugin has. The libraries are of the CUDA release that the plugin was built with.
var (
	//go:embed cuda12.txt
	wheels12 string
	//go:embed cuda13.txt
	wheels13 string
)

// Wheel is a file of the Python package index.
type Wheel struct {
	Requirement string // with the hash, as pip reads it
	SHA256      string // of the file
	File        string // its name
	Bytes       int64
}

// Release is a CUDA version that the plugin comes for.
type Release struct {
	Version   int    // 12 or 13
	Driver    Driver // the oldest that runs it
	DataDir   string // the folder with bin/ptxas and nvvm/libdevice, from the folder nvidia
	Installed int64  // bytes that an installation needs
	wheels    string
}

// Releases lists the CUDA versions, the preferred one first. The drivers are those of NVIDIA's table of minor version
// compatibility (CUDA Compatibility, "Minor Version Compatibility").
func Releases() []Release {
	return []Release{
		{Version: 13, Driver: Driver{580}, DataDir: "cu13", Installed: 3_200_000_000, wheels: wheels13},
		{Version: 12, Driver: Driver{525}, DataDir: "cuda_nvcc", Installed: 4_800_000_000, wheels: wheels12},
	}
}

// ReleaseOf returns the release of a CUDA version.
func ReleaseOf(version int) (Release, error) {
	for _, r := range Releases() {
		if r.Version == version {
			return r, nil
		}
	}
	return Release{}, fmt.Errorf("no CUDA plugin for CUDA %d: there are 12 and 13", version)
}

// Wheels lists the release's files. The first holds the plugin, the others NVIDIA's libraries.
func (r Release) Wheels() []Wheel {
	var wheels []Wheel
	for line := range strings.Lines(r.wheels) {
		requirement, comment, _ := strings.Cut(strings.TrimSpace(line), " # ")
		_, hash, _ := strings.Cut(requirement, "--hash=sha256:")
		file, size, _ := strings.Cut(comment, " ")
		bytes, err := strconv.ParseInt(size, 10, 64)
		if err != nil || len(hash) != 64 {
			panic(fmt.Sprintf("CUDA %d: a line of its wheels is %q", r.Version, line)) // a mistake in an embedded file
		}
		wheels = append(wheels, Wheel{Requirement: requirement, SHA256: hash, File: file, Bytes: bytes})
	}
	return wheels
}

// bytes is the size of all files together.
func (r Release) bytes() (sum int64) {
	for _, w := range r.Wheels() {
		sum += w.Bytes
	}
	return sum
}

// platforms are the platforms of the wheels, as pip is told them where it runs on another one.
func (r Release) platforms() []string {
	var names []string
	for _, w := range r.Wheels() {
		tags := strings.Split(strings.TrimSuffix(w.File, ".whl"), "-")
		platform, _, _ := strings.Cut(tags[len(tags)-1], ".")
		if !slices.Contains(names, platform) {
			names = append(names, platform)
		}
	}
	slices.Sort(names)
	return names
}

// List is a requirements file for pip that brings the release's wheels, with the commands to download them and, in the
// words of a program, to install them.
func (r Release) List(install string) string {
	platforms := ""
	for _, p := range r.platforms() {
		platforms += " --platform " + p
	}
	return fmt.Sprintf(`# XLA's plugin for CUDA %[1]d and NVIDIA's libraries: %[2]d files, %.1[3]f GB.
# Where there is a network:
#   python3 -m pip download --no-deps --only-binary=:all: --require-hashes%[4]s --dest WHEELS -r LIST
# Where there is none, with the folder WHEELS:
#   %[6]s
%[5]s`, r.Version, len(r.Wheels()), float64(r.bytes())/1e9, platforms, r.wheels, install)
}
