package texts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"illustrator/internal/fault"
)

// The names of columns and of keys, in lower case, in the order in which they are looked for: those of PartiPrompts
// (Prompt, Category), DrawBench (Prompts, Category), GenEval (prompt, tag), COCO (caption, file_name) and others.
var (
	textNames  = []string{"text", "prompt", "prompts", "caption", "captions", "description", "sentence"}
	kindNames  = []string{"kind", "category", "tag"}
	fileNames  = []string{"file", "file_name", "filename", "image", "image_path", "path"}
	seedNames  = []string{"seed"}
	alphaNames = []string{"alpha", "α"}
	styleNames = []string{"style", "cartoon"}
)

// row is a line of a table.
type row struct {
	line   int
	fields []string
}

// readTable reads a table whose first line names the columns. A column of texts is required; those of kind, file, seed,
// alpha and style are read, others are not.
func readTable(raw []byte, rows func([]byte) ([]row, error)) ([]Text, error) {
	lines, err := rows(raw)
	if err != nil {
		return nil, fault.Usage(err, "save the table again with its first line naming the columns")
	}
	if len(lines) == 0 {
		return nil, nil
	}
	header := lines[0].fields
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
	}
	at := func(names []string) int {
		for _, name := range names {
			for i, column := range header {
				if column == name {
					return i
				}
			}
		}
		return -1
	}
	if at(textNames) < 0 {
		return nil, fault.Usage(fmt.Errorf("the first line names no column of texts: its columns are %q", header),
			"name the column of texts %s", strings.Join(textNames, ", "))
	}
	var texts []Text
	for _, l := range lines[1:] {
		get := func(names []string) string {
			if i := at(names); i >= 0 && i < len(l.fields) {
				return strings.TrimSpace(l.fields[i])
			}
			return ""
		}
		t := Text{Text: get(textNames), Kind: get(kindNames), File: get(fileNames), Style: get(styleNames)}
		if err := t.number(get(seedNames), get(alphaNames)); err != nil {
			return nil, fault.Usage(fmt.Errorf("line %d: %w", l.line, err),
				"write seeds as whole numbers from 0 on, and alphas such as 1.75")
		}
		if err := checkText(t.Text); err != nil {
			return nil, fault.Usage(fmt.Errorf("line %d: %w", l.line, err), "give every line a text")
		}
		texts = append(texts, t)
	}
	return texts, nil
}

// number reads seed and alpha, which may be empty.
func (t *Text) number(seed, alpha string) error {
	if seed != "" {
		v, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			return fmt.Errorf("seed is %q", seed)
		}
		t.Seed = &v
	}
	if alpha != "" {
		v, err := strconv.ParseFloat(alpha, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("alpha is %q", alpha)
		}
		t.Alpha = &v
	}
	return nil
}

// csvRows splits a table by commas, or by semicolons if its first line has no comma.
func csvRows(raw []byte) ([]row, error) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	if first, _, _ := bytes.Cut(raw, []byte("\n")); !bytes.ContainsRune(first, ',') && bytes.ContainsRune(first, ';') {
		r.Comma = ';'
	}
	var rows []row
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if len(fields) > 1 || strings.TrimSpace(fields[0]) != "" {
			rows = append(rows, row{line, fields})
		}
	}
}

// tsvRows splits a table by tabs. A field in quotes loses them; others may hold quotes, as PartiPrompts' do.
func tsvRows(raw []byte) ([]row, error) {
	var rows []row
	for i, line := range strings.Split(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		for k, f := range fields {
			if inner, ok := strings.CutPrefix(f, `"`); ok && len(f) > 1 && strings.HasSuffix(f, `"`) {
				inner = strings.TrimSuffix(inner, `"`)
				if plain := strings.ReplaceAll(inner, `""`, ""); !strings.Contains(plain, `"`) {
					fields[k] = strings.ReplaceAll(inner, `""`, `"`)
				}
			}
		}
		rows = append(rows, row{i + 1, fields})
	}
	return rows, nil
}
