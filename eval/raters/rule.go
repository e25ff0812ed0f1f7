package raters

import (
	"fmt"
	"math"
	"slices"
)

// Rule says which raters are rejected: those with a smaller share of right controls, or of consistent repeats, than it
// asks for, and those who answered none of the controls.
type Rule struct {
	MinControls float64 `json:"min_controls"`
	MinRepeats  float64 `json:"min_repeats"`
}

// DefaultRule takes four of five controls, which who guesses rarely gets right, and few repeats: between pictures that
// are equally good a careful rater is as inconsistent as a coin, but who always takes one side never is consistent.
func DefaultRule() Rule { return Rule{MinControls: 0.8, MinRepeats: 0.3} }

func (r Rule) validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{{"min-controls", r.MinControls}, {"min-repeats", r.MinRepeats}} {
		if !(f.value >= 0 && f.value <= 1) {
			return invalid(f.name, f.value, "from 0 to 1")
		}
	}
	return nil
}

// String states the rule.
func (r Rule) String() string {
	return fmt.Sprintf("a rater is rejected who answers fewer than %.3g %% of the controls right, or fewer than %.3g %% "+
		"of the repeated questions as before; a tie counts half", 100*r.MinControls, 100*r.MinRepeats)
}

// Rater says how a rater answered.
type Rater struct {
	Rater    int    `json:"rater"`
	Name     string `json:"name"`
	Asked    int    `json:"asked"`
	Answered int    `json:"answered"`
	// Controls and Repeats are those that were answered; Right and Consistent count ties as halves.
	Controls   int     `json:"controls"`
	Right      float64 `json:"right"`
	Repeats    int     `json:"repeats"`
	Consistent float64 `json:"consistent"`
	// LeftShare is the share of choices of two pictures, without ties, that were the left one; nil without any.
	LeftShare *float64 `json:"left_share,omitempty"`
	Seconds   float64  `json:"seconds"`            // for an answer: the median
	Rejected  string   `json:"rejected,omitempty"` // why the answers don't count
}

// judge counts a rater's controls and repeats, and applies the rule.
func (r Rule) judge(s *Study, a Answers) Rater {
	list := s.Lists[a.Rater-1]
	of := Rater{Rater: a.Rater, Name: a.Name, Asked: len(list), Answered: len(a.Answers)}
	type key struct {
		item   int
		aspect Aspect
	}
	before := map[key]Answer{}
	for _, answer := range a.Answers {
		if q := list[answer.Question-1]; !q.Repeat {
			before[key{q.Item, q.Aspect}] = answer
		}
	}
	questions := map[key]Question{}
	for _, q := range list {
		if !q.Repeat {
			questions[key{q.Item, q.Aspect}] = q
		}
	}
	var seconds []float64
	left, sided := 0.0, 0.0
	for _, answer := range a.Answers {
		q := list[answer.Question-1]
		at := key{q.Item, q.Aspect}
		seconds = append(seconds, answer.Seconds)
		if answer.Choice == Left || answer.Choice == Right {
			sided++
			if answer.Choice == Left {
				left++
			}
		}
		if s.Items[q.Item].Control != "" {
			of.Controls++
			of.Right += s.right(q, answer)
		}
		if earlier, ok := before[at]; q.Repeat && ok {
			of.Repeats++
			of.Consistent += s.consistent(earlier, questions[at], answer, q)
		}
	}
	if sided > 0 {
		share := left / sided
		of.LeftShare = &share
	}
	of.Seconds = median(seconds)
	of.Rejected = r.reject(of, slices.ContainsFunc(list, func(q Question) bool { return s.Items[q.Item].Control != "" }))
	return of
}

// right returns 1 for a control's right answer, 0.5 for a tie. A single picture of a control is bad: 1 or 2 are right.
func (s *Study) right(q Question, a Answer) float64 {
	if s.Ask == Pairs {
		return a.first(q)
	}
	if a.Rating < (scale+1)/2 {
		return 1
	}
	return 0
}

// consistent returns 1 for the same answer as before, 0 for another, and 0.5 where one of two is a tie. Ratings may
// differ by 1.
func (s *Study) consistent(before Answer, beforeQ Question, after Answer, afterQ Question) float64 {
	if s.Ask == Pairs {
		return 1 - math.Abs(before.first(beforeQ)-after.first(afterQ))
	}
	if d := before.Rating - after.Rating; d >= -1 && d <= 1 {
		return 1
	}
	return 0
}

func (r Rule) reject(of Rater, controlled bool) string {
	switch {
	case of.Answered == 0:
		return "no question is answered"
	case controlled && r.MinControls > 0 && of.Controls == 0:
		return "no control is answered"
	case of.Right < r.MinControls*float64(of.Controls):
		return fmt.Sprintf("%.3g of %d controls are right", of.Right, of.Controls)
	case of.Consistent < r.MinRepeats*float64(of.Repeats):
		return fmt.Sprintf("%.3g of %d repeats are consistent", of.Consistent, of.Repeats)
	}
	return ""
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
