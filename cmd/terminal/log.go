package terminal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// logHandler prints log records as plain lines: the message, then key=value pairs; warnings and errors are marked.
type logHandler struct {
	program string
	w       io.Writer
	level   slog.Leveler
	prefix  string // of groups: "run.step."
	attrs   string // already formatted
}

func newLogHandler(program string, w io.Writer, level slog.Leveler) slog.Handler {
	return &logHandler{program: program, w: w, level: level}
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var line bytes.Buffer
	switch {
	case r.Level >= slog.LevelError:
		line.WriteString(h.program + ": error: ")
	case r.Level >= slog.LevelWarn:
		line.WriteString(h.program + ": warning: ")
	}
	line.WriteString(r.Message)
	line.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		line.WriteString(formatAttr(h.prefix, a))
		return true
	})
	line.WriteByte('\n')
	_, err := h.w.Write(line.Bytes()) // one write a line, so that lines of several goroutines don't mix
	return err
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	child := *h
	for _, a := range attrs {
		child.attrs += formatAttr(h.prefix, a)
	}
	return &child
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	child := *h
	if name != "" {
		child.prefix += name + "."
	}
	return &child
}

func formatAttr(prefix string, a slog.Attr) string {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		var all strings.Builder
		for _, inner := range value.Group() {
			all.WriteString(formatAttr(prefix, inner))
		}
		return all.String()
	}
	if a.Key == "" {
		return ""
	}
	text := value.String()
	if text == "" || strings.ContainsAny(text, " \t\n\"=") {
		text = strconv.Quote(text)
	}
	return fmt.Sprintf(" %s%s=%s", prefix, a.Key, text)
}
