package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressInterval is the time between two plain progress lines where no terminal shows a bar.
const progressInterval = 10 * time.Second

// console is standard error: log lines written to it don't tear the progress bar that stands on its last line.
type console struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	bar      *progressbar.ProgressBar // nil when no bar is shown
}

func newConsole(f *os.File) *console {
	return &console{w: f, terminal: term.IsTerminal(int(f.Fd()))}
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil {
		return c.w.Write(p)
	}
	_ = c.bar.Clear()
	n, err := c.w.Write(p)
	_ = c.bar.RenderBlank()
	return n, err
}

// Progress shows how far one stage of work has come: a bar on a terminal, otherwise one plain line per interval.
// Its methods may be called from several goroutines.
type Progress struct {
	mu       sync.Mutex
	w        io.Writer
	console  *console // where the bar stands; nil for plain lines
	bar      *progressbar.ProgressBar
	stage    string
	total    int
	done     int
	note     string
	started  time.Time
	printed  time.Time
	now      func() time.Time
	finished bool
}

// newProgress starts the clock of a stage of total units of work. w is usually Options.Stderr.
func newProgress(w io.Writer, stage string, total int) *Progress {
	p := &Progress{w: w, stage: stage, total: max(total, 0), now: time.Now}
	p.started = p.now()
	p.printed = p.started
	if c, ok := w.(*console); ok && c.terminal {
		p.console = c
		p.bar = progressbar.NewOptions(p.total,
			progressbar.OptionSetWriter(c.w),
			progressbar.OptionSetDescription(stage),
			progressbar.OptionSetWidth(24),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(),
		)
		c.mu.Lock()
		c.bar = p.bar
		c.mu.Unlock()
	}
	return p
}

// Set says that done units are finished; note is a few words about the newest one, such as a loss.
func (p *Progress) Set(done int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		return
	}
	p.done, p.note = min(max(done, 0), p.total), note
	if p.bar == nil {
		if now := p.now(); now.Sub(p.printed) >= progressInterval {
			p.printed = now
			fmt.Fprintln(p.w, p.line(now))
		}
		return
	}
	p.console.mu.Lock()
	defer p.console.mu.Unlock()
	description := p.stage
	if note != "" {
		description += ": " + note
	}
	p.bar.Describe(description)
	if p.done < p.total { // a full bar would end itself; Done does that
		_ = p.bar.Set(p.done)
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
	if p.bar != nil {
		p.console.mu.Lock()
		_ = p.bar.Clear()
		p.console.bar = nil
		p.console.mu.Unlock()
	}
	now := p.now()
	elapsed := now.Sub(p.started)
	count := fmt.Sprintf("%d", p.done)
	if p.done < p.total {
		count = fmt.Sprintf("%d of %d", p.done, p.total)
	}
	fmt.Fprintf(p.w, "%s: %s in %s (%s)%s\n", p.stage, count, roundDuration(elapsed), rate(p.done, elapsed),
		suffix(p.note))
}

func (p *Progress) line(now time.Time) string {
	elapsed := now.Sub(p.started)
	left := "unknown time"
	if p.done > 0 {
		left = roundDuration(time.Duration(float64(elapsed) / float64(p.done) * float64(p.total-p.done))).String()
	}
	percent := 0
	if p.total > 0 {
		percent = 100 * p.done / p.total
	}
	return fmt.Sprintf("%s: %d/%d (%d%%), %s, %s left%s", p.stage, p.done, p.total, percent, rate(p.done, elapsed), left,
		suffix(p.note))
}

func suffix(note string) string {
	if note == "" {
		return ""
	}
	return ", " + note
}

func rate(done int, elapsed time.Duration) string {
	perSecond := float64(done) / max(elapsed.Seconds(), 1e-3)
	if perSecond < 10 {
		return fmt.Sprintf("%.2f/s", perSecond)
	}
	return fmt.Sprintf("%.0f/s", perSecond)
}

// roundDuration rounds a duration as people read it.
func roundDuration(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
