package train

import "illustrator/losses"

// What benchmarks and probes time: parts of Run, one at a time.

// Stepper prepares a training of which nothing is validated or written, and returns a function that does the step at,
// counted from 0, by the loss weights of its stage: what a benchmark times. The first step of each stage compiles. Run
// may follow, and is not changed by it.
func (t *Training) Stepper() (step func(at int) (losses.Values, error), err error) {
	if err := t.prepare(); err != nil {
		return nil, err
	}
	return func(at int) (losses.Values, error) {
		values, _, err := t.trainOn(at)
		return values, err
	}, nil
}

// Checkpointer prepares a training of which one step is done, and returns functions that write its state to the folder,
// as a checkpoint with the mapper beside it, and read it back.
func (t *Training) Checkpointer() (save, resume func() error, err error) {
	step, err := t.Stepper()
	if err != nil {
		return nil, nil, err
	}
	if _, err := step(0); err != nil { // makes the optimizer's variables
		return nil, nil, err
	}
	if t.record, err = openRecord(t.Folder, 0); err != nil {
		return nil, nil, err
	}
	return func() error { t.state.Step++; return t.save() }, t.resume, nil
}
