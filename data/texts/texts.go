// Package texts reads the descriptions to draw, from lines or JSON, and makes file names of them.
package texts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
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
type Text struct {
	Text       string              `json:"text"`
	Kind       string              `json:"kind,omitempty"`
	Attributes map[string][]string `json:"attributes,omitempty"`
}

// New returns the description in s, without the white space around it, or an error that says why s cannot be one.
func New(s string) (Text, error) {
	s = strings.TrimSpace(s)
	if err := checkText(s); err != nil {
		return Text{}, fault.Usage(err, `give a description, such as "a wizard with round glasses"`)
	}
	return Text{Text: s}, nil
}

// Read reads descriptions from a file in UTF-8: a JSON list of {"text", "kind", "attributes"} where its name ends in
// .json (only "text" is required; another key is an error), otherwise one text a line. Blank lines, white space around
// texts and a byte-order mark are dropped. Errors name the file and the line or entry, both counted from 1.
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
	parse := textLines
	if strings.EqualFold(filepath.Ext(name), ".json") {
		parse = textEntries
	}
	texts, err := parse(raw)
	if err == nil && len(texts) == 0 {
		err = fault.Usage(errors.New("no texts"), "write one description a line")
	}
	return texts, err
}

// textLines reads one text a line.
func textLines(raw []byte) ([]Text, error) {
	var texts []Text
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, len(raw)+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if err := checkText(line); err != nil {
			return nil, fault.Usage(fmt.Errorf("line %d: %w", n, err), "write one description a line, in UTF-8")
		}
		texts = append(texts, Text{Text: line})
	}
	return texts, lines.Err()
}

// textEntries reads a JSON list of texts, entry by entry so that errors can name one.
func textEntries(raw []byte) ([]Text, error) {
	const hint = `write a JSON list such as [{"text": "a wizard", "attributes": {"beard": ["beard"]}}]`
	if !utf8.Valid(raw) {
		return nil, fault.Usage(fmt.Errorf("line %d is not UTF-8", firstInvalidLine(raw)), "save the file as UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, fault.Usage(errors.New("not a JSON list"), hint)
	}
	var texts []Text
	for n := 1; d.More(); n++ {
		var t Text
		err := d.Decode(&t)
		if err == nil {
			t.Text = strings.TrimSpace(t.Text)
			err = checkText(t.Text)
		}
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("entry %d: %w", n, err), hint)
		}
		texts = append(texts, t)
	}
	if _, err := d.Token(); err != nil {
		return nil, fault.Usage(fmt.Errorf("after entry %d: the list does not end: %w", len(texts), err), hint)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.Usage(fmt.Errorf("something follows the list of %d entries", len(texts)), hint)
	}
	return texts, nil
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
