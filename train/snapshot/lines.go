package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"illustrator/internal/fault"
)

// Lines is a file of JSON lines, such as metrics.jsonl, the record that tables and plots are made from.
type Lines struct {
	f    *os.File
	size int64
}

// OpenLines opens the file to append after its first size bytes; the rest was not part of a checkpoint.
func OpenLines(path string, size int64) (*Lines, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		err = fault.Hint(fmt.Errorf("%s has %d bytes; the checkpoint was written after %d", path, info.Size(), size),
			"the file was cut: put it back, or remove the run's folder to train again")
	}
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, 0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Lines{f, size}, nil
}

// Write appends a value as a line and returns the file's size after it. A line that cannot be written whole is taken
// back.
func (m *Lines) Write(line any) (size int64, err error) {
	text, err := json.Marshal(line)
	if err != nil {
		return m.size, fmt.Errorf("write %s: %w", m.f.Name(), err)
	}
	if _, err := m.f.Write(append(text, '\n')); err != nil {
		_, seek := m.f.Seek(m.size, 0)
		return m.size, errors.Join(err, m.f.Truncate(m.size), seek)
	}
	m.size += int64(len(text)) + 1
	return m.size, nil
}

// Sync makes the lines last through a crash of the machine.
func (m *Lines) Sync() error { return m.f.Sync() }

// Close closes the file.
func (m *Lines) Close() error { return m.f.Close() }
