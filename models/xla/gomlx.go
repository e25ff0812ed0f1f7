package xla

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gomlx/go-xla/installer"
)

// gomlxTimeout bounds GoMLX's installer, which sets no time limit on its downloads.
const gomlxTimeout = 10 * time.Minute

// installWithGoMLX gets the CPU plugin with GoMLX's own installer, from its releases on GitHub. These carry no hash, so
// all that vouches for the file is the encrypted connection and the verification.
func (s *setup) installWithGoMLX(ctx context.Context) (Report, error) {
	path, err := s.destination()
	if err != nil {
		return Report{}, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".gomlx-")
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(dir)
	platform := runtime.GOOS + "_" + runtime.GOARCH
	defer s.heartbeat("still downloading or verifying")()
	err = withTimeout(ctx, gomlxTimeout, func() error {
		return installer.CPUInstall(platform, cpuVersion, dir, false, installer.Quiet)
	})
	if err != nil {
		return Report{}, err
	}
	files, _ := filepath.Glob(filepath.Join(dir, "pjrt_c_api_cpu_*_plugin"+filepath.Ext(path)))
	if len(files) != 1 {
		return Report{}, fmt.Errorf("it left %d plugins instead of one", len(files))
	}
	info, err := s.publish(ctx, path, func(f *os.File) error {
		downloaded, err := os.Open(files[0])
		if err != nil {
			return err
		}
		defer downloaded.Close()
		_, err = io.Copy(f, downloaded)
		return err
	})
	if err != nil {
		return Report{}, err
	}
	return Report{Path: path, Source: "gomlx", Installed: true, Verified: true, Info: info}, nil
}

// withTimeout runs f, which takes no context, and leaves it behind when ctx ends or the time is up.
func withTimeout(ctx context.Context, limit time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("%v", r)
			}
		}()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			return cause
		}
		return ctx.Err()
	}
}
