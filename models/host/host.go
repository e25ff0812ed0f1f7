// Package host has what a program lends to work that takes long: a logger, progress and a device.
package host

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/gomlx/compute"

	"illustrator/internal/pace"
	"illustrator/models/pipeline"
)

// Env is the program around a piece of work.
type Env struct {
	Log *slog.Logger
	// Progress begins to show a stage of total units of work.
	Progress func(stage string, total int) Progress
	// Parts begins to show a stage of several parts, and estimates the time of later ones too; nil shows them as one.
	Parts func(stage string, parts, later []Part) Progress
	// Pace returns the time that a kind of work took before; nil knows none.
	Pace func(kind string) (pace.Pace, bool)
	// Note remembers the time of a kind of work for Pace, in place of an earlier one; nil remembers none.
	Note func(kind string, took pace.Pace)
	// Then are the parts of the job that follow the work at hand.
	Then []Part
	// Backend opens the device that the user chose, or a number of such devices.
	Backend func(devices int) (compute.Backend, error)
	// Devices is the number that work needs; 0 is one.
	Devices int
}

// Progress shows how far a stage has come.
type Progress interface {
	// Set says that done units are finished; note is a few words about the newest one, such as a loss.
	Set(done int, note string)
	// Done ends the stage. Further calls do nothing.
	Done()
}

// Part is a part of a stage of work: units that take equally long.
type Part struct {
	Name  string // "" where a stage has one part
	Units int
	// Kind names the same work in other processes: all that its time depends on but for the device. "" remembers none.
	Kind string
}

// Stage begins to show a stage of parts, those of Then after it.
func (e Env) Stage(stage string, parts ...Part) Progress {
	if e.Parts != nil {
		return e.Parts(stage, parts, e.Then)
	}
	total := 0
	for _, p := range parts {
		total += p.Units
	}
	return e.Progress(stage, total)
}

// Estimate returns the seconds that parts take, by the times of earlier processes; all is false where some are not
// known and left out.
func (e Env) Estimate(parts []Part) (seconds float64, all bool) {
	all = true
	for _, p := range parts {
		if p.Units == 0 {
			continue
		}
		took, known := pace.Pace{}, false
		if e.Pace != nil {
			took, known = e.Pace(p.Kind)
		}
		if all = all && known; known {
			seconds += took.Seconds(p.Units)
		}
	}
	return seconds, all
}

// Start opens the backend of networks that have none.
func (e Env) Start(n *pipeline.Networks) (err error) {
	if n.Backend == nil {
		n.Backend, err = e.Backend(max(1, e.Devices))
	}
	return err
}

// OneDevice returns the surroundings of networks that share a device: Backend opens one, and returns it each time.
func (e Env) OneDevice() Env {
	backend := e.Backend
	open := sync.OnceValues(func() (compute.Backend, error) { return backend(1) })
	e.Backend = func(int) (compute.Backend, error) { return open() }
	return e
}

// WarnCut warns of texts that are longer than the CLIP of n reads.
func (e Env) WarnCut(n *pipeline.Networks, cut []pipeline.Lost) {
	for _, c := range cut {
		e.Log.Warn(fmt.Sprintf("text %d is cut to CLIP's %d tokens; lost is %q", c.Text+1, n.Tokenizer.Context(), c.End))
	}
}

// Stages shows the progress of work that reports the name of its stage each time.
type Stages struct {
	Env Env
	// Kind names the same work in other processes, as that of a Part; "" remembers none.
	Kind  string
	stage string
	shown Progress
}

// Set says how much of a stage is done.
func (s *Stages) Set(stage string, done, total int) {
	if stage != s.stage {
		s.Done()
		s.stage, s.shown = stage, s.Env.Stage(stage, s.Part(stage, total))
	}
	s.shown.Set(done, "")
}

// Part is a stage of that many units.
func (s *Stages) Part(stage string, units int) Part {
	if s.Kind == "" {
		return Part{Units: units}
	}
	return Part{Units: units, Kind: stage + " " + s.Kind}
}

// Done ends the last stage.
func (s *Stages) Done() {
	if s.shown != nil {
		s.shown.Done()
	}
}
