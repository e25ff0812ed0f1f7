package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"illustrator/train/events"
	"illustrator/train/snapshot"
)

// record keeps what a training tells: metrics.jsonl, and events for TensorBoard, which follow from it.
type record struct {
	metrics *snapshot.Lines
	events  *events.Writer
}

// openRecord opens the folder's metrics to append after their first size bytes, and rewrites the events of those.
func openRecord(folder Folder, size int64) (r *record, err error) {
	r = new(record)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.metrics, err = snapshot.OpenLines(folder.Metrics(), size); err != nil {
		return r, err
	}
	if r.events, err = events.Create(folder.events(), time.Now); err != nil {
		return r, err
	}
	lines, err := ReadMetrics(folder.Metrics())
	if err != nil {
		return r, err
	}
	for _, l := range lines {
		if err := r.event(l); err != nil {
			return r, err
		}
		if l.Validation != nil {
			if err := r.picture(folder, l.Step); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// Write appends a line to both and returns the size of the metrics after it.
func (r *record) Write(l Line) (size int64, err error) {
	if size, err = r.metrics.Write(l); err != nil {
		return size, err
	}
	return size, r.event(l)
}

// event writes a line's numbers as TensorBoard's scalars.
func (r *record) event(l Line) error {
	for _, s := range l.numbers() {
		if err := r.events.Scalar(l.Step, s.Tag, s.Value); err != nil {
			return err
		}
	}
	return nil
}

// picture adds the samples drawn after step steps to the events, if there are any.
func (r *record) picture(folder Folder, step int) error {
	png, err := os.ReadFile(folder.Sample(step))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = r.events.PNG(step, "samples", png)
	}
	if err != nil {
		return fmt.Errorf("samples of step %d: %w", step, err)
	}
	return nil
}

func (r *record) Close() (err error) {
	if r.metrics != nil {
		err = r.metrics.Close()
	}
	if r.events != nil {
		err = errors.Join(err, r.events.Close())
	}
	return err
}

// sample has the validation's texts drawn.
func (t *Training) sample(ctx context.Context) error {
	if t.Sample == nil || len(t.Config.Validation.Texts) == 0 {
		return nil
	}
	if err := t.Sample(ctx, t.state.Step); err != nil {
		return fmt.Errorf("draw samples: %w", err)
	}
	return t.record.picture(t.Folder, t.state.Step)
}
