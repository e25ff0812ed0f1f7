package methods

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"illustrator/draw"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

// The figures of what a method costs.
var (
	PictureSeconds  = metrics.Definition{Name: "seconds_per_picture", Unit: metrics.Seconds, Better: metrics.Lower}
	Gradients       = metrics.Definition{Name: "gradients_per_picture", Better: metrics.Lower}
	TrainingSeconds = metrics.Definition{Name: "training_seconds", Unit: metrics.Seconds, Better: metrics.Lower}
)

// Costs lists the names of the figures of cost.
func Costs() []string { return []string{PictureSeconds.Name, Gradients.Name, TrainingSeconds.Name} }

// Meter measures the time in which an artist draws. It keeps the measurement in a file, so that it is that of all
// pictures of an interrupted evaluation.
type Meter struct {
	Artist
	file    string
	running bool
	spent   struct {
		Cold work `json:"cold"` // the first batch of a process, in which programs are compiled
		Warm work `json:"warm"`
	}
}

type work struct {
	Pictures int     `json:"pictures"`
	Seconds  float64 `json:"seconds"`
}

// NewMeter continues the measurement in a file, or begins one.
func NewMeter(a Artist, file string) (*Meter, error) {
	m := &Meter{Artist: a, file: file}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &m.spent)
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("read %s: %w", file, err), "the file is damaged: remove it")
	}
	return m, nil
}

// Draw implements Artist.
func (m *Meter) Draw(ctx context.Context, recipes ...draw.Recipe) ([]*draw.Picture, error) {
	began := time.Now()
	pictures, err := m.Artist.Draw(ctx, recipes...)
	if err != nil {
		return nil, err
	}
	to := &m.spent.Cold
	if m.running {
		to = &m.spent.Warm
	}
	m.running = true
	to.Pictures, to.Seconds = to.Pictures+len(pictures), to.Seconds+time.Since(began).Seconds()
	return pictures, jsonfile.Write(m.file, m.spent)
}

// Figures returns the mean seconds and the gradients of a picture, and the seconds of the training before.
func (m *Meter) Figures(training float64) ([]metrics.Metric, error) {
	seconds, of := metrics.Metric{Definition: PictureSeconds}, m.spent.Warm
	if of.Pictures == 0 {
		of = m.spent.Cold
		seconds = seconds.With("compiling included: all pictures were drawn in one batch")
	}
	if of.Pictures == 0 {
		return nil, fmt.Errorf("%s: no picture was timed", m.file)
	}
	seconds.Value, seconds.N = of.Seconds/float64(of.Pictures), of.Pictures
	return []metrics.Metric{
		seconds,
		{Definition: Gradients, Value: float64(m.Gradients()), N: of.Pictures},
		{Definition: TrainingSeconds, Value: training, N: 1},
	}, nil
}
