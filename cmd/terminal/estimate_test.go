package terminal

import (
	"testing"
	"time"

	"illustrator/internal/pace"
	"illustrator/models/host"
)

// TestEstimateOfStagesOfOtherSpeeds has a second stage that is ten times slower: the estimate must not take the rate of
// the first for it.
func TestEstimateOfStagesOfOtherSpeeds(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	known := map[string]pace.Pace{}
	e := estimate{
		parts:  []host.Part{{Name: "l1", Units: 1000, Kind: "fast"}, {Name: "all", Units: 100, Kind: "slow"}},
		later:  []host.Part{{Units: 10, Kind: "draw"}},
		recall: func(kind string) (pace.Pace, bool) { p, ok := known[kind]; return p, ok }, began: now,
	}
	check := func(what, stage, job string, has bool) {
		t.Helper()
		s, j, k := e.left(now)
		if s.words() != stage || j.words() != job || k != has {
			t.Errorf("%s: %s, %s, known %v; want %s, %s, %v", what, s.words(), j.words(), k, stage, job, has)
		}
	}
	pass := func(done int, d time.Duration) (host.Part, pace.Pace, bool) {
		now = now.Add(d)
		return e.set(done, now)
	}
	check("before the first step", "over 0s", "over 0s", false)
	pass(1, 5*time.Second) // compiles
	check("one step", "over 0s", "over 0s", false)
	for done := 2; done <= 500; done++ {
		pass(done, 10*time.Millisecond)
	}
	check("half of the first stage", "over 5s", "over 5s", true)

	known["slow"] = pace.Pace{Unit: 0.1, Before: 20}
	check("the second is known from the last run", "35s", "over 35s", true)
	known["draw"] = pace.Pace{Unit: 1, Before: 2}
	check("what follows is known too", "35s", "47s", true)

	for done := 501; done < 1000; done++ {
		pass(done, 10*time.Millisecond)
	}
	part, took, has := pass(1000, 10*time.Millisecond)
	if part.Kind != "fast" || !has || took.Unit < 0.0099 || took.Unit > 0.0101 || took.Before < 4.9 || took.Before > 5.1 {
		t.Errorf("pace of the first stage: %+v, %+v, %v", part, took, has)
	}
	now = now.Add(8 * time.Second)
	check("the second stage compiles", "22s", "34s", true)
	pass(1001, 12*time.Second)
	for done := 1002; done <= 1050; done++ {
		pass(done, 200*time.Millisecond) // slower than the last run
	}
	check("by its own rate", "10s", "22s", true)
	pass(1100, 10*time.Second)
	check("the end", "0s", "12s", true)
}

// TestEstimateOfStagesOfOneKind has a stage to come whose kind is that of the stage at hand, which tells its rate.
func TestEstimateOfStagesOfOneKind(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	e := estimate{parts: []host.Part{{Units: 10, Kind: "l1"}, {Units: 20, Kind: "l1"}}, began: now,
		later: []host.Part{{Kind: "l1"}, {Kind: "draw"}}, recall: func(string) (pace.Pace, bool) {
			return pace.Pace{Unit: 1, Before: 100}, true
		}}
	now = now.Add(time.Minute) // compiles
	for done := 1; done <= 6; done++ {
		now = now.Add(time.Second)
		e.set(done, now)
	}
	if left, job, known := e.left(now); left.words() != "24s" || job != left || !known {
		t.Errorf("%s left, %s in all, known %v", left.words(), job.words(), known)
	}
}

// TestEstimateOfResumedWork begins within the second stage.
func TestEstimateOfResumedWork(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	e := estimate{parts: []host.Part{{Units: 1000}, {Units: 100}}, began: now}
	for done := 1061; done <= 1080; done++ {
		now = now.Add(time.Second)
		e.set(done, now)
	}
	if left, _, known := e.left(now); left.words() != "20s" || !known {
		t.Errorf("%s left, known %v", left.words(), known)
	}
}
