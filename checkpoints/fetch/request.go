package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"illustrator/internal/fault"
)

// ErrUnreachable marks an address that did not answer, or not with the file. It may be had from elsewhere.
var ErrUnreachable = errors.New("not to be had from there")

// errDowngrade marks a redirect that leaves encryption.
var errDowngrade = errors.New("the server redirects from https to http")

// requests returns what makes a request again while the server is not reached, is busy or fails.
func (c *Client) requests() *retryablehttp.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: c.stall()}).DialContext
	transport.ResponseHeaderTimeout = c.stall()
	backoff := c.wait()
	var last error // of a request that got no answer
	return &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: filesOnly{transport}, CheckRedirect: checkRedirect},
		RetryMax:     c.tries() - 1,
		RetryWaitMin: c.minWait(),
		RetryWaitMax: c.maxWait(),
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			last = err
			return c.checkRetry(ctx, resp, err)
		},
		Backoff: func(least, most time.Duration, try int, resp *http.Response) time.Duration {
			wait := backoff(least, most, try, resp)
			why := fmt.Sprintf("no answer: %v", bare(last))
			if resp != nil {
				why = fmt.Sprintf("%s answered %s", resp.Request.URL.Host, resp.Status)
			}
			c.log(fmt.Sprintf("%s; trying again in %v", why, wait.Round(time.Millisecond)))
			return wait
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// filesOnly drops the bodies of answers that are no file. net/http and retryablehttp read their beginnings, and would
// wait for a server that announces one and does not send it.
type filesOnly struct{ http.RoundTripper }

func (f filesOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := f.RoundTripper.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
		return resp, err
	}
	_ = resp.Body.Close()
	resp.Body, resp.ContentLength = http.NoBody, 0
	return resp, nil
}

// wait returns the wait before a retry.
func (c *Client) wait() retryablehttp.Backoff {
	if c.backoff != nil {
		return c.backoff
	}
	return retryablehttp.DefaultBackoff // which follows Retry-After
}

// checkRedirect follows redirects as net/http does, but not out of encryption, and the token goes to the same origin
// only: net/http would give it to other ports and to subdomains.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return fmt.Errorf("stopped after %d redirects", len(via))
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errDowngrade
	}
	if from := via[0].URL; req.URL.Scheme != from.Scheme || req.URL.Host != from.Host {
		req.Header.Del("Authorization")
	}
	return nil
}

func (c *Client) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	var lookup *net.DNSError
	switch {
	case errors.Is(err, errDowngrade), errors.As(err, &lookup) && lookup.IsNotFound,
		resp != nil && retryAfter(resp) > c.patience():
		return false, nil
	}
	return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
}

// bare is a request's error without the address, which is named elsewhere.
func bare(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// retryAfter returns the wait that the server asks for.
func retryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return time.Until(at)
	}
	return 0
}

// explainRequest words a request that got no answer.
func explainRequest(err error) error {
	return fmt.Errorf("%w: %w", ErrUnreachable, bare(err))
}

// explainStatus describes an answer without a file.
func (c *Client) explainStatus(resp *http.Response) error {
	err := fmt.Errorf("%w: the server answered %s", ErrUnreachable, resp.Status)
	switch {
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return fault.Hint(err,
			"the server requires authentication, or refuses your network; for a file of the Hugging Face hub set %s",
			hubTokenEnv)
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return fault.Hint(err, "the file is not at this address any more")
	case retryAfter(resp) > c.patience():
		return fault.Hint(err, "it asks to wait %v: run the same command again after that",
			retryAfter(resp).Round(time.Second))
	}
	return fault.Hint(err, "run the same command again later")
}
