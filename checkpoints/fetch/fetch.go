// Package fetch downloads weight files. It resumes partial files, retries where that may help, and gives a
// file its name only when its size and SHA-256 are right.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// Client downloads files. Its zero value is ready to use; it serves one goroutine at a time.
type Client struct {
	// Mirror is an address that takes the place of scheme and host of every file's; "" takes files from where they are.
	Mirror string
	// Progress gets the number of bytes so far; total is 0 if it is not known. It may be nil.
	Progress func(name string, done, total int64)
	// Log gets the reason of a retry in a few words. It may be nil.
	Log func(line string)

	// Tries limits requests without progress; 0 is 5. MinWait (1 s) doubles up to MaxWait (30 s) from
	// one try to the next. A server that asks for a longer wait than Patience (2 min) ends the download.
	Tries                      int
	MinWait, MaxWait, Patience time.Duration
	// Stall limits the time in which a server sends nothing, or less than Rate bytes per second: 60 s and 1,024.
	Stall time.Duration
	Rate  int64

	backoff retryablehttp.Backoff // of tests, which don't wait
}

// partial ends the name of a file that is not complete.
const partial = ".part"

// Get downloads file to path, whose folder must exist. It keeps a file at path if that is the right one.
// An interruption or a failure leaves a partial file at path with ".part" after it; the next call resumes it.
func (c *Client) Get(ctx context.Context, file File, path string) error {
	if _, err := os.Stat(path); err == nil {
		if _, err := file.Check(path); err != nil {
			return fault.Hint(err, "it is not the file that is wanted: remove it, or put the right one in its place")
		}
		return nil
	}
	d := &download{client: c, file: file, path: path + partial}
	address, err := file.address(c.Mirror)
	if err != nil {
		return err
	}
	d.address = address
	for again := false; ; again = true {
		d.mixed = d.size() > 0
		if err := d.complete(ctx); err != nil {
			return fmt.Errorf("download %s: %w", address, err)
		}
		err := d.verify()
		if err == nil {
			break
		}
		// Bytes that don't add up are no beginning for another try.
		if err := d.forget(); err != nil {
			return err
		}
		if !d.mixed || again {
			return fault.Hint(fmt.Errorf("download %s: %w", address, err),
				"the file there is another, or something on the way changes it; the bytes were thrown away")
		}
		c.log(fmt.Sprintf("%s: the bytes of an earlier try and of this one don't fit together: from the beginning",
			file.Name()))
	}
	return d.publish(path)
}

// publish gives the verified file its name.
func (d *download) publish(path string) error {
	if err := os.Rename(d.path, path); err != nil {
		return err
	}
	if err := os.Remove(d.validatorPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return checkpoints.SyncFolder(filepath.Dir(path))
}

// verify compares the downloaded bytes with what is known of the file, or with what the hub said of it.
func (d *download) verify() error {
	want := d.file
	if len(want.SHA256) < 64 && d.claimed != "" && strings.HasPrefix(d.claimed, want.SHA256) {
		want.SHA256 = d.claimed
	}
	_, err := want.check(d.path, want.Name())
	return err
}

// forget removes what was downloaded.
func (d *download) forget() error {
	for _, path := range []string{d.path, d.validatorPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (c *Client) log(line string) {
	if c.Log != nil {
		c.Log(line)
	}
}

func (c *Client) tries() int              { return orDefault(c.Tries, 5) }
func (c *Client) minWait() time.Duration  { return orDefault(c.MinWait, time.Second) }
func (c *Client) maxWait() time.Duration  { return orDefault(c.MaxWait, 30*time.Second) }
func (c *Client) patience() time.Duration { return orDefault(c.Patience, 2*time.Minute) }
func (c *Client) stall() time.Duration    { return orDefault(c.Stall, time.Minute) }

// least returns the number of bytes that a server must send within Stall.
func (c *Client) least() int64 {
	return max(1, int64(float64(orDefault(c.Rate, 1024))*c.stall().Seconds()))
}

func orDefault[T comparable](value, otherwise T) T {
	if value == *new(T) {
		return otherwise
	}
	return value
}
