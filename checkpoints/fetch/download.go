package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// maxBytes bounds a file whose size is not known: the largest published network has 2 GB.
const maxBytes = 8 << 30

// download is one file on its way.
type download struct {
	client  *Client
	file    File
	address string
	path    string // of the partial file
	total   int64  // 0 until it is known
	mixed   bool   // bytes of more than one answer
	begun   int    // how often the file was begun again because the server had another
	claimed string // SHA-256 that the hub states, "" without
	slow    atomic.Bool
}

// errBody marks a body that ended too soon: the rest can be asked for.
var errBody = errors.New("the connection broke")

// errStalled and errSlow are causes of giving up on an answer.
var (
	errStalled = errors.New("the server sent nothing")
	errSlow    = errors.New("the server sends too slowly")
)

// complete requests the file, and its rest again after each body that broke off. Tries that get further don't count.
func (d *download) complete(ctx context.Context) error {
	requests := d.client.requests()
	for try := 0; ; try++ {
		before := d.size()
		err := d.request(ctx, requests)
		if cause := context.Cause(ctx); cause != nil {
			return fault.Hint(fmt.Errorf("%d bytes are kept: %w", d.size(), cause), "the same command resumes from there")
		}
		if !errors.Is(err, errBody) {
			return d.explain(err)
		}
		if d.size() >= before+d.client.least() {
			try = 0
		}
		if d.begun >= d.client.tries() {
			return fault.Hint(fmt.Errorf("the server had another file at each of %d requests", d.begun+1),
				"run the same command again later")
		}
		if try+1 >= d.client.tries() {
			return fault.Hint(fmt.Errorf("%w, %d times without getting further; %d bytes are kept", err, try+1, d.size()),
				"the same command resumes from there")
		}
		wait := d.client.wait()(requests.RetryWaitMin, requests.RetryWaitMax, try, nil)
		d.client.log(fmt.Sprintf("%s: %v after %d bytes; going on", d.file.Name(), err, d.size()))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// explain adds a hint to an error of the disk.
func (d *download) explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Hint(err, "make room (the file has %d bytes, %d of them are here); the same command resumes", d.total,
			d.size())
	}
	return err
}

// request asks for the file, or for what of it is missing, and appends what comes.
func (d *download) request(ctx context.Context, requests *retryablehttp.Client) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	have := d.size()
	req, err := d.newRequest(ctx, have)
	if err != nil {
		return err
	}
	resp, err := requests.Do(req)
	if err != nil {
		return explainRequest(err)
	}
	defer resp.Body.Close()
	d.noteClaim(resp)
	switch resp.StatusCode {
	case http.StatusOK:
		if err := d.checkWhole(resp); err != nil {
			return err
		}
		have, d.total, d.mixed = 0, max(resp.ContentLength, 0), false
		if err := d.begin(resp); err != nil {
			return err
		}
	case http.StatusPartialContent:
		restart, err := d.continues(resp, have)
		if err != nil {
			return err
		}
		if restart {
			return d.restart()
		}
		d.mixed = true
	case http.StatusRequestedRangeNotSatisfiable:
		// The file ends where the partial one does, or it is a shorter one.
		if length, ok := strings.CutPrefix(resp.Header.Get("Content-Range"), "bytes */"); ok && length == fmt.Sprint(have) {
			return nil
		}
		return d.restart()
	default:
		return d.client.explainStatus(resp)
	}
	if err := d.checkTotal(); err != nil {
		return err
	}
	return d.receive(resp.Body, have, cancel)
}

// newRequest asks for the bytes after the first `have` ones.
func (d *download) newRequest(ctx context.Context, have int64) (*retryablehttp.Request, error) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, d.address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // sizes and ranges are the file's own
	if t := token(d.address); t != "" {
		req.Header.Set("Authorization", "Bearer "+t)
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if v := d.validator(); v != "" {
			req.Header.Set("If-Range", v)
		}
	}
	return req, nil
}

// restart throws away what there is; the error that it returns asks for another try.
func (d *download) restart() error {
	if err := d.forget(); err != nil {
		return err
	}
	d.begun++
	return fmt.Errorf("%w: the server has another file than the one that was begun", errBody)
}

// continues reads where a partial answer begins. restart is true if it is of another file than the one that was begun.
func (d *download) continues(resp *http.Response, have int64) (restart bool, err error) {
	header := resp.Header.Get("Content-Range")
	r, ok := parseRange(header)
	if !ok || r.from != have {
		err := fmt.Errorf("the server answered with the range %q; asked for was all from byte %d on", header, have)
		if have == 0 {
			return false, fault.Hint(err, "the server does not send whole files: bring the file by hand")
		}
		return false, fault.Hint(err, "remove %s to begin from byte 0, or bring the file by hand", d.path)
	}
	d.total = max(r.total, 0)
	now, before := validatorOf(resp), d.validator()
	return now != "" && before != "" && now != before, nil
}

// contentRange is a Content-Range: RFC 9110, section 14.4. total is -1 where the server does not say it.
type contentRange struct{ from, to, total int64 }

