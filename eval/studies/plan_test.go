package studies

import (
	"strings"
	"testing"
	"time"

	"illustrator/internal/pace"
	"illustrator/models/host"
)

// The time of cells to come is that of cells that are done, without what those compiled.
func TestMeanSeconds(t *testing.T) {
	first, second := cellInfo{Seconds: 70, Compiled: 60}, cellInfo{Seconds: 12}
	p := Plan{Cells: []Cell{{Done: true, Seconds: first.own()}, {Done: true, Seconds: second.own()}, {Seconds: 99}}}
	if mean, any := p.meanSeconds(); mean != 11 || !any {
		t.Errorf("a cell takes %v s, known: %v", mean, any)
	}
}

// Before the first cell the time is that of as many pictures in earlier processes, which compiled once.
func TestTimeByEarlierProcesses(t *testing.T) {
	s := openStudy(t, "limited", nil, Options{Seeds: []uint64{0, 1}})
	unknown, err := s.Plan()
	if err != nil || unknown.Known || unknown.Time != 0 {
		t.Errorf("%v, known: %v, %v", unknown.Time, unknown.Known, err)
	}
	s.env = host.Env{Pace: func(kind string) (pace.Pace, bool) {
		return pace.Pace{Unit: 0.5, Before: 10}, strings.HasPrefix(kind, "Judging pictures generator=")
	}}
	plan, err := s.Plan()
	want := time.Duration(plan.Pictures)*time.Second/2 + 10*time.Second
	if err != nil || !plan.Known || plan.Time != want {
		t.Errorf("%v, want %v; known: %v, %v", plan.Time, want, plan.Known, err)
	}
}
