package terminal

import (
	"time"

	"illustrator/internal/pace"
	"illustrator/models/host"
)

// recall returns the pace of a kind of work in earlier processes.
type recall func(kind string) (pace.Pace, bool)

// estimate tells how long a stage of several parts takes still: of the part at hand by its own rate since its first
// unit, of parts to come by the times of earlier processes.
type estimate struct {
	parts  []host.Part // of the stage
	later  []host.Part // of the job after the stage
	recall recall

	done  int // units of the stage
	part  int // the one at hand
	began time.Time
	// The first unit of the part that was seen, and the last: Before and Unit of its pace follow from them.
	first, last     int
	firstAt, lastAt time.Time
}

// set notes that done units of the stage are finished, and returns the pace of a part that ended by it, if one can be
// told.
func (e *estimate) set(done int, now time.Time) (ended host.Part, p pace.Pace, has bool) {
	if done < e.done {
		return
	}
	part, within := e.place(done)
	if part != e.part {
		ended = e.parts[e.part]
		p, has = e.pace()
		if e.done > 0 { // else the work resumes within a later part, which began with it
			e.began = now
		}
		e.part, e.first, e.last = part, 0, 0
		if within == 0 { // the last unit of the part before
			e.done = done
			return ended, p, has
		}
	}
	e.done = done
	if within == 0 {
		return
	}
	if e.first == 0 {
		e.first, e.firstAt = within, now
	}
	e.last, e.lastAt = within, now
	return ended, p, has
}

// place returns the part of the unit that follows after done ones, and the units of that part that are done. The last
// part stays at hand when all is done.
func (e *estimate) place(done int) (part, within int) {
	for part = range e.parts {
		if units := e.parts[part].Units; done >= units && part < len(e.parts)-1 {
			done -= units
			continue
		}
		return part, done
	}
	return 0, done
}

// pace is that of the part at hand, told after two of its units.
func (e *estimate) pace() (pace.Pace, bool) {
	if e.last <= e.first || e.first == 0 {
		return pace.Pace{}, false
	}
	unit := e.lastAt.Sub(e.firstAt).Seconds() / float64(e.last-e.first)
	before := e.firstAt.Sub(e.began).Seconds() - unit*float64(e.first)
	return pace.Pace{Unit: unit, Before: max(0, before)}, true
}

// remaining is the time that work takes still. It takes longer where exact is false: that of some parts is not known.
type remaining struct {
	time.Duration
	exact bool
}

// left returns what remains of the stage, and of the job. known is false where nothing can be said of the part at hand.
func (e *estimate) left(now time.Time) (stage, job remaining, known bool) {
	if len(e.parts) == 0 {
		return remaining{exact: true}, remaining{exact: true}, false
	}
	at := e.parts[e.part]
	_, within := e.place(e.done)
	rest := float64(at.Units - within)
	seconds := 0.0
	own, has := e.pace()
	if has {
		seconds, known = rest*own.Unit, true
	} else if p, recalled := e.recalled(at); recalled {
		seconds, known = rest*p.Unit, true
		if e.first == 0 {
			seconds += max(0, p.Before-now.Sub(e.began).Seconds())
		}
	} else if rest == 0 {
		known = true
	}
	exact := known
	sum := func(parts []host.Part) remaining {
		for _, p := range parts {
			if p.Units == 0 { // nor is anything compiled for it
				continue
			}
			if has && p.Kind != "" && p.Kind == at.Kind { // its program is compiled
				seconds += own.Unit * float64(p.Units)
			} else if took, recalled := e.recalled(p); recalled {
				seconds += took.Seconds(p.Units)
			} else {
				exact = false
			}
		}
		return remaining{time.Duration(seconds * float64(time.Second)), exact}
	}
	stage = sum(e.parts[e.part+1:])
	return stage, sum(e.later), known
}

func (e *estimate) recalled(p host.Part) (pace.Pace, bool) {
	if e.recall == nil || p.Kind == "" {
		return pace.Pace{}, false
	}
	return e.recall(p.Kind)
}
