package browser

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// record holds a page's requests and problems.
type record struct {
	mu       sync.Mutex
	address  string
	errors   []string
	requests []string
	urls     map[network.RequestID]string
}

// begin clears the record for another page.
func (r *record) begin(address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address, r.errors, r.requests, r.urls = address, nil, nil, map[network.RequestID]string{}
}

// add notes an event.
func (r *record) add(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var texts []string
			for _, arg := range e.Args {
				texts = append(texts, strings.Trim(arg.Description+string(arg.Value), `"`))
			}
			r.fail("console: %s", strings.Join(texts, " "))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description + string(thrown.Value)
		}
		r.fail("exception: %s", text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			r.fail("console: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "blob:") {
			r.urls[e.RequestID] = e.Request.URL
			r.requests = append(r.requests, e.Request.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled || e.BlockedReason != "" {
			r.fail("request: %s: %s%s", r.urls[e.RequestID], e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			r.fail("request: %s: status %d", e.Response.URL, e.Response.Status)
		}
	}
}

func (r *record) fail(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *record) page() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.address
}

func (r *record) addresses() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// problems are the errors, and the requests that left the place of the page: its server, or its file's folder.
func (r *record) problems() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	problems := slices.Clone(r.errors)
	for _, request := range r.requests {
		if at := place(r.address); request != r.address && place(request) != at &&
			!(strings.HasPrefix(at, "file:") && strings.HasPrefix(request, at+"/")) {
			problems = append(problems, "request elsewhere: "+request)
		}
	}
	return problems
}

// place returns the target of an address: a server, or a folder of files.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.Scheme == "file" {
		return "file://" + path.Dir(u.Path)
	}
	return u.Scheme + "://" + u.Host
}
