package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"illustrator/internal/pace"
	"illustrator/models/host"
	"illustrator/models/xla/programs"
)

const (
	// progressInterval is the time between two plain progress lines where no terminal shows a bar.
	progressInterval = 10 * time.Second
	// refreshInterval is the time between two pictures of a bar while no unit ends.
	refreshInterval = time.Second
)

// console is standard error: log lines written to it don't tear the progress bar that stands on its last line, and hold
// nothing that a terminal obeys.
type console struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	columns  func() int               // of the terminal
	bar      *progressbar.ProgressBar // nil when no bar is shown
}

func newConsole(f *os.File) *console {
	return &console{w: f, terminal: term.IsTerminal(int(f.Fd())), columns: func() int { return columnsOf(f) }}
}

// columnsOf is the width of a terminal, 80 where it does not say.
func columnsOf(f *os.File) int {
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		_ = c.bar.Clear()
		defer c.bar.RenderBlank()
	}
	if _, err := io.WriteString(c.w, plain(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Progress shows how far one stage of work has come: a bar on a terminal, otherwise one plain line per interval.
// Its methods may be called from several goroutines.
type Progress struct {
	mu       sync.Mutex
	w        io.Writer
	console  *console // where the bar stands; nil for plain lines
	bar      *progressbar.ProgressBar
	columns  int // that the bar is made for
	stage    string
	total    int
	note     string
	started  time.Time
	printed  time.Time
	now      func() time.Time
	finished bool
	stop     chan struct{}
	// compiling reports whether a program is being compiled.
	compiling func() bool
	// remember notes the pace of a kind of work; nil notes none.
	remember func(kind string, p pace.Pace)
	estimate estimate
}

// newProgress starts the clock of a stage of total units of work. w is usually Options.Stderr.
func newProgress(w io.Writer, stage string, total int) *Progress {
	return newStage(w, stage, []host.Part{{Units: max(total, 0)}}, nil, nil)
}

// newStage starts the clock of a stage of parts, with the parts of the job that follow it. recall tells the paces of
// earlier processes; nil knows none.
func newStage(w io.Writer, stage string, parts, later []host.Part, recall recall) *Progress {
	p := &Progress{w: w, stage: stage, now: time.Now, compiling: programs.Compiling, stop: make(chan struct{})}
	for _, part := range parts {
		p.total += part.Units
	}
	p.started = p.now()
	p.printed = p.started
	p.estimate = estimate{parts: parts, later: later, recall: recall, began: p.started}
	if c, ok := w.(*console); ok && c.terminal {
		p.console = c
		c.mu.Lock()
		p.fit()
		_ = p.bar.RenderBlank()
		c.mu.Unlock()
	}
	return p
}

// watch shows the stage again while no unit ends, until Done.
func (p *Progress) watch() *Progress {
	go func() {
		ticker := time.NewTicker(refreshInterval)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C:
				p.mu.Lock()
				if !p.finished {
					p.show()
				}
				p.mu.Unlock()
			}
		}
	}()
	return p
}

// fit makes a bar for the terminal's width if there is none. The caller holds the console.
func (p *Progress) fit() {
	columns := p.console.columns()
	if p.bar != nil && columns == p.columns {
		return
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	p.columns = columns
	p.bar = progressbar.NewOptions(max(1, p.total),
		progressbar.OptionSetWriter(p.console.w),
		progressbar.OptionSetWidth(barWidth(columns)),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetDescription(p.text(p.room())),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)
	p.console.bar = p.bar
}

// barWidth is the width of the bar alone on a terminal of that many columns.
func barWidth(columns int) int { return min(24, max(4, columns/8)) }

// barRoom is the room that the bar takes beside its own width: the percentage, both ends, spaces, and the last column,
// which some terminals begin the next line with.
const barRoom = 12

// room is the width that is left for words.
func (p *Progress) room() int { return max(10, p.columns-barWidth(p.columns)-barRoom) }

// Set says that done units are finished; note is a few words about the newest one, such as a loss.
func (p *Progress) Set(done int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return
	}
	done, p.note = min(max(done, 0), p.total), note
	if part, took, has := p.estimate.set(done, p.now()); has {
		p.keep(part, took)
	}
	p.show()
}

// keep remembers the pace of a part of some kind.
func (p *Progress) keep(part host.Part, took pace.Pace) {
	if p.remember != nil && part.Kind != "" {
		p.remember(part.Kind, took)
	}
}

// show prints where the stage stands, as often as its reader can follow.
func (p *Progress) show() {
	now := p.now()
	if p.console == nil {
		if now.Sub(p.printed) >= progressInterval {
			p.printed = now
			fmt.Fprintln(p.w, p.line(now))
		}
		return
	}
	if now.Sub(p.printed) < 100*time.Millisecond {
		return
	}
	p.printed = now
	p.console.mu.Lock()
	defer p.console.mu.Unlock()
	p.fit()
	p.bar.Describe(p.text(p.room()))
	if p.estimate.done < max(1, p.total) { // a full bar would end itself; Done does that
		_ = p.bar.Set(p.estimate.done)
	}
}

// Done ends the stage with one line that says how long it took. Further calls do nothing.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return
	}
	p.finished = true
	close(p.stop)
	if len(p.estimate.parts) > 0 {
		if took, has := p.estimate.pace(); has {
			p.keep(p.estimate.parts[p.estimate.part], took)
		}
	}
	if p.console != nil {
		p.console.mu.Lock()
		_ = p.bar.Clear()
		p.console.bar = nil
		p.console.mu.Unlock()
	}
	elapsed, done := p.now().Sub(p.started), p.estimate.done
	count := fmt.Sprintf("%d", done)
	if done < p.total {
		count = fmt.Sprintf("%d of %d", done, p.total)
	}
	fmt.Fprintf(p.w, "%s: %s in %s (%s)%s\n", p.stage, count, formatDuration(elapsed), rate(done, elapsed), suffix(p.note))
}
