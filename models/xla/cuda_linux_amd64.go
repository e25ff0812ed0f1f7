package xla

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/go-xla/installer"

	"illustrator/internal/fault"
)

// The CUDA plugin that GoMLX's installer takes: jax-cuda13-pjrt with the NVIDIA libraries that it asks for.
const (
	cudaPlugin  = "cuda13"
	cudaVersion = "latest"
)

// installCUDA gets the CUDA plugin and NVIDIA's libraries with GoMLX's installer, which takes both from the Python
// package index and checks their hashes. They go into the folder nvidia, where the plugin looks for its libraries.
func (s *setup) installCUDA(ctx context.Context) (Report, error) {
	const hint = "give a CUDA plugin with `illustrator setup --cuda --plugin PATH`, or run on the CPU (`illustrator setup`)"
	if !installer.HasNvidiaGPU() {
		return Report{}, fault.Hint(errors.New("there is no NVIDIA GPU: neither /dev/nvidia* nor a working nvidia-smi"), hint)
	}
	path, err := s.destination()
	if err != nil {
		return Report{}, err
	}
	dir := filepath.Dir(path)
	s.Progress("downloading the CUDA plugin and NVIDIA's libraries (some GB)")
	defer s.heartbeat("still downloading or verifying")()
	stdout := os.Stdout
	os.Stdout = os.Stderr // the installer chats there, quiet or not
	err = withTimeout(ctx, 6*gomlxTimeout, func() error {
		return installer.CudaInstall(cudaPlugin, cudaVersion, dir, true, installer.Quiet)
	})
	os.Stdout = stdout
	if err != nil {
		return Report{}, fault.Hint(fmt.Errorf("install XLA's CUDA plugin: %w", err), hint)
	}
	path = filepath.Join(dir, "nvidia", installer.NVIDIAPJRTPluginFileName)
	s.Progress("verifying the plugin")
	info, err := VerifyInChild(ctx, path, s.Command)
	if err != nil {
		return Report{}, fault.Hint(fmt.Errorf("the new plugin %q does not work here: %w", path, err), "is NVIDIA's driver new enough for CUDA 13? %s", hint)
	}
	remember(path, info)
	return Report{Path: path, Source: "gomlx", Installed: true, Verified: true, Info: info}, nil
}
