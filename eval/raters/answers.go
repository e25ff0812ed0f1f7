package raters

import (
	"cmp"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

const maxAnswers = 64 << 20 // bytes of a file

// Choice is an answer to a question about two pictures.
type Choice string

// The choices.
const (
	Left  Choice = "left"
	Right Choice = "right"
	Tie   Choice = "tie"
)

// Answers is the file that a rater sends back.
type Answers struct {
	Study   string   `json:"study"`
	Rater   int      `json:"rater"` // counted from 1
	Name    string   `json:"name"`
	Answers []Answer `json:"answers"`
}

// Answer is that to one question, by its place in the rater's list, counted from 1: a choice, or a rating from 1 to 5.
type Answer struct {
	Question int     `json:"question"`
	Choice   Choice  `json:"choice,omitempty"`
	Rating   int     `json:"rating,omitempty"`
	Seconds  float64 `json:"seconds"`
}

const askAgain = "ask the rater to save the answers again, or leave the file out"

// ReadAnswers reads the answers of raters: files, and of folders all .json files. Each must be of the study, and of
// another rater.
func ReadAnswers(s *Study, paths ...string) ([]Answers, error) {
	list, err := answerFiles(paths)
	if err != nil {
		return nil, err
	}
	var all []Answers
	from := map[int]string{}
	for _, path := range list {
		a, err := readAnswers(s, path)
		if err != nil {
			return nil, fmt.Errorf("read answers %q: %w", path, err)
		}
		if other, known := from[a.Rater]; known {
			return nil, fault.Usage(fmt.Errorf("answers of rater %d are in %q and in %q", a.Rater, other, path),
				"keep one of the two: each page is for one rater")
		}
		from[a.Rater] = path
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Answers) int { return cmp.Compare(a.Rater, b.Rater) })
	return all, nil
}

// answerFiles lists files, and the .json files in folders but for the study's own.
func answerFiles(paths []string) (list []string, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			list = append(list, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		before := len(list)
		for _, e := range entries {
			if e.Type().IsRegular() && strings.EqualFold(filepath.Ext(e.Name()), ".json") && e.Name() != studyFile {
				list = append(list, filepath.Join(path, e.Name()))
			}
		}
		if len(list) == before {
			return nil, fault.Usage(fmt.Errorf("the folder %q holds no answers", path),
				"put the .json files of the raters there")
		}
	}
	if len(list) == 0 {
		return nil, fault.Usage(fs.ErrNotExist, "name the files that raters sent back, or a folder of them")
	}
	return list, nil
}

func readAnswers(s *Study, path string) (a Answers, err error) {
	raw, err := files.ReadFile(path, maxAnswers)
	if err != nil {
		return a, err
	}
	if err := jsonfile.Decode(raw, &a); err != nil {
		return a, fault.Usage(err, askAgain)
	}
	if err := a.validate(s); err != nil {
		return a, fault.Usage(err, "%s", cmp.Or(fault.HintOf(err), askAgain))
	}
	return a, nil
}

func (a Answers) validate(s *Study) error {
	if a.Study != s.ID {
		return fault.WithCode(fault.Usage(fmt.Errorf("study is %q, and these answers are read with study %q", a.Study, s.ID),
			"name the folder of their study"), OtherAnswers)
	}
	if a.Rater < 1 || a.Rater > len(s.Lists) {
		return fault.Field("rater", a.Rater, "from 1 to %d", len(s.Lists))
	}
	list := s.Lists[a.Rater-1]
	done := make([]bool, len(list))
	for i, answer := range a.Answers {
		at := fmt.Sprintf("answers[%d]: ", i)
		switch {
		case answer.Question < 1 || answer.Question > len(list):
			return fault.Field(at+"question", answer.Question, "from 1 to %d", len(list))
		case done[answer.Question-1]:
			return fmt.Errorf("%squestion %d is answered before", at, answer.Question)
		case !(answer.Seconds >= 0) || math.IsInf(answer.Seconds, 0):
			return fault.Field(at+"seconds", answer.Seconds, "0 or more")
		case s.Ask == Pairs && (!slices.Contains([]Choice{Left, Right, Tie}, answer.Choice) || answer.Rating != 0):
			return fault.Field(at+"choice", answer.Choice, `"left", "right" or "tie", and no rating`)
		case s.Ask == Ratings && (answer.Rating < 1 || answer.Rating > scale || answer.Choice != ""):
			return fault.Field(at+"rating", answer.Rating, "from 1 to %d, and no choice", scale)
		}
		done[answer.Question-1] = true
	}
	return nil
}

// scale is the highest rating.
const scale = 5

// first is the share of an item that its first picture wins: 1, 0, or 0.5 for a tie.
func (a Answer) first(q Question) float64 {
	switch {
	case a.Choice == Tie:
		return 0.5
	case (a.Choice == Left) != q.Swapped:
		return 1
	}
	return 0
}
