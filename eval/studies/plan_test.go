package studies

import "testing"

// The time of cells to come is that of cells that are done, without what those compiled.
func TestMeanSeconds(t *testing.T) {
	first, second := cellInfo{Seconds: 70, Compiled: 60}, cellInfo{Seconds: 12}
	p := Plan{Cells: []Cell{{Done: true, Seconds: first.own()}, {Done: true, Seconds: second.own()}, {Seconds: 99}}}
	if mean, any := p.meanSeconds(); mean != 11 || !any {
		t.Errorf("a cell takes %v s, known: %v", mean, any)
	}
}
