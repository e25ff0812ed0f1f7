package texts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

const jsonHint = `write a JSON list such as [{"text": "a red ball", "attributes": {"color": ["red"]}}], or of strings`

// readJSON reads a list of entries, a map {"file": "caption"} or {"file": ["caption", …]}, or COCO's captions.
func readJSON(raw []byte) ([]Text, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	trimmed := bytes.TrimSpace(raw)
	switch {
	case bytes.HasPrefix(trimmed, []byte("[")):
		return readList(raw)
	case bytes.HasPrefix(trimmed, []byte("{")):
		return readMap(raw)
	}
	return nil, fault.Usage(errors.New("not a JSON list"), jsonHint)
}

// checkJSON refuses what encoding/json would read without a word: half of a character as U+FFFD, and of the values of a
// repeated key the last.
func checkJSON(raw []byte) error {
	line := func(at int) int { return 1 + bytes.Count(raw[:at], []byte("\n")) }
	if at := jsonfile.LoneSurrogate(raw); at >= 0 {
		return fault.Usage(fmt.Errorf("line %d: %s is half of a character", line(at), raw[at:at+6]),
			`write the character itself, in UTF-8, or both halves, such as \ud83d\ude00`)
	}
	if key, at, ok := jsonfile.RepeatedKey(raw); ok {
		return fault.Usage(fmt.Errorf("line %d: the key %q occurs twice", line(at), key),
			"give each key once; several captions of a picture are a list")
	}
	return nil
}

// readList reads a list entry by entry, so that errors can name one.
func readList(raw []byte) ([]Text, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, fault.Usage(err, jsonHint)
	}
	var texts []Text
	for n := 1; d.More(); n++ {
		var entry json.RawMessage
		err := d.Decode(&entry)
		if err == nil {
			var t Text
			if t, err = readEntry(entry); err == nil {
				texts = append(texts, t)
				continue
			}
		}
		return nil, fault.Usage(fmt.Errorf("entry %d: %w", n, err), jsonHint)
	}
	if _, err := d.Token(); err != nil {
		return nil, fault.Usage(fmt.Errorf("after entry %d: the list does not end: %w", len(texts), err), jsonHint)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.Usage(fmt.Errorf("something follows the list of %d entries", len(texts)), jsonHint)
	}
	return texts, nil
}

// readJSONLines reads an entry a line.
func readJSONLines(raw []byte) ([]Text, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	var texts []Text
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, len(raw)+1)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		t, err := readEntry(line)
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("line %d: %w", n, err),
				`write an entry a line, such as {"text": "a wizard"} or "a wizard"`)
		}
		texts = append(texts, t)
	}
	return texts, lines.Err()
}

// readEntry reads a string, or an object. An object with the key "text" has the keys of Text and no others. One that
// names its text otherwise comes from elsewhere: its other keys are ignored.
func readEntry(raw []byte) (t Text, err error) {
	if bytes.HasPrefix(raw, []byte(`"`)) {
		err = json.Unmarshal(raw, &t.Text)
		t.Text = strings.TrimSpace(t.Text)
		return t, errors.Join(err, checkText(t.Text))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return t, fmt.Errorf("it is %.40s; expected an object or a string", raw)
	}
	if err := checkCase(fields); err != nil {
		return t, err
	}
	if _, own := fields["text"]; own {
		err = readOwn(raw, &t)
	} else {
		t, err = readForeign(fields)
	}
	if err != nil {
		return t, err
	}
	t.Text = strings.TrimSpace(t.Text)
	if t.Alpha != nil && (math.IsNaN(*t.Alpha) || math.IsInf(*t.Alpha, 0)) {
		return t, fmt.Errorf("alpha is %g", *t.Alpha)
	}
	return t, checkText(t.Text)
}

// checkCase refuses keys that differ in case only, as only one of them would be read.
func checkCase(fields map[string]json.RawMessage) error {
	lower := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if other, twice := lower[strings.ToLower(key)]; twice {
			return fmt.Errorf("the keys %q and %q are the same", other, key)
		}
		lower[strings.ToLower(key)] = key
	}
	return nil
}

func readOwn(raw []byte, t *Text) error {
	if err := jsonfile.Decode(raw, t); err != nil {
		return wrongType(err)
	}
	return nil
}

