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
	if err := checkSurrogates(raw); err != nil {
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

// checkSurrogates refuses escapes of half a character, which would be read as U+FFFD.
func checkSurrogates(raw []byte) error {
	at := jsonfile.LoneSurrogate(raw)
	if at < 0 {
		return nil
	}
	return fault.Usage(
		fmt.Errorf("line %d: %s is half of a character", 1+bytes.Count(raw[:at], []byte("\n")), raw[at:at+6]),
		`write the character itself, in UTF-8, or both halves, such as \ud83d\ude00`)
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
	if err := checkSurrogates(raw); err != nil {
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

func readOwn(raw []byte, t *Text) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
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
	get := func(names []string) (value string) {
		for _, name := range names {
			for _, key := range slices.Sorted(maps.Keys(fields)) {
				if strings.ToLower(key) != name {
					continue
				}
				if json.Unmarshal(fields[key], &value) != nil {
					value = string(fields[key]) // a number
				}
				return strings.TrimSpace(value)
			}
		}
		return ""
	}
	if t.Text = get(textNames); t.Text == "" {
		return t, fmt.Errorf("the text is empty: no key is %s", strings.Join(textNames, ", "))
	}
	t.Kind, t.File, t.Style = get(kindNames), get(fileNames), get(styleNames)
	return t, t.number(get(seedNames), get(alphaNames))
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
		for _, caption := range captions {
			texts = append(texts, Text{Text: caption, File: file})
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

// captionsOf reads a caption, a list of them, or an entry.
func captionsOf(value []byte) (captions []string, err error) {
	if bytes.HasPrefix(value, []byte("[")) {
		err = json.Unmarshal(value, &captions)
	} else {
		var t Text
		if t, err = readEntry(value); err == nil {
			captions = []string{t.Text}
		}
	}
	if err != nil {
		return nil, wrongType(err)
	}
	for i := range captions {
		captions[i] = strings.TrimSpace(captions[i])
		if err := checkText(captions[i]); err != nil {
			return nil, err
		}
	}
	return captions, nil
}

func (c coco) texts() ([]Text, error) {
	files := map[int64]string{}
	for _, image := range c.Images {
		files[image.ID] = image.FileName
	}
	texts := make([]Text, len(c.Annotations))
	for i, a := range c.Annotations {
		texts[i] = Text{Text: strings.TrimSpace(a.Caption), File: files[a.ImageID]}
		if err := checkText(texts[i].Text); err != nil {
			return nil, fault.Usage(fmt.Errorf("annotation %d: %w", i+1, err), "give every annotation a caption")
		}
	}
	return texts, nil
}
