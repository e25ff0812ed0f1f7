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
		return nil, fault.Usage(err, `close the quotes of every field, and write a field that holds some as "a ""red"" hat"`)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	c, err := columnsOf(lines[0].fields)
	if err != nil {
		return nil, err
	}
	var texts []Text
	for _, l := range lines[1:] {
		for i, f := range l.fields {
			if i >= c.count && strings.TrimSpace(f) != "" {
				return nil, fault.Usage(
					fmt.Errorf("line %d has %d fields; the first line names %d", l.line, len(l.fields), c.count),
					"write a field that holds a separator in quotes")
			}
		}
		t := Text{Text: l.at(c.text), Kind: l.at(c.kind), File: l.at(c.file), Style: l.at(c.style)}
		if err := t.number(l.at(c.seed), l.at(c.alpha)); err != nil {
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

// columns are the numbers of a table's columns that are read; -1 is absent.
type columns struct{ text, kind, file, seed, alpha, style, count int }

// columnsOf finds the columns that a first line names.
func columnsOf(header []string) (c columns, err error) {
	c.count = len(header)
	for _, f := range []struct {
		names []string
		at    *int
	}{{textNames, &c.text}, {kindNames, &c.kind}, {fileNames, &c.file},
		{seedNames, &c.seed}, {alphaNames, &c.alpha}, {styleNames, &c.style}} {
		if *f.at, err = column(header, f.names); err != nil {
			return c, err
		}
	}
	if c.text < 0 {
		return c, fault.Usage(fmt.Errorf("the first line names no column of texts: its columns are %q", header),
			"name the column of texts %s", strings.Join(textNames, ", "))
	}
	return c, nil
}

// column returns the number of the column with the first of the names that there is, or -1.
func column(header, names []string) (int, error) {
	for _, name := range names {
		at := -1
		for i, h := range header {
			switch {
			case strings.ToLower(strings.TrimSpace(h)) != name:
			case at >= 0:
				return -1, fault.Usage(fmt.Errorf("columns %d and %d are both named %q", at+1, i+1, name), "rename one of them")
			default:
				at = i
			}
		}
		if at >= 0 {
			return at, nil
		}
	}
	return -1, nil
}

// at returns the field of a column, or "".
func (r row) at(column int) string {
	if column < 0 || column >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[column])
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

// csvRows splits a table by commas, or by semicolons or tabs if these make its first line name a column of texts.
func csvRows(raw []byte) ([]row, error) {
	r := csvReader(raw, separator(raw))
	var rows []row
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, quoteError(err)
		}
		line, _ := r.FieldPos(0)
		if len(fields) > 1 || strings.TrimSpace(fields[0]) != "" {
			rows = append(rows, row{line, fields})
		}
	}
}

func csvReader(raw []byte, comma rune) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord = comma, -1
	return r
}

func separator(raw []byte) rune {
	for _, c := range ",;\t" {
		header, err := csvReader(raw, c).Read()
		if at, _ := column(header, textNames); err == nil && at >= 0 {
			return c
		}
	}
	return ','
}

// quoteError words an error of encoding/csv with the line on which the faulty field begins.
func quoteError(err error) error {
	var wrong *csv.ParseError
	switch {
	case !errors.As(err, &wrong):
		return err
	case errors.Is(err, csv.ErrBareQuote):
		return fmt.Errorf("line %d, column %d: a quote within a field that has no quotes around it", wrong.Line, wrong.Column)
	case errors.Is(err, csv.ErrQuote):
		return fmt.Errorf("line %d: a field's quotes are not closed, or something follows them", wrong.StartLine)
	}
	return err
}

// tsvRows splits a table by tabs. A field in quotes loses them; others may hold quotes, as PartiPrompts' do. A field
// does not go over lines.
func tsvRows(raw []byte) ([]row, error) {
	var rows []row
	for i, line := range strings.Split(string(raw), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		for k, f := range fields {
			if strings.HasPrefix(f, `"`) && strings.Count(f, `"`)%2 == 1 {
				return nil, fmt.Errorf("line %d: field %d opens a quote and does not close it", i+1, k+1)
			}
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
