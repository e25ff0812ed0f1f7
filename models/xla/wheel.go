package xla

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// The CPU plugin's wheel: XLA's own pjrt_c_api_cpu_plugin.so, packed for another program. Apache-2.0.
const (
	wheelProject = "lammps-jax-pjrt-cpu"
	wheelVersion = "0.11.2"
	wheelSHA256  = "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1"
	wheelBytes   = 62_711_338
	wheelTag     = "manylinux_2_27_x86_64" // glibc 2.27 or newer

	wheelPlugin      = "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"
	wheelPluginBytes = 201_600_336
	wheelLicences    = "lammps_jax_pjrt_cpu-0.11.2.dist-info/licenses/"
)

// errNoPip says that Python with pip is missing, which the first way of installing needs.
var errNoPip = errors.New("no Python with pip")

// installCPU gets the CPU plugin with pip, or else with GoMLX's installer.
func (s *setup) installCPU(ctx context.Context) (Report, error) {
	report, pipErr := s.installWithPip(ctx)
	if pipErr == nil || ctx.Err() != nil || fault.HintOf(pipErr) != "" {
		return report, pipErr
	}
	s.Progress(fmt.Sprintf("pip: %v; trying GoMLX's installer, which downloads from GitHub", pipErr))
	report, err := s.installWithGoMLX(ctx)
	if err == nil || ctx.Err() != nil {
		return report, err
	}
	err = fmt.Errorf("install XLA's CPU plugin: with pip: %w; with GoMLX's installer: %w", pipErr, err)
	switch {
	case !wheelFits():
		platform := runtime.GOOS + "/" + runtime.GOARCH
		return Report{}, fault.WithCode(fault.Hint(err, "get a PJRT CPU plugin for %s", platform), CPUPlatform, platform)
	case errors.Is(pipErr, errNoPip):
		return Report{}, fault.WithCode(fault.Hint(err, "%s, or run `%s` elsewhere", installPip, downloadCommand()),
			CPUNoPip, installPip, downloadCommand())
	}
	err = fault.Hint(err, "check the network, or run `%s` where there is one", downloadCommand())
	return Report{}, fault.WithCode(err, CPUDownload, downloadCommand())
}

// installPip is a hint.
const installPip = "install pip (on Debian or Ubuntu: `apt install python3-pip`)"

// wheelFits reports whether the wheel is for this platform.
func wheelFits() bool { return runtime.GOOS == "linux" && runtime.GOARCH == "amd64" }

// downloadCommand returns a command that gets the wheel on any machine.
func downloadCommand() string {
	return fmt.Sprintf("python3 -m pip download --no-deps --only-binary=:all: --platform %s %s==%s",
		wheelTag, wheelProject, wheelVersion)
}

func (s *setup) installWithPip(ctx context.Context) (Report, error) {
	if !wheelFits() {
		return Report{}, fmt.Errorf("%s has no wheel for %s/%s", wheelProject, runtime.GOOS, runtime.GOARCH)
	}
	python, _, err := findPip(ctx)
	if err != nil {
		return Report{}, err
	}
	dir, err := os.MkdirTemp("", "illustrator-setup-")
	if err != nil {
		return Report{}, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	s.Progress(fmt.Sprintf("downloading XLA's CPU plugin with pip (%d MB)", wheelBytes/1_000_000))
	requirement := fmt.Sprintf("%s==%s --hash=sha256:%s", wheelProject, wheelVersion, wheelSHA256)
	if err := s.download(ctx, python, dir, requirement); err != nil {
		return Report{}, err
	}
	wheels, _ := filepath.Glob(filepath.Join(dir, "*.whl"))
	if len(wheels) != 1 {
		return Report{}, fmt.Errorf("pip left %d wheels instead of one", len(wheels))
	}
	return s.installWheel(ctx, wheels[0], "pip")
}

// download has pip put the wheel that requirement names into the folder dir. pip compares its hash.
func (s *setup) download(ctx context.Context, python, dir, requirement string) error {
	requirements := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(requirements, []byte(requirement+"\n"), 0o644); err != nil {
		return err
	}
	defer os.Remove(requirements)
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--no-input",
		"--disable-pip-version-check",
		"--no-cache-dir", "--retries", "2", "--timeout", "30", "--no-deps", "--only-binary=:all:", "--require-hashes",
		"--dest", dir, "--requirement", requirements)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = waitDelay
	stop := s.heartbeat("still downloading")
	err := cmd.Run()
	stop()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, lastError(stderr.String()))
	}
	return nil
}

