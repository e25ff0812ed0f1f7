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
	if first, _, _ := bytes.Cut(bytes.TrimSpace(raw), []byte("\n")); isJSON(first) || isJSON(raw) {
		return nil, fault.Usage(errors.New("its first line is JSON"),
			"name the file .json, or .jsonl if each line is an entry")
	}
	return readLines, nil
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
