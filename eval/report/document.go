package report

import (
	"errors"
	"fmt"

	"illustrator/internal/files"
)

// Document is a report of one study. Texts of paragraphs, lists, findings, captions and notes may have `code` in them.
type Document struct {
	Title, Subtitle string
	// Facts say how the results came about: command, date, versions, device, time, seeds.
	Facts []Fact
	// Findings are the main results, a sentence each.
	Findings []string
	Sections []Section
}

// Fact is one line of how the results came about.
type Fact struct {
	Name, Value string
	Code        bool // the value is a command or the like
}

// Section is a part of a document with a heading of its own.
type Section struct {
	Heading string
	Blocks  []Block
	// Sections are the parts of this one. Those may have none of their own.
	Sections []Section
}

// WriteHTML writes the document to one file that needs no other.
func (d Document) WriteHTML(path string) error {
	content, err := d.HTML()
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return files.WriteFile(path, content, 0o666)
}

// validate returns an error unless all of the document can be shown.
func (d Document) validate() error {
	if d.Title == "" {
		return errors.New("the document has no title")
	}
	return validateSections(d.Sections, 0)
}

func validateSections(sections []Section, depth int) error {
	for i, s := range sections {
		if s.Heading == "" {
			return fmt.Errorf("section %d has no heading", i)
		}
		if depth > 1 {
			return fmt.Errorf("section %q is in a section of a section", s.Heading)
		}
		for at, block := range s.Blocks {
			if block == nil {
				return fmt.Errorf("section %q: block %d is nil", s.Heading, at)
			}
			if err := block.validate(); err != nil {
				return fmt.Errorf("section %q: %w", s.Heading, err)
			}
		}
		if err := validateSections(s.Sections, depth+1); err != nil {
			return fmt.Errorf("section %q: %w", s.Heading, err)
		}
	}
	return nil
}
