package checkpoints

import (
	"fmt"
	"io"
)

// cursor reads a file from front to back in small pieces, with leaps.
type cursor struct {
	r        io.ReaderAt
	at, size int64
	window   []byte
	begin    int64 // of the window
}

const (
	windowSize = 4096
	maxLine    = 512
)

// next returns the n bytes that come next, valid until the next call.
func (c *cursor) next(n int) ([]byte, error) {
	if int64(n) > c.size-c.at {
		return nil, io.ErrUnexpectedEOF
	}
	if from := c.at - c.begin; from < 0 || from+int64(n) > int64(len(c.window)) {
		c.window = make([]byte, min(max(int64(n), windowSize), c.size-c.at))
		c.begin = c.at
		if _, err := c.r.ReadAt(c.window, c.at); err != nil && err != io.EOF {
			return nil, err
		}
	}
	from := c.at - c.begin
	c.at += int64(n)
	return c.window[from : from+int64(n)], nil
}

// line returns the bytes up to the next line's end, without it.
func (c *cursor) line() ([]byte, error) {
	var line []byte
	for len(line) < maxLine {
		b, err := c.next(1)
		if err != nil {
			return nil, err
		}
		if b[0] == '\n' {
			return line, nil
		}
		line = append(line, b[0])
	}
	return nil, fmt.Errorf("a line of more than %d bytes", maxLine)
}