// wrongType words an error of encoding/json without the names of Go.
func wrongType(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%q is a %s, which does not fit", kind.Field, kind.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// readForeign reads an entry by the names that others give their keys.
func readForeign(fields map[string]json.RawMessage) (t Text, err error) {
	var seed, alpha string
	for _, f := range []struct {
		names []string
		value *string
	}{{textNames, &t.Text}, {kindNames, &t.Kind}, {fileNames, &t.File}, {styleNames, &t.Style}, {seedNames, &seed},
		{alphaNames, &alpha}} {
		if *f.value, err = field(fields, f.names); err != nil {
			return t, err
		}
	}
	if t.Text == "" {
		return t, fmt.Errorf("the text is empty: no key is %s", strings.Join(textNames, ", "))
	}
	return t, t.number(seed, alpha)
}

// field returns the value of the first of the names that fields has in any case, a string or a number, or "".
func field(fields map[string]json.RawMessage, names []string) (string, error) {
	for _, name := range names {
		for key, raw := range fields {
			if strings.ToLower(key) != name {
				continue
			}
			var value any
			d := json.NewDecoder(bytes.NewReader(raw))
			d.UseNumber()
			if err := d.Decode(&value); err != nil {
				return "", err
			}
			switch value := value.(type) {
			case nil:
				return "", nil
			case string:
				return strings.TrimSpace(value), nil
			case json.Number:
				return value.String(), nil
			}
			return "", fmt.Errorf("%q is %.40s; expected a string or a number", key, raw)
		}
	}
	return "", nil
}

// coco is the form of COCO's captions.
type coco struct {
	Images []struct {
		ID       int64  `json:"id"`
		FileName string `json:"file_name"`
	} `json:"images"`
	Annotations []struct {
		ImageID int64  `json:"image_id"`
		Caption string `json:"caption"`
	} `json:"annotations"`
}

// readMap reads COCO's captions, or a map from files to captions in the order of the file.
func readMap(raw []byte) ([]Text, error) {
	var c coco
	if json.Unmarshal(raw, &c) == nil && len(c.Annotations) > 0 {
		return c.texts()
	}
	const hint = `write {"file.png": "a wizard", …}, or a list such as [{"text": "a wizard"}]`
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, fault.Usage(err, hint)
	}
	var texts []Text
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fault.Usage(err, hint)
		}
		file := fmt.Sprint(key)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fault.Usage(fmt.Errorf("%q: %w", file, err), hint)
		}
		captions, err := captionsOf(value)
		if err == nil && slices.Contains(textNames, strings.ToLower(file)) {
			err = errors.New("it is one entry")
		}
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("%q: %w", file, err), hint)
		}
		for _, t := range captions {
			t.File = file
			texts = append(texts, t)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fault.Usage(fmt.Errorf("after %d texts: the map does not end: %w", len(texts), err), hint)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.Usage(fmt.Errorf("something follows the map of %d texts", len(texts)), hint)
	}
	return texts, nil
}

// captionsOf reads an entry, or a list of them.
func captionsOf(value []byte) (captions []Text, err error) {
	entries := []json.RawMessage{value}
	if bytes.HasPrefix(value, []byte("[")) {
		if err := json.Unmarshal(value, &entries); err != nil {
			return nil, wrongType(err)
		}
	}
	for _, e := range entries {
		t, err := readEntry(e)
		if err != nil {
			return nil, err
		}
		captions = append(captions, t)
	}
	return captions, nil
}

func (c coco) texts() ([]Text, error) {
	files := map[int64]string{}
	for _, image := range c.Images {
		if _, twice := files[image.ID]; twice {
			return nil, fault.Usage(fmt.Errorf("two images have the id %d", image.ID), "give each image an id of its own")
		}
		files[image.ID] = image.FileName
	}
	texts := make([]Text, len(c.Annotations))
	for i, a := range c.Annotations {
		file, known := files[a.ImageID]
		if !known && len(files) > 0 {
			return nil, fault.Usage(fmt.Errorf("annotation %d: image_id %d is the id of no image", i+1, a.ImageID),
				"list the image in images")
		}
		texts[i] = Text{Text: strings.TrimSpace(a.Caption), File: file}
		if err := checkText(texts[i].Text); err != nil {
			return nil, fault.Usage(fmt.Errorf("annotation %d: %w", i+1, err), "give every annotation a caption")
		}
	}
	return texts, nil
}