// heartbeat tells the user every ten seconds that a download, whose tool says nothing, still runs.
func (s *setup) heartbeat(line string) (stop func()) {
	ticker, done := time.NewTicker(10*time.Second), make(chan struct{})
	started := time.Now()
	go func() {
		for {
			select {
			case now := <-ticker.C:
				s.Progress(fmt.Sprintf("%s (%v)", line, now.Sub(started).Round(time.Second)))
			case <-done:
				return
			}
		}
	}()
	return func() { ticker.Stop(); close(done) }
}

// findPip returns the first Python on $PATH that has pip, and what that pip says of its version.
func findPip(ctx context.Context) (python, version string, err error) {
	for _, name := range []string{"python3", "python"} {
		if python, err = exec.LookPath(name); err != nil {
			continue
		}
		if out, err := exec.CommandContext(ctx, python, "-m", "pip", "--version").Output(); err == nil {
			return python, strings.TrimSpace(string(out)), nil
		}
	}
	return "", "", errNoPip
}

// PipVersion returns what the pip that Setup would use says of itself, such as "pip 23.2.1 from … (python 3.11)".
func PipVersion(ctx context.Context) (string, error) {
	_, version, err := findPip(ctx)
	return version, err
}

// lastError picks the line of pip's that says what went wrong.
func lastError(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "ERROR: "); ok {
			return text
		}
	}
	return lines[len(lines)-1]
}

// installWheel installs the plugin that the wheel in file holds, after checking the wheel's hash.
func (s *setup) installWheel(ctx context.Context, file, source string) (Report, error) {
	if s.CUDA {
		return Report{}, fault.WithCode(fault.Usage(fmt.Errorf("plugin %q: a wheel holds the CPU plugin only", s.Plugin),
			"give the CUDA plugin's .so"), CPUWheel)
	}
	if err := checkWheel(file); err != nil {
		return Report{}, fault.Hint(fmt.Errorf("wheel %q: %w", file, err),
			"get it with `%s`; from other wheels unzip the .so and give its path", downloadCommand())
	}
	archive, err := zip.OpenReader(file)
	if err != nil {
		return Report{}, fmt.Errorf("wheel %q: %w", file, err)
	}
	defer archive.Close()
	path, err := s.destination()
	if err != nil {
		return Report{}, err
	}
	s.Progress("unpacking the plugin into " + filepath.Dir(path))
	info, err := s.publish(ctx, path, func(f *os.File) error { return copyPlugin(f, archive) })
	if err != nil {
		return Report{}, fault.WithCode(fault.Hint(err, "give another plugin"), WheelFails)
	}
	if err := copyLicences(filepath.Dir(path), archive); err != nil {
		return Report{}, fmt.Errorf("install the plugin's licences: %w", err)
	}
	return Report{Path: path, Source: source, Installed: true, Verified: true, Info: info}, nil
}

// checkWheel compares the file with the pinned wheel's size and SHA-256.
func checkWheel(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != wheelBytes {
		return fmt.Errorf("%d bytes; %s %s has %d", info.Size(), wheelProject, wheelVersion, wheelBytes)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != wheelSHA256 {
		return fmt.Errorf("SHA-256 %s; %s %s has %s", got, wheelProject, wheelVersion, wheelSHA256)
	}
	return nil
}

func copyPlugin(to io.Writer, archive *zip.ReadCloser) error {
	member, err := archive.Open(wheelPlugin)
	if err != nil {
		return err
	}
	defer member.Close()
	if n, err := io.Copy(to, io.LimitReader(member, wheelPluginBytes+1)); err != nil {
		return err
	} else if n != wheelPluginBytes {
		return fmt.Errorf("%s has %d bytes or more instead of %d", wheelPlugin, n, wheelPluginBytes)
	}
	return nil
}

// copyLicences puts the wheel's licence files beside the plugin, each with the plugin's name before its own.
func copyLicences(dir string, archive *zip.ReadCloser) error {
	const maxBytes = 4 << 20
	for _, f := range archive.File {
		if !strings.HasPrefix(f.Name, wheelLicences) || strings.HasSuffix(f.Name, "/") {
			continue
		}
		member, err := f.Open()
		if err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(member, maxBytes))
		member.Close()
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(fileName("cpu"), ".so") + "." + path.Base(f.Name)
		if err := files.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
