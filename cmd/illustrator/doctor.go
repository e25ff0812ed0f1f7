package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/machine"
	"illustrator/internal/version"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
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
	OK       bool           `json:"ok"`
	Plugin   string         `json:"plugin,omitempty"` // path
	Info     *xla.Info      `json:"plugin_info,omitempty"`
	Memory   machine.Memory `json:"memory"`
	Weights  []weights      `json:"embedded_weights"`
	Versions version.Info   `json:"versions"`
	Checks   []check        `json:"checks"`
}

// weights are a network within the program.
type weights struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of model.safetensors
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
	backend, err := opts.BackendName()
	if err != nil {
		return err
	}
	found := diagnose(ctx, backend, opts.ProgramCache())
	if err := ctx.Err(); err != nil {
		return err
	}
	if asJSON {
		err = jsonfile.Print(opts.stdout, found)
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

func diagnose(ctx context.Context, backend string, cache *programs.Cache) diagnosis {
	found := diagnosis{OK: true, Versions: version.Read(), Memory: machine.ReadMemory()}
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
	add(checkMemory(found.Memory))
	add(found.checkWeights())
	add(checkPrograms(cache))
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

// memoryNeeded is what the embedded domain's runs may take at most.
const memoryNeeded = 4 << 30

func checkMemory(m machine.Memory) check {
	c := check{Name: "memory", Status: statusOK, Detail: "not known on this system"}
	if m.Total == 0 {
		return c
	}
	c.Detail = fmt.Sprintf("%s, %s of it available", terminal.ByteSize(int64(m.Total)), terminal.ByteSize(int64(m.Available)))
	if m.Available < memoryNeeded {
		c.Status, c.Fix = statusWarning, "end other programs: runs on the embedded domain take up to 4 GiB"
	}
	return c
}

// checkWeights compares every file of the embedded networks with its manifest.
func (d *diagnosis) checkWeights() check {
	c := check{Name: "weights", Status: statusWrong, Fix: "run `make build` in a clean checkout"}
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
		d.Weights = append(d.Weights, weights{name, sum})
	}
	return check{Name: "weights", Status: statusOK, Detail: "embedded: " + strings.Join(names, ", ") + "; all hashes agree"}
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
