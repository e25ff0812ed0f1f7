package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"illustrator/internal/fault"
	"illustrator/models/xla"
)

// check is one row of the doctor's table.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // statusOK, statusWarning or statusWrong
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // the command that mends it, or what to do
}

const (
	statusOK      = "ok"
	statusWarning = "warning" // works, but may trouble some
	statusWrong   = "wrong"
)

// diagnosis is what the doctor found.
type diagnosis struct {
	OK       bool      `json:"ok"`
	Plugin   string    `json:"plugin,omitempty"` // path
	Info     *xla.Info `json:"plugin_info,omitempty"`
	Memory   memory    `json:"memory"`
	Versions versions  `json:"versions"`
	Checks   []check   `json:"checks"`
}

func newDoctorCommand(opts *globalOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what the networks need, and name the command that mends what is wrong",
		Example: `  illustrator doctor
  illustrator doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), opts, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runDoctor(ctx context.Context, opts *globalOptions, asJSON bool) error {
	backend, err := opts.backendName()
	if err != nil {
		return err
	}
	found := diagnose(ctx, backend)
	if err := ctx.Err(); err != nil {
		return err
	}
	if asJSON {
		err = printJSON(opts.stdout, found)
	} else {
		err = printDiagnosis(opts.stdout, found)
	}
	if err != nil || found.OK {
		return err
	}
	var wrong []string
	fix := ""
	for _, c := range found.Checks {
		if c.Status == statusWrong {
			wrong = append(wrong, c.Name)
			if fix == "" {
				fix = c.Fix
			}
		}
	}
	return fault.Hint(fmt.Errorf("wrong: %s", strings.Join(wrong, ", ")), "%s", fix)
}

func diagnose(ctx context.Context, backend string) diagnosis {
	found := diagnosis{OK: true, Versions: readVersions(), Memory: readMemory()}
	add := func(c check) {
		found.Checks = append(found.Checks, c)
		found.OK = found.OK && c.Status != statusWrong
	}
	v := found.Versions
	add(check{Name: "program", Status: statusOK, Detail: fmt.Sprintf("illustrator %s, %s, gomlx %s, go-xla %s", v.Illustrator, v.Go, v.GoMLX, v.GoXLA)})
	add(found.checkPlugin(ctx, backend))
	if found.Info != nil {
		add(checkDevices(found.Info))
	}
	add(found.Memory.check())
	add(checkPip(ctx, found.Info != nil))
	return found
}

// checkPlugin finds the plugin and has it run a graph, each time: a stamp of an earlier day says little about today.
func (d *diagnosis) checkPlugin(ctx context.Context, backend string) check {
	c := check{Name: "XLA plugin", Status: statusWrong}
	path, mend, err := xla.Locate(backend)
	if err != nil {
		c.Detail, c.Fix = err.Error(), mend
		return c
	}
	d.Plugin = path
	info, err := xla.VerifyInChild(ctx, path, verifyCommand)
	if err != nil {
		c.Detail, c.Fix = fmt.Sprintf("%s: %v", path, err), mend
		return c
	}
	d.Info = &info
	c.Status, c.Detail = statusOK, fmt.Sprintf("%s, PJRT API %s; a graph and a gradient gave the right values", path, info.API)
	if target, err := os.Readlink(path); err == nil {
		c.Detail += "; links to " + target
	}
	return c
}

func checkDevices(info *xla.Info) check {
	c := check{Name: "devices", Status: statusOK}
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

// checkPip says whether `setup` could install a plugin, which matters only while there is none.
func checkPip(ctx context.Context, havePlugin bool) check {
	c := check{Name: "pip", Status: statusOK}
	version, err := xla.PipVersion(ctx)
	switch {
	case err == nil:
		c.Detail = version
	case havePlugin:
		c.Detail = fmt.Sprintf("%v; not needed while the plugin works", err)
	default:
		c.Status, c.Detail = statusWarning, err.Error()
		c.Fix = "install Python's pip (on Debian or Ubuntu: `apt install python3-pip`), with which `illustrator setup` installs the plugin"
	}
	return c
}

func printDiagnosis(w io.Writer, d diagnosis) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range d.Checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.Status, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(table, "\t\tfix: %s\n", c.Fix)
		}
	}
	return table.Flush()
}

// memory is in bytes; zero where it is not known.
type memory struct {
	Total     uint64 `json:"total_bytes"`
	Available uint64 `json:"available_bytes"`
}

// memoryNeeded is what the embedded domain's runs may take at most.
const memoryNeeded = 4 << 30

func (m memory) check() check {
	c := check{Name: "memory", Status: statusOK, Detail: "not known on this system"}
	if m.Total == 0 {
		return c
	}
	const gib = 1 << 30
	c.Detail = fmt.Sprintf("%.1f GiB, %.1f GiB of it available", float64(m.Total)/gib, float64(m.Available)/gib)
	if m.Available < memoryNeeded {
		c.Status, c.Fix = statusWarning, "end other programs: runs on the embedded domain take up to 4 GiB"
	}
	return c
}

// readMemory reads the machine's memory, or what the control group of this process leaves of it. Linux only.
func readMemory() memory {
	var m memory
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(content)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kib); err == nil {
			m.Total = kib << 10
		} else if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); err == nil {
			m.Available = kib << 10
		}
	}
	const group = "/sys/fs/cgroup"
	limit, errLimit := readUint(filepath.Join(group, "memory.max"))
	used, errUsed := readUint(filepath.Join(group, "memory.current"))
	if errors.Join(errLimit, errUsed) == nil && limit < m.Total {
		m.Total = limit
		m.Available = min(m.Available, limit-min(used, limit))
	}
	return m
}

// readUint reads a file that holds one number; "max" is an error.
func readUint(path string) (n uint64, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(string(content), &n)
	return n, err
}
