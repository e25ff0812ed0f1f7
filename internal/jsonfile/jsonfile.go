// Package jsonfile writes indented JSON, to a file under its final name at once, and reads JSON strictly.
package jsonfile

import (
	"bytes"
	"encoding/json"
	"io"

	"illustrator/internal/files"
)

// Print writes v to w.
func Print(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Write writes v to the file at path.
func Write(path string, v any) error {
	var text bytes.Buffer
	if err := Print(&text, v); err != nil {
		return err
	}
	return files.WriteFile(path, text.Bytes(), 0o666)
}
