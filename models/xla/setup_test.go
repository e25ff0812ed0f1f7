package xla

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/internal/fault"
)

// TestMain lets this test binary be the process that verifies a plugin.
func TestMain(m *testing.M) {
	if plugin := os.Getenv("TEST_VERIFY_PLUGIN"); plugin != "" {
		info, err := Verify(plugin)
		if err != nil {
			fmt.Fprintf(os.Stderr, "illustrator: error: %v\n", err)
			os.Exit(1)
		}
		if err := json.NewEncoder(os.Stdout).Encode(info); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func verifySelf(ctx context.Context, plugin string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_VERIFY_PLUGIN="+plugin)
	return cmd
}

// installedPlugin returns the machine's CPU plugin, then hides it: the test starts with an empty home and search path.
func installedPlugin(t *testing.T) (plugin, dir string) {
	t.Helper()
	plugin, ok := Find("cpu")
	if !ok && os.Getenv("CI") != "" {
		t.Fatal("no XLA CPU plugin")
	}
	if !ok {
		t.Skip("needs the XLA CPU plugin (`make setup` installs it)")
	}
	return plugin, emptyMachine(t)
}

func emptyMachine(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", dir)
	t.Setenv(BackendEnv, "")
	return dir
}

func TestSetupLinksAndRemembersOwnPlugin(t *testing.T) {
	plugin, dir := installedPlugin(t)
	var said []string
	opts := Options{Plugin: plugin, Command: verifySelf, Progress: func(line string) { said = append(said, line) }}
	report, err := Setup(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	final := filepath.Join(dir, fileName("cpu"))
	if report.Path != final || !report.Installed || !report.Verified || report.Source != "linked" {
		t.Errorf("report %+v", report)
	}
	if report.Info.Platform != "cpu" || len(report.Info.Devices) == 0 || report.Info.API == "" {
		t.Errorf("info %+v", report.Info)
	}
	if target, err := os.Readlink(final); err != nil || target != plugin {
		t.Errorf("link to %q, %v; want %q", target, err, plugin)
	}

	said = nil
	opts.Plugin = ""
	opts.Command = func(context.Context, string) *exec.Cmd { t.Error("verified twice"); return exec.Command("false") }
	report, err = Setup(t.Context(), opts)
	if err != nil || report.Installed || report.Verified || report.Source != "found" || len(said) != 0 {
		t.Errorf("second call: %+v, %v, said %q", report, err, said)
	}
	backend, err := Open("xla:cpu")
	if err != nil {
		t.Fatal(err)
	}
	backend.Finalize()
}

func TestSetupVerifiesAgainAfterAChange(t *testing.T) {
	plugin, dir := installedPlugin(t)
	final := filepath.Join(dir, fileName("cpu"))
	if err := os.Symlink(plugin, final); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		report, err := Setup(t.Context(), Options{Command: verifySelf})
		if err != nil || report.Verified != want {
			t.Fatalf("call %d: %+v, %v; want Verified %v", i, report, err, want)
		}
	}
	stamps := readStamps()
	changed := stamps[final]
	changed.ModTime++
	stamps[final] = changed
	content, err := json.Marshal(stamps)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stampFile(), content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := verified(final); ok {
		t.Error("a plugin of another time counts as verified")
	}
}

// buildLibrary compiles C code to a shared library, as cgo's compiler does.
func buildLibrary(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	source, library := filepath.Join(dir, "cpu.c"), filepath.Join(dir, "plugin_cpu.so")
	if err := os.WriteFile(source, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return library
}

func TestSetupRefusesBrokenPlugins(t *testing.T) {
	dir := emptyMachine(t)
	write := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	noSymbol := buildLibrary(t, "int f(void) { return 1; }")
	whole, err := os.ReadFile(noSymbol)
	if err != nil {
		t.Fatal(err)
	}
	otherMachine := bytes.Clone(whole)
	otherMachine[18] = 0x08 // e_machine: MIPS
	cases := map[string]struct{ plugin, want string }{
		"missing":       {filepath.Join(dir, "none.so"), "no such file"},
		"folder":        {t.TempDir(), "a folder"},
		"empty":         {write("a.so", nil), "not a shared library"},
		"text":          {write("a.so", []byte("#!/bin/sh\n")), "not a shared library"},
		"cut short":     {write("a.so", whole[:len(whole)/2]), "not a shared library"},
		"no function":   {noSymbol, "no function GetPjrtApi"},
		"other machine": {write("a.so", otherMachine), "another processor"},
		"null":          {buildLibrary(t, "void *GetPjrtApi(void) { return 0; }"), "does not answer as a PJRT plugin"},
		"crash": {buildLibrary(t, "void *GetPjrtApi(void) { *(volatile int *)0 = 1; return 0; }"),
			"crashed: SIGSEGV"},
		"wheel": {write("a.whl", []byte("PK")), "2 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Setup(t.Context(), Options{Plugin: c.plugin, Command: verifySelf})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if fault.HintOf(err) == "" {
				t.Error("no hint")
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 0 {
				t.Errorf("left %v", entries)
			}
		})
	}
}

func TestPublishNamesNothingUnverified(t *testing.T) {
	dir := emptyMachine(t)
	s := setup{Options: Options{Command: verifySelf, Progress: func(string) {}}, name: "cpu"}
	final := filepath.Join(dir, fileName("cpu"))
	if err := os.WriteFile(final, []byte("the old one"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(*os.File) error{
		"no plugin":   func(f *os.File) error { _, err := f.WriteString("no library"); return err },
		"write fails": func(*os.File) error { return errors.New("disk full") },
	} {
		if _, err := s.publish(t.Context(), final, write); err == nil {
			t.Errorf("%s: no error", name)
		}
		content, _ := os.ReadFile(final)
		if entries, _ := os.ReadDir(dir); len(entries) != 1 || string(content) != "the old one" {
			t.Errorf("%s: left %v with %q", name, entries, content)
		}
	}
}

func TestWithTimeout(t *testing.T) {
	if err := withTimeout(t.Context(), time.Millisecond, func() error { select {} }); err == nil ||
		!strings.Contains(err.Error(), "1ms") {
		t.Errorf("error %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := withTimeout(cancelled, time.Minute, func() error { select {} }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := withTimeout(t.Context(), time.Minute, func() error { panic("no") }); err == nil || err.Error() != "no" {
		t.Errorf("error %v", err)
	}
}
