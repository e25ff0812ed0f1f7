// Package terminal is what the project's commands share: the flags before any command's name, errors and exit codes,
// log lines, progress and tables.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"illustrator/internal/fault"
	"illustrator/internal/pace"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/models/xla"
	"illustrator/models/xla/programs"
)

// Options are the flags that every command shares, and where a command writes.
type Options struct {
	Quiet   bool
	Verbose bool
	Backend string // "xla:cpu", "xla:cuda" or a library's path; "" leaves it to $GOMLX_BACKEND and Device
	Device  string // "cpu" or "cuda"; "" is the CPU

	Precision pipeline.Precision // of drawn pictures and their embeddings, in commands with the flag

	Name   string    // of the program, before errors and warnings
	Stdout io.Writer // results
	Stderr io.Writer // log lines, progress, errors
	Log    *slog.Logger
	// Explain gives the errors of packages their hints; nil leaves errors as they are.
	Explain func(error) error

	level *slog.LevelVar
	paces *pace.Book // of earlier processes
}

// NewOptions returns the options of the program called name, which logs to stderr.
func NewOptions(name string, stdout, stderr io.Writer) *Options {
	level := new(slog.LevelVar)
	return &Options{Name: name, Stdout: stdout, Stderr: stderr, Log: slog.New(newLogHandler(name, stderr, level)),
		level: level, paces: pace.Default()}
}

// AddFlags adds the shared flags.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "print results, warnings and errors only")
	flags.BoolVarP(&o.Verbose, "verbose", "v", false, "print more log lines")
	flags.StringVar(&o.Backend, "backend", "",
		`XLA plugin: "xla:cpu", "xla:cuda" or the path of a library (default $GOMLX_BACKEND, else xla:cpu)`)
	flags.StringVar(&o.Device, "device", "", "device to run on: cpu or cuda (default cpu)")
}

// AddPrecisionFlag adds the flag of commands that draw pictures, which have no other precision without it.
func (o *Options) AddPrecisionFlag(flags *pflag.FlagSet) {
	o.Precision = pipeline.Float32
	Enum(flags, &o.Precision, "precision",
		"arithmetic of generator and CLIP's picture tower: float32, or bfloat16, faster on processors made for it")
}

// setLevel has the logger follow --quiet and --verbose.
func (o *Options) setLevel() {
	switch {
	case o.Quiet:
		o.level.Set(slog.LevelWarn)
	case o.Verbose:
		o.level.Set(slog.LevelDebug)
	}
}

// BackendName returns the backend that the flags ask for; "" leaves it to the environment.
func (o *Options) BackendName() (string, error) {
	switch {
	case o.Device != "" && o.Device != "cpu" && o.Device != "cuda":
		return "", fault.Usage(fmt.Errorf("--device %q is unknown", o.Device), "the devices are cpu and cuda")
	case o.Backend != "" || o.Device == "":
		return o.Backend, nil
	}
	return "xla:" + o.Device, nil
}

// OpenBackend opens the XLA backend that the flags ask for, with a number of devices.
func (o *Options) OpenBackend(devices int) (compute.Backend, error) {
	name, err := o.BackendName()
	if err != nil {
		return nil, err
	}
	programs.Use(o.ProgramCache())
	return xla.OpenDevices(name, devices)
}

// ProgramCache returns the cache of compiled programs; nil if none are kept.
func (o *Options) ProgramCache() *programs.Cache { return programs.Chosen(o.Log) }

// NewProgress starts the progress of a stage of total units of work on standard error, or nowhere with --quiet.
func (o *Options) NewProgress(stage string, total int) *Progress {
	return newProgress(o.progressTo(), stage, total).watch()
}

func (o *Options) progressTo() io.Writer {
	if o.Quiet {
		return io.Discard
	}
	return o.Stderr
}

// newParts starts the progress of a stage of parts, whose times are remembered for later processes.
func (o *Options) newParts(stage string, parts, later []host.Part) host.Progress {
	p := newStage(o.progressTo(), stage, parts, later, o.pace)
	p.remember = o.note
	return p.watch()
}

// note remembers the time of a kind of work on the chosen device.
func (o *Options) note(kind string, took pace.Pace) {
	if err := o.paces.Note(o.kind(kind), took); err != nil {
		o.Log.Debug("times are not kept", "reason", err)
	}
}

// pace returns the time that a kind of work took on the chosen device.
func (o *Options) pace(kind string) (pace.Pace, bool) { return o.paces.Of(o.kind(kind)) }

func (o *Options) kind(kind string) string {
	backend, _ := o.BackendName()
	return strings.TrimSpace(cmp.Or(backend, os.Getenv("GOMLX_BACKEND"), "xla:cpu") + " " + kind)
}

// Env returns the program around work that takes long.
func (o *Options) Env() host.Env {
	return host.Env{
		Log: o.Log, Backend: o.OpenBackend,
		Progress: func(stage string, total int) host.Progress { return o.NewProgress(stage, total) },
		Parts:    o.newParts, Pace: o.pace, Note: o.note,
	}
}