func parseRange(header string) (r contentRange, ok bool) {
	var total string
	if _, err := fmt.Sscanf(header, "bytes %d-%d/%s", &r.from, &r.to, &total); err != nil {
		return r, false
	}
	if r.total = -1; total != "*" {
		n, err := strconv.ParseInt(total, 10, 64)
		if err != nil || r.to >= n {
			return r, false
		}
		r.total = n
	}
	return r, r.from >= 0 && r.from <= r.to
}

// checkWhole refuses an answer that claims to be the whole file and is not: a part, or a web page in place of a file
// that could not be told from it by a hash.
func (d *download) checkWhole(resp *http.Response) error {
	if r, ok := parseRange(resp.Header.Get("Content-Range")); ok && r.from > 0 {
		return d.restart()
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if d.file.SHA256 == "" && (kind == "text/html" || kind == "application/xhtml+xml") {
		return fault.Hint(fmt.Errorf("%w: the server answered with a web page", ErrUnreachable),
			"open the address in a browser: it may ask for a login or a consent; bring the file by hand then")
	}
	return nil
}

// checkTotal refuses a file of another size before its bytes are loaded.
func (d *download) checkTotal() error {
	if d.file.Size > 0 && d.total > 0 && d.total != d.file.Size {
		return fault.Hint(fmt.Errorf("the server has a file of %d bytes; expected %d", d.total, d.file.Size),
			"the file at this address has changed")
	}
	d.total = max(d.total, d.file.Size)
	return nil
}

// begin empties the partial file and notes what tells the server's file from later ones.
func (d *download) begin(resp *http.Response) error {
	if err := d.forget(); err != nil {
		return err
	}
	text, err := json.Marshal(validator{URL: d.address, Validator: validatorOf(resp)})
	if err != nil {
		return err
	}
	return files.WriteFile(d.validatorPath(), append(text, '\n'), 0o666)
}

// receive appends body to the partial file, which has `have` bytes.
func (d *download) receive(body io.Reader, have int64, cancel context.CancelCauseFunc) error {
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	limit := d.total
	if limit == 0 {
		limit = maxBytes
	}
	received, stop := d.watch(cancel)
	defer stop()
	buffer := make([]byte, 256<<10)
	for {
		n, readErr := body.Read(buffer)
		received.Add(int64(n))
		if have += int64(n); have > limit {
			return errors.Join(fault.Hint(fmt.Errorf("the server sends more than %d bytes", limit),
				"the file at this address has changed"), d.forget())
		}
		if _, err := f.Write(buffer[:n]); err != nil {
			return err
		}
		if d.client.Progress != nil && n > 0 {
			d.client.Progress(d.file.Name(), have, d.total)
		}
		switch {
		case readErr == io.EOF && d.total > 0 && have < d.total, readErr != nil && readErr != io.EOF:
			return errors.Join(d.broken(readErr), f.Close())
		case readErr == io.EOF:
			return errors.Join(f.Sync(), f.Close())
		}
	}
}

// watch ends an answer that sends less than least bytes in a while. It adds received bytes to the counter.
func (d *download) watch(cancel context.CancelCauseFunc) (received *atomic.Int64, stop func()) {
	received, done := new(atomic.Int64), make(chan struct{})
	go func() {
		tick := time.NewTicker(d.client.stall())
		defer tick.Stop()
		for before := int64(0); ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			switch now := received.Load(); {
			case now == before:
				cancel(errStalled)
			case now-before < d.client.least():
				d.slow.Store(true)
				cancel(errSlow)
			default:
				before = now
			}
		}
	}()
	return received, sync.OnceFunc(func() { close(done) })
}

// broken words why a body ended too soon.
func (d *download) broken(err error) error {
	switch {
	case d.slow.Swap(false):
		return fmt.Errorf("%w: %w: less than %d bytes in %v", errBody, errSlow, d.client.least(), d.client.stall())
	// by the timer, or by the user, who is told something else
	case errors.Is(err, context.Canceled), errors.Is(err, errStalled):
		return fmt.Errorf("%w: %w for %v", errBody, errStalled, d.client.stall())
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
		return errBody
	}
	return fmt.Errorf("%w: %w", errBody, err)
}

// size is the number of bytes that are there.
func (d *download) size() int64 {
	info, err := os.Stat(d.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// validator is the text beside a partial file: what tells the file that it is part of from later ones at its address.
type validator struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // a strong ETag, or a Last-Modified
}

func (d *download) validatorPath() string { return d.path + ".json" }

func (d *download) validator() string {
	var v validator
	data, err := os.ReadFile(d.validatorPath())
	if err != nil || json.Unmarshal(data, &v) != nil {
		return "" // the SHA-256 tells in the end
	}
	return v.Validator
}

// validatorOf returns what If-Range takes.
func validatorOf(resp *http.Response) string {
	if etag := resp.Header.Get("ETag"); strings.HasPrefix(etag, `"`) {
		return etag
	}
	return resp.Header.Get("Last-Modified")
}

// noteClaim keeps the SHA-256 that the Hugging Face hub states of a large file when it redirects to it.
func (d *download) noteClaim(resp *http.Response) {
	if !strings.HasPrefix(d.file.URL, hubPrefix) {
		return
	}
	for r := resp; r != nil && r.Request != nil; r = r.Request.Response {
		if sum := strings.Trim(r.Header.Get("X-Linked-Etag"), `"`); len(sum) == 64 {
			d.claimed = sum
		}
	}
}
