package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

const (
	// drainRetry is when another server should have taken the place of one that shuts down.
	drainRetry = 5 * time.Second
	// maxBody bounds JSON bodies. A story of 20,000 characters, each written as \uXXXX, has 120,000 bytes.
	maxBody = 256 << 10
)

// problem is an error as clients see it.
type problem struct {
	status  int
	retry   time.Duration // when the same request may succeed; 0 says nothing
	Message string        `json:"error"`
	Hint    string        `json:"hint,omitempty"`
	Field   string        `json:"field,omitempty"` // of the request
}

func (p *problem) Error() string { return p.Message }

// at names the field that is to blame.
func (p *problem) at(field string) *problem {
	p.Field, p.Message = field, field+": "+p.Message
	return p
}

// badField is a mistake in a field of a request.
func badField(field, message, hint string) *problem {
	return (&problem{status: http.StatusBadRequest, Message: message, Hint: hint}).at(field)
}

// problemOf turns an error into the client's answer. It describes the client's mistakes only.
func problemOf(err error) *problem {
	var p *problem
	var busy *queue.BusyError
	var large *http.MaxBytesError
	var field *draw.FieldError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &field):
		return fieldProblem(field)
	case errors.As(err, &busy):
		return &problem{status: http.StatusTooManyRequests, retry: busy.RetryAfter, Message: busy.Error(),
			Hint: "try again a little later"}
	case errors.Is(err, queue.ErrClosed):
		return &problem{status: http.StatusServiceUnavailable, retry: drainRetry, Message: err.Error(),
			Hint: "try again a little later"}
	case errors.Is(err, gallery.ErrNotFound):
		return &problem{status: http.StatusNotFound, Message: err.Error(), Hint: "old pictures make room for new ones"}
	case errors.Is(err, gallery.ErrDamaged):
		return &problem{status: http.StatusNotFound, Message: gallery.ErrDamaged.Error(), Hint: "delete the picture"}
	case errors.As(err, &large):
		return &problem{status: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("the request is larger than %d bytes", large.Limit), Hint: "send less"}
	case fault.IsUsage(err):
		return &problem{status: http.StatusBadRequest, Message: err.Error(), Hint: fault.HintOf(err)}
	}
	return &problem{status: http.StatusInternalServerError, Message: "the server failed", Hint: "its log says why"}
}

// fieldProblem is an invalid field of a request, in the API's words.
func fieldProblem(e *draw.FieldError) *problem {
	hint := strings.ReplaceAll(e.Want(), "`", "")
	switch {
	case e.Code == draw.OutOfRange && e.High == any(0): // refinements, on a server that has none
		hint = "this server refines no pictures: leave " + e.Field + " out"
	case e.Code == draw.OutOfRange && e.Remedy == "":
		hint = fmt.Sprintf("give a number from %v to %v", e.Low, e.High)
	}
	switch e.Code {
	case draw.Unknown:
		return badField(e.Field, fmt.Sprintf("%q is unknown", e.Value), hint)
	case draw.Conflict:
		return badField(e.Field, fmt.Sprintf("it does not go with %s", with(e)), hint)
	}
	return badField(e.Field, fmt.Sprintf("it is %v", e.Value), hint)
}

// with names the other field of a conflict.
func with(e *draw.FieldError) string {
	if e.OtherValue == nil {
		return e.Other
	}
	return fmt.Sprintf("%s %v", e.Other, e.OtherValue)
}

// fail answers with an error, and logs what is the server's own.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		s.metrics.left()
		return
	}
	p := problemOf(err)
	s.logFailure(r, p, err)
	writeProblem(w, p)
}

func (s *Server) logFailure(r *http.Request, p *problem, err error) {
	if p.status == http.StatusInternalServerError {
		s.Log.Error("request failed", "path", r.URL.Path, "error", err)
	}
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.retry.Seconds())))
	}
	writeJSON(w, p.status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer has no JSON"}`)
	}
	text = append(text, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left needs no answer
}

func writeBytes(w http.ResponseWriter, contentType string, content []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

// readBody reads a body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if problemOf(err).status == http.StatusInternalServerError {
			err = &problem{status: http.StatusBadRequest, Message: "the request was cut short", Hint: "send it again"}
		}
		return nil, err
	}
	return body, nil
}

