package terminal

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"
)

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

// left says in words how long the stage takes still, and the job with what follows the stage.
func (p *Progress) left(now time.Time) string {
	stage, job, known := p.estimate.left(now)
	text, tells := "unknown time left", known && stage.exact || stage.Duration >= time.Second // "over 0.1s" says nothing
	if tells {
		text = stage.words() + " left"
		switch {
		case job.Round(time.Second) > stage.Round(time.Second):
			text += fmt.Sprintf(" (%s in all)", job.words())
		case job.exact != stage.exact:
			text += " (more follows)"
		}
	}
	if !p.compiling() {
		return text
	}
	if stage.Duration == 0 || !tells {
		return "compiling"
	}
	return "compiling, " + text
}

func (r remaining) words() string {
	if r.exact {
		return formatDuration(r.Duration)
	}
	return "over " + formatDuration(r.Duration)
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
