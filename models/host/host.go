// Package host has what a program lends to work that takes long: a logger, progress and a device.
package host

import (
	"fmt"
	"log/slog"

	"illustrator/models/pipeline"

	"github.com/gomlx/compute"
)

// Env is the program around a piece of work.
type Env struct {
	Log *slog.Logger
	// Progress begins to show a stage of total units of work.
	Progress func(stage string, total int) Progress
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

// Start opens the backend of networks that have none.
func (e Env) Start(n *pipeline.Networks) (err error) {
	if n.Backend == nil {
		n.Backend, err = e.Backend(max(1, e.Devices))
	}
	return err
}

// WarnCut warns of texts that are longer than the CLIP of n reads.
func (e Env) WarnCut(n *pipeline.Networks, cut []pipeline.Lost) {
	for _, c := range cut {
		e.Log.Warn(fmt.Sprintf("text %d is cut to CLIP's %d tokens; lost is %q", c.Text+1, n.Tokenizer.Context(), c.End))
	}
}

// Stages shows the progress of work that reports the name of its stage each time.
type Stages struct {
	Env   Env
	stage string
	shown Progress
}

// Set says how much of a stage is done.
func (s *Stages) Set(stage string, done, total int) {
	if stage != s.stage {
		s.Done()
		s.stage, s.shown = stage, s.Env.Progress(stage, total)
	}
	s.shown.Set(done, "")
}

// Done ends the last stage.
func (s *Stages) Done() {
	if s.shown != nil {
		s.shown.Done()
	}
}
