package terminal

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"illustrator/internal/pace"
	"illustrator/models/host"
)

// startClock gives p a clock that the returned function moves on.
func startClock(p *Progress) (pass func(time.Duration)) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	p.now = func() time.Time { return now }
	p.started, p.printed, p.estimate.began = now, now, now
	return func(d time.Duration) { now = now.Add(d) }
}

func TestProgressPlainLines(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, "pairs", 200)
	pass := startClock(p)
	p.Set(1, "")
	pass(10 * time.Second)
	p.Set(50, "loss 0.5")
	pass(9 * time.Second)
	p.Set(90, "")
	pass(time.Second)
	p.Set(100, "")
	pass(20 * time.Second)
	p.Set(250, "loss 0.25") // past the end
	p.Done()
	p.Set(3, "")
	p.Done()
	want := "pairs: 50/200 (25%), 4.90/s, 31s left, loss 0.5\n" + // since the first, before which programs are compiled
		"pairs: 100/200 (50%), 4.95/s, 20s left\n" +
		"pairs: 200/200 (100%), 4.97/s, 0s left, loss 0.25\n" +
		"pairs: 200 in 40s (5.00/s), loss 0.25\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestProgressBeforeUnknownWork names the time of the stage, and that more follows, whose time is not known.
func TestProgressBeforeUnknownWork(t *testing.T) {
	var out bytes.Buffer
	for _, c := range []struct {
		known map[string]pace.Pace
		want  string
	}{
		{nil, "9.9s left (more follows)"},
		{map[string]pace.Pace{"draw": {Unit: 1}}, "9.9s left (over 50s in all)"},
		{map[string]pace.Pace{"draw": {Unit: 1}, "train": {Unit: 0.01}}, "9.9s left (1m0s in all)"},
	} {
		recall := func(kind string) (pace.Pace, bool) { p, known := c.known[kind]; return p, known }
		later := []host.Part{{Units: 1000, Kind: "train"}, {Units: 40, Kind: "draw"}}
		p := newStage(&out, "pairs", []host.Part{{Units: 200}}, later, recall)
		pass := startClock(p)
		p.Set(0, "")
		pass(10 * time.Second)
		for _, done := range []int{1, 101} {
			p.Set(done, "")
			pass(10 * time.Second)
		}
		want := "pairs: 1/200 (0%), 0.10/s, unknown time left\npairs: 101/200 (50%), 10/s, " + c.want + "\n"
		if out.String() != want {
			t.Errorf("with %v:\n%swant\n%s", c.known, out.String(), want)
		}
		out.Reset()
	}
}

func TestProgressInterruptedAndEmpty(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, "train", 10)
	pass := startClock(p)
	pass(2 * time.Second)
	p.Set(4, "")
	p.Done()
	empty := newProgress(&out, "none", 0)
	pass = startClock(empty)
	empty.Set(0, "")
	pass(11 * time.Second)
	empty.Set(0, "")
	empty.Done()
	want := "train: 4 of 10 in 2s (2.00/s)\nnone: 0/0 (0%), 0s left\nnone: 0 in 11s (0.00/s)\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestProgressBarAndLogLinesShareATerminal(t *testing.T) {
	var screen bytes.Buffer
	c := &console{w: &screen, terminal: true, columns: func() int { return 80 }}
	p := newProgress(c, "train", 4)
	p.Set(2, "loss 0.5")
	if _, err := c.Write([]byte("saved best\n")); err != nil {
		t.Fatal(err)
	}
	p.Set(4, "")
	p.Done()
	if c.bar != nil {
		t.Error("the bar is still there")
	}
	text := screen.String()
	at := strings.Index(text, "saved best\n")
	if at < 1 || (text[at-1] != '\r' && text[at-1] != 'K') || !strings.HasSuffix(text, "s)\n") ||
		!strings.Contains(text, "train: 4 in") {
		t.Errorf("screen %q", text)
	}
}

func TestConsoleOfAFileHasNoBar(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if p := newProgress(newConsole(f), "train", 4); p.bar != nil {
		t.Error("a bar in a file")
	}
}
