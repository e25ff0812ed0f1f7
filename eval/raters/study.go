// Package raters has people judge pictures: it exports a study as static pages, reads the answers that raters send
// back, and measures win rates, strengths, and how far raters agree.
//
// An item is what one judgement is about: two systems' pictures of one text or, for ratings, one picture. A question
// shows a rater an item and asks about one aspect of it. study.json has all of it: the pages don't say which system
// drew a picture, nor which items are controls.
package raters

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// Ask says what raters are asked.
type Ask string

// Raters choose among two pictures, or rate one from 1 to 5.
const (
	Pairs   Ask = "pairs"
	Ratings Ask = "ratings"
)

// UnmarshalText reads a name.
func (a *Ask) UnmarshalText(text []byte) error {
	return fault.Choose(a, "question", text, Pairs, Ratings)
}

// MarshalText returns the name.
func (a Ask) MarshalText() ([]byte, error) { return []byte(a), nil }

// Aspect names a way to judge pictures.
type Aspect string

// The aspects: how well a picture shows its text, and how good it looks by itself.
const (
	Match   Aspect = "match"
	Quality Aspect = "quality"
)

// UnmarshalText reads a name.
func (a *Aspect) UnmarshalText(text []byte) error {
	return fault.Choose(a, "aspect", text, Match, Quality)
}

// Words is the aspect for people.
func (a Aspect) Words() string {
	if a == Match {
		return "match with the text"
	}
	return "quality"
}

// Study is study.json, the key to the answers.
type Study struct {
	ID      string   `json:"study"` // of all below
	Title   string   `json:"title"`
	Ask     Ask      `json:"ask"`
	Aspects []Aspect `json:"aspects"` // in the order of the questions
	Seed    uint64   `json:"seed"`
	Systems []string `json:"systems"`
	Texts   []string `json:"texts"`
	Items   []Item   `json:"items"`
	// Lists are the questions to each rater. Answers name a question by its place, counted from 1.
	Lists [][]Question `json:"lists"`
}

// Item holds the pictures of one judgement.
type Item struct {
	Text     int       `json:"text"`           // its place in Texts
	Copy     int       `json:"copy,omitempty"` // which of the text's pictures by each system
	Pictures []Picture `json:"pictures"`
	// Control is the aspect that the right answer is known of: the first of two pictures is better, a single one is bad.
	Control Aspect `json:"control,omitempty"`
}

// Picture is a system's picture.
type Picture struct {
	System int    `json:"system"` // its place in Systems
	Source string `json:"source"` // the file that it was read from
	File   string `json:"file"`   // its copy for raters
	// Mosaic says that the copy is spoiled: each of its squares has one colour.
	Mosaic bool `json:"mosaic,omitempty"`
}

// Question shows an item to a rater.
type Question struct {
	Item    int    `json:"item"` // its place in Items
	Aspect  Aspect `json:"aspect"`
	Swapped bool   `json:"swapped,omitempty"` // the item's second picture stands on the left
	Repeat  bool   `json:"repeat,omitempty"`  // the rater has answered it before, with the sides changed
}

// Names in a study's folder. Raters get the folder of pages and nothing else.
const (
	studyFile  = "study.json"
	pageFolder = "page"
	maxStudy   = 256 << 20 // bytes
)

// identify returns the study's ID.
func (s Study) identify() (string, error) {
	s.ID = ""
	text, err := json.Marshal(s)
	return checkpoints.SHA256(text)[:16], err
}

// ReadStudy reads the study in a folder that Export wrote.
func ReadStudy(folder string) (*Study, error) {
	path := filepath.Join(folder, studyFile)
	raw, err := files.ReadFile(path, maxStudy)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usage(fmt.Errorf("%q holds no study: %s is missing", folder, studyFile),
			"name the folder that the study was exported to")
	}
	if err != nil {
		return nil, err
	}
	s := new(Study)
	if err = jsonfile.Decode(raw, s); err == nil {
		err = s.validate()
	}
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("read %s: %w", path, err),
			"restore the file as it was exported: answers mean nothing without it")
	}
	return s, nil
}

// validate returns an error unless the study is as it was written.
func (s *Study) validate() error {
	id, err := s.identify()
	if err != nil {
		return err
	}
	if id != s.ID {
		return fmt.Errorf("the study is %q, and its content has %q: it was changed", s.ID, id)
	}
	return nil
}

// write writes the study into a folder, which must not hold another.
func (s *Study) write(folder string) error {
	return jsonfile.Write(filepath.Join(folder, studyFile), s)
}

// checkFolder returns an error if a folder holds another study.
func (s *Study) checkFolder(folder string) error {
	other, err := ReadStudy(folder)
	if err != nil || other.ID == s.ID {
		if fault.IsUsage(err) { // none is there
			err = nil
		}
		return err
	}
	return fault.WithCode(fault.Usage(
		fmt.Errorf("%q holds another study, %s: its answers could not be read without it", folder, other.ID),
		"name another folder, or remove that one"), FolderTaken)
}
