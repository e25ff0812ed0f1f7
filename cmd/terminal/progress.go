package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rivo/uniseg"
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

// console is standard error: log lines written to it don't tear the progress bar that stands on its last line.
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

// line is the plain line of a stage.
func (p *Progress) line(now time.Time) string {
	percent := 0
	if p.total > 0 {
		percent = 100 * p.estimate.done / p.total
	}
	count := fmt.Sprintf("%d/%d (%d%%)", p.estimate.done, p.total, percent)
	return p.name() + ": " + join([]string{count, p.rate(now), p.left(now), p.note})
}

// name is the stage's, with the part at hand where it has several.
func (p *Progress) name() string {
	if parts := p.estimate.parts; len(parts) > 1 && parts[p.estimate.part].Name != "" {
		return p.stage + " " + parts[p.estimate.part].Name
	}
	return p.stage
}

// text returns the text beside the bar: as much as there is room for.
func (p *Progress) text(room int) string {
	now := p.now()
	count := fmt.Sprintf("%d/%d", p.estimate.done, p.total)
	for _, words := range [][]string{
		{p.name(), count, p.left(now), p.rate(now), p.note},
		{p.name(), count, p.left(now), p.note},
		{p.name(), count, p.left(now)},
		{p.stage, count, p.left(now)},
		{count, p.left(now)},
		{p.stage, p.brief(now)},
		{p.brief(now)},
	} {
		if text := join(words); uniseg.StringWidth(text) <= room {
			return text
		}
	}
	return count
}

// join puts commas between words that are not empty.
func join(words []string) string {
	var all []string
	for _, w := range words {
		if w != "" {
			all = append(all, w)
		}
	}
	return strings.Join(all, ", ")
}

// left says in words how long the stage takes still, and the job after it.
func (p *Progress) left(now time.Time) string {
	stage, job, exact, known := p.estimate.left(now)
	text := "unknown time left"
	switch {
	case known && exact:
		text = formatDuration(stage) + " left"
	case stage > 0:
		text = "over " + formatDuration(stage) + " left"
	}
	if exact && known && job.Round(time.Second) > stage.Round(time.Second) {
		text += fmt.Sprintf(" (%s in all)", formatDuration(job))
	}
	if !p.compiling() {
		return text
	}
	if stage == 0 {
		return "compiling"
	}
	return "compiling, " + text
}

// brief is left in few words.
func (p *Progress) brief(now time.Time) string {
	if p.compiling() {
		return "compiling"
	}
	text, _, _ := strings.Cut(p.left(now), " (")
	return text
}

// rate is that of the part at hand, or of all where that is too new.
func (p *Progress) rate(now time.Time) string {
	if took, has := p.estimate.pace(); has && took.Unit > 0 {
		return perSecond(1 / took.Unit)
	}
	if p.estimate.done == 0 {
		return ""
	}
	return rate(p.estimate.done, now.Sub(p.started))
}

func suffix(note string) string {
	if note == "" {
		return ""
	}
	return ", " + note
}

func rate(done int, elapsed time.Duration) string {
	return perSecond(float64(done) / max(elapsed.Seconds(), 1e-3))
}

func perSecond(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.2f/s", rate)
	}
	return fmt.Sprintf("%.0f/s", rate)
}

// formatDuration writes a duration as people read it, such as 0.4s, 1m30s or 2h05m.
func formatDuration(d time.Duration) string {
	switch {
	case d > 0 && d < time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
