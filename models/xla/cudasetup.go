package xla

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"illustrator/internal/fault"
	"illustrator/models/xla/cuda"
)

// installCUDA installs the CUDA plugin with NVIDIA's libraries, from the wheels in s.From or else from those that pip
// downloads. All of it goes into the folder nvidia beside the CPU's plugin, whose name stands only after the plugin was
// loaded.
func (s *setup) installCUDA(ctx context.Context) (Report, error) {
	if !wheelFits() {
		return Report{}, fault.WithCode(fault.Hint(fmt.Errorf("no CUDA plugin for %s/%s", runtime.GOOS, runtime.GOARCH),
			"run on the CPU"), CUDAPlatform)
	}
	release, err := s.chooseCUDA(ctx)
	if err != nil {
		return Report{}, err
	}
	path, err := s.destination()
	if err != nil {
		return Report{}, err
	}
	base := filepath.Dir(path)
	wheels, source := s.From, "wheels"
	if wheels == "" {
		wheels, source = filepath.Join(base, fmt.Sprintf(".cuda%d-wheels", release.Version)), "pip"
		if err := s.downloadWheels(ctx, release, wheels); err != nil {
			return Report{}, err
		}
	} else if missing := release.Missing(wheels); len(missing) > 0 {
		return Report{}, lacking(wheels, release, missing)
	}
	report, err := s.unpackCUDA(ctx, release, wheels, base)
	if err != nil {
		return Report{}, err
	}
	if s.From == "" {
		_ = os.RemoveAll(wheels) // only space is lost
	}
	if err := os.Remove(path); err == nil {
		s.Progress("removed the plugin that stood before the new one: " + path)
	}
	report.Source = source
	return report, nil
}

// chooseCUDA returns the release that was asked for, or the one that the driver runs.
func (s *setup) chooseCUDA(ctx context.Context) (cuda.Release, error) {
	machine := cuda.Probe(ctx)
	chosen, known, err := cuda.Choose(machine.Driver, machine.GPUs)
	if s.CUDAVersion != 0 {
		release, err := cuda.ReleaseOf(s.CUDAVersion)
		if err == nil && known && !machine.Driver.Runs(release) {
			s.Progress(fmt.Sprintf("the driver here, %v, does not run CUDA %d, which needs %v or newer",
				machine.Driver, release.Version, release.Driver))
		}
		return release, err
	}
	if err != nil {
		return cuda.Release{}, fault.WithCode(fault.Hint(err, "update NVIDIA's driver, or run on the CPU"), OldDriver)
	}
	if !known {
		s.Progress(fmt.Sprintf("no driver of NVIDIA's answers here: taking CUDA %d, for drivers %v and newer; "+
			"CUDA 12 is for older ones", chosen.Version, chosen.Driver))
	}
	return chosen, nil
}

// downloadWheels has pip bring the release's wheels into the folder dir. Those that an earlier call brought are kept.
func (s *setup) downloadWheels(ctx context.Context, release cuda.Release, dir string) error {
	missing := release.Missing(dir)
	if len(missing) == 0 {
		return nil
	}
	const elsewhere = "bring the files from a machine with a network"
	python, _, err := findPip(ctx)
	if err != nil {
		return fault.WithCode(fault.Hint(err, "%s, or %s", installPip, elsewhere), CUDANoPip, installPip, release.Version)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder for the wheels: %w", err)
	}
	for i, w := range missing {
		s.Progress(fmt.Sprintf("downloading %s (%d of %d, %d MB)", project(w), i+1, len(missing), w.Bytes/1_000_000))
		if err := s.download(ctx, python, dir, w.Requirement); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fault.WithCode(fault.Hint(fmt.Errorf("download %s with pip: %w", w.File, err),
				"check the network and run it again, which keeps what is there; or %s", elsewhere), CUDADownload, release.Version)
		}
	}
	if missing := release.Missing(dir); len(missing) > 0 {
		return lacking(dir, release, missing)
	}
	return nil
}

// project is the name and version of a wheel's project.
func project(w cuda.Wheel) string { return strings.Fields(w.Requirement)[0] }

func lacking(dir string, release cuda.Release, missing []cuda.Wheel) error {
	names := make([]string, len(missing))
	for i, w := range missing {
		names[i] = w.File
	}
	return fault.WithCode(fault.Hint(fmt.Errorf("the folder %q lacks %d of %d wheels: %s", dir, len(missing),
		len(release.Wheels()), strings.Join(names, ", ")), "bring them from a machine with a network"), LackingWheels,
		release.Version)
}

// unpackCUDA unpacks the wheels beside the folder nvidia, has a child process load the plugin, and only then gives the
// folder its name. Wheels of another size or hash are refused.
func (s *setup) unpackCUDA(ctx context.Context, release cuda.Release, wheels, base string) (Report, error) {
	work, err := os.MkdirTemp(base, ".cuda-")
	if err != nil {
		return Report{}, fmt.Errorf("make a folder for the CUDA plugin: %w", err)
	}
	defer os.RemoveAll(work)
	nvidia := filepath.Join(work, "nvidia")
	for _, w := range release.Wheels() {
		s.Progress("unpacking " + project(w))
		err := w.Check(ctx, wheels)
		if err == nil {
			err = w.Unpack(ctx, wheels, nvidia)
		}
		if ctx.Err() != nil {
			return Report{}, ctx.Err()
		}
		if err != nil {
			return Report{}, fault.WithCode(fault.Hint(err, "delete that file and bring it again"), DamagedWheel,
				release.Version)
		}
	}
	s.Progress("loading the plugin")
	info, err := VerifyInChild(ctx, filepath.Join(nvidia, cuda.PluginFile), s.Command)
	if err == nil && !strings.HasPrefix(info.CUDA, fmt.Sprintf("%d.", release.Version)) {
		err = fmt.Errorf("it says that it is for CUDA %q", info.CUDA)
	}
	if err != nil {
		return Report{}, fault.WithCode(fault.Hint(fmt.Errorf("the new CUDA %d plugin does not work here: %w",
			release.Version, err), "look at the GPU and its driver"), CUDAFails)
	}
	final := filepath.Join(base, "nvidia")
	if err := os.Rename(final, filepath.Join(work, "old")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Report{}, fmt.Errorf("replace the CUDA plugin: %w", err)
	}
	if err := os.Rename(nvidia, final); err != nil {
		return Report{}, fmt.Errorf("install the CUDA plugin: %w", err)
	}
	path := filepath.Join(final, cuda.PluginFile)
	remember(path, info)
	return Report{Path: path, Installed: true, Verified: info.Ran, Info: info}, nil
}
