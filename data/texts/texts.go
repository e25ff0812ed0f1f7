// Package texts reads the descriptions to draw, from lines, JSON, JSON Lines or tables, and makes file names of them.
package texts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

const (
	maxTextBytes  = 10_000   // of one text; CLIP sees about 70 words
	maxTextsBytes = 64 << 20 // of a file of texts
)

// Text is a description to draw. Kind and Attributes are labels that only evaluation looks at: Kind is a group such as
// "limited" or "open-world", Attributes gives the accepted values of each attribute that the text names.
//
// File names the picture that the text describes, for evaluation of a folder. Seed, Alpha and Style say how its picture
// is drawn, in place of the settings of all texts: the seed, α of eq. 3 and the cartoon style.
type Text struct {
	Text       string              `json:"text"`
	Kind       string              `json:"kind,omitempty"`
	Attributes map[string][]string `json:"attributes,omitempty"`
	File       string              `json:"file,omitempty"`
	Seed       *uint64             `json:"seed,omitempty"`
	Alpha      *float64            `json:"alpha,omitempty"`
	Style      string              `json:"style,omitempty"`
}

// Strings returns the texts without their settings.
func Strings(of []Text) []string {
	plain := make([]string, len(of))
	for i, t := range of {
		plain[i] = t.Text
	}
	return plain
}

// New returns the description in s, without the white space around it, or an error that says why s cannot be one.
func New(s string) (Text, error) {
	s = strings.TrimSpace(s)
	if err := checkText(s); err != nil {
		return Text{}, fault.Usage(err, `give a description, such as "a wizard with round glasses"`)
	}
	return Text{Text: s}, nil
}

// Read reads descriptions from a file in UTF-8, by the ending of its name: .json, .jsonl, .csv and .tsv as the
// functions for these forms say, otherwise one text a line. Blank lines, white space around texts and a byte-order mark
// are dropped; lines end as on Unix, Windows or old Macs. Errors name the file and the line or entry, counted from 1.
func Read(path string) ([]Text, error) {
	texts, err := readTexts(path)
	if err != nil {
		return nil, fmt.Errorf("read texts %q: %w", path, err)
	}
	return texts, nil
}

func readTexts(path string) ([]Text, error) {
	f, size, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxTextsBytes {
		return nil, fault.Usage(fmt.Errorf("%d bytes; at most %d are read", size, maxTextsBytes), "split the file")
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxTextsBytes))
	if err != nil {
		return nil, err
	}
	return parseTexts(path, raw)
}

// Parse is Read for the bytes of the file called name.
func Parse(name string, raw []byte) ([]Text, error) {
	texts, err := parseTexts(name, raw)
	if err != nil {
		return nil, fmt.Errorf("read texts %q: %w", name, err)
	}
	return texts, nil
}

func parseTexts(name string, raw []byte) ([]Text, error) {
	raw = bytes.TrimPrefix(raw, []byte("\uFEFF"))
	parse, err := form(name, raw)
	if err != nil {
		return nil, err
	}
	// Carriage returns end lines as line feeds do; JSON has none within its strings.
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	if err := checkEncoding(raw); err != nil {
		return nil, fault.Usage(err, "save the file as UTF-8")
	}
	texts, err := parse(raw)
	if err == nil && len(texts) == 0 {
		err = fault.Usage(errors.New("no texts"), "write one description a line")
	}
	return texts, err
}

// checkText refuses what cannot be a description.
func checkText(s string) error {
	switch {
	case s == "":
		return errors.New("the text is empty")
	case len(s) > maxTextBytes:
		return fmt.Errorf("the text has %d bytes; at most %d are read", len(s), maxTextBytes)
	case !utf8.ValidString(s):
		return errors.New("the text is not UTF-8")
	case strings.ContainsRune(s, 0):
		return errors.New("the text holds a NUL character")
	case !strings.ContainsFunc(s, isVisible):
		return fmt.Errorf("the text %+q has no visible character", s)
	}
	return nil
}

// isVisible leaves out white space, control characters, and marks of format such as the zero-width space.
func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) || unicode.Is(unicode.Co, r)
}

// checkEncoding refuses a file in another encoding than UTF-8.
func checkEncoding(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) ||
		bytes.IndexByte(raw[:min(len(raw), 4)], 0) >= 0 {
		return errors.New("the file is UTF-16 or UTF-32, not UTF-8")
	}
	if !utf8.Valid(raw) {
		return fmt.Errorf("line %d is not UTF-8", firstInvalidLine(raw))
	}
	return nil
}

func firstInvalidLine(raw []byte) int {
	valid := 0
	for valid < len(raw) {
		r, n := utf8.DecodeRune(raw[valid:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		valid += n
	}
	return 1 + bytes.Count(raw[:valid], []byte("\n"))
}
