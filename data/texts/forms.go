package texts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// otherForms are the endings of files whose forms are not read: their lines are not descriptions.
var otherForms = []string{
	".yaml", ".yml", ".toml", ".xml", ".html", ".htm", ".md", ".rtf", ".pdf",
	".doc", ".docx", ".odt", ".ods", ".xls", ".xlsx",
	".parquet", ".arrow", ".pkl", ".pickle", ".pt", ".npy", ".npz", ".safetensors", ".zip", ".gz", ".tar", ".py",
}

const formsHint = "write one description a line (.txt), or a .json, .jsonl, .csv or .tsv file"

// form returns the reader for a file's form.
func form(name string, raw []byte) (func([]byte) ([]Text, error), error) {
	if err := files.CheckPointer(raw); err != nil {
		return nil, err
	}
	switch ending := strings.ToLower(filepath.Ext(name)); ending {
	case ".json":
		return readJSON, nil
	case ".jsonl", ".ndjson":
		return readJSONLines, nil
	case ".csv":
		return func(raw []byte) ([]Text, error) { return readTable(raw, csvRows) }, nil
	case ".tsv", ".tab":
		return func(raw []byte) ([]Text, error) { return readTable(raw, tsvRows) }, nil
	default:
		if slices.Contains(otherForms, ending) {
			return nil, fault.Usage(fmt.Errorf("files that end in %s are not read", ending), formsHint)
		}
	}
	first, _, _ := bytes.Cut(bytes.TrimSpace(raw), []byte("\n"))
	switch first = bytes.TrimSpace(first); {
	case isJSON(first) || isJSON(raw):
		return nil, fault.Usage(errors.New("its first line is JSON"),
			"name the file .json, or .jsonl if each line is an entry")
	case isMarkup(first):
		return nil, fault.Usage(errors.New("it is a web page or XML"), formsHint)
	case isHeader(first):
		return nil, fault.Usage(fmt.Errorf("its first line, %q, names a table's columns", first),
			"name the file .csv, or .tsv if tabs separate the columns")
	}
	return readLines, nil
}

// isMarkup reports whether a file that begins with line is XML or a web page, which servers send in place of a file.
func isMarkup(line []byte) bool {
	line = bytes.ToLower(line)
	return slices.ContainsFunc([]string{"<!doctype", "<html", "<?xml"},
		func(begin string) bool { return bytes.HasPrefix(line, []byte(begin)) })
}

// isHeader reports whether a line consists of several names of columns, that of texts among them.
func isHeader(line []byte) bool {
	names := slices.Concat(textNames, kindNames, fileNames, seedNames, alphaNames, styleNames, []string{"id", ""})
	for _, comma := range ",;\t" {
		header, err := csvReader(line, comma).Read()
		if at, _ := column(header, textNames); err != nil || at < 0 || len(header) < 2 {
			continue
		}
		return !slices.ContainsFunc(header, func(h string) bool {
			return !slices.Contains(names, strings.ToLower(strings.TrimSpace(h)))
		})
	}
	return false
}

// isJSON reports whether raw is a JSON object or list.
func isJSON(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && (raw[0] == '{' || raw[0] == '[') && json.Valid(raw)
}

// readLines reads one text a line.
func readLines(raw []byte) ([]Text, error) {
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