// readJSON reads a body of JSON into v. Another field than v's is an error.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &problem{status: http.StatusUnsupportedMediaType, Message: "the request is not JSON",
			Hint: "send Content-Type: application/json"}
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) || jsonfile.LoneSurrogate(body) >= 0 { // encoding/json would read U+FFFD
		return &problem{status: http.StatusBadRequest, Message: "the request is not UTF-8", Hint: "send JSON in UTF-8"}
	}
	if key, _, ok := jsonfile.RepeatedKey(body); ok { // Go reads the last value
		return badField(key, "it occurs twice", "give it once")
	}
	if key := upperKey(body); key != "" { // Go reads it as that in lower case
		return &problem{status: http.StatusBadRequest, Message: fmt.Sprintf("the request has an unknown field %q", key),
			Hint: "fields are written in lower case; openapi.json describes them"}
	}
	// Go reads null as what was there before, which would hide a mistake.
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		for name, value := range fields {
			if list, ok := value.([]any); value == nil || ok && slices.Contains(list, nil) {
				return badField(name, "it is, or holds, null", "leave it out")
			}
		}
	}
	if err = jsonfile.Decode(body, v); err == nil {
		return nil
	}
	if choice := (*fault.ChoiceError)(nil); errors.As(err, &choice) {
		field := strings.ReplaceAll(choice.What, " ", "_")
		return badField(field, fmt.Sprintf("%q is unknown", choice.Value), fault.HintOf(err))
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field == "" {
		return &problem{status: http.StatusBadRequest, Message: "the request is a JSON " + wrong.Value,
			Hint: "send an object"}
	} else if wrong != nil {
		return badField(strings.NewReplacer("Spec.", "", "Settings.", "").Replace(wrong.Field), "it is a JSON "+wrong.Value,
			"give a "+typeName(wrong.Type.Kind().String()))
	}
	return &problem{status: http.StatusBadRequest, Message: "the request is not what it should be: " +
		strings.TrimPrefix(err.Error(), "json: "), Hint: "openapi.json describes it"}
}

// upperKey returns the first key with a letter in upper case, which no field has.
func upperKey(body []byte) (key string) {
	end := errors.New("end")
	_ = jsonfile.Walk(body, func(t jsonfile.Token) error {
		if name, _ := t.Value.(string); t.IsKey && name != strings.ToLower(strings.ToUpper(name)) { // "ſ" is an "s" too
			key = name
			return end
		}
		return nil
	})
	return key
}

func typeName(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "int", "uint64":
		return "whole number, 0 or more"
	case "float64":
		return "number"
	case "bool":
		return "true or false"
	case "slice":
		return "list"
	case "struct":
		return "object"
	}
	return "value of another type"
}

// stream answers a request that draws: by server-sent events where the client accepts them, else by one JSON object.
type stream struct {
	job     *job // keeps the events, where it is not nil, in place of w
	w       http.ResponseWriter
	events  bool
	begun   bool
	written error // of the last event
}

func newStream(w http.ResponseWriter, r *http.Request) *stream {
	return &stream{w: w, events: strings.Contains(r.Header.Get("Accept"), "text/event-stream")}
}

// send writes an event; a JSON answer has none. name is a word, so that lines need no escape: JSON has no line breaks.
func (s *stream) send(name string, v any) {
	if !s.events || s.written != nil {
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		s.written = err
		return
	}
	s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", name, text))
}

// alive writes a comment, which tells both sides that the other is there.
func (s *stream) alive() {
	if s.events && s.written == nil && s.job == nil {
		s.write(":\n\n")
	}
}

func (s *stream) write(text string) {
	if s.job != nil {
		s.begun = true
		s.job.add(text)
		return
	}
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "text/event-stream")
		s.w.Header().Set("X-Accel-Buffering", "no") // proxies should pass events on at once
	}
	if _, s.written = io.WriteString(s.w, text); s.written == nil {
		s.written = http.NewResponseController(s.w).Flush()
	}
}

// end answers with what was drawn, or with the error that ended it.
func (s *Server) end(ctx context.Context, st *stream, r *http.Request, result any, err error) {
	switch {
	case st.written != nil, err != nil && ctx.Err() != nil:
		s.metrics.left()
	case err != nil && st.begun:
		p := problemOf(err)
		s.logFailure(r, p, err)
		st.send("error", p)
	case err != nil:
		s.fail(st.w, r, err)
	case st.events:
		st.send("done", result)
	default:
		writeJSON(st.w, http.StatusOK, result)
	}
}
