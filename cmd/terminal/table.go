package terminal

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// PrintTable aligns cells in columns. The last cell of a row doesn't widen its column.
func PrintTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:max(0, len(row)-1)] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			text.WriteString(cell)
			if i < len(row)-1 {
				text.WriteString(strings.Repeat(" ", widths[i]+2-utf8.RuneCountInString(cell)))
			}
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// OneLine joins the lines of an error of several parts.
func OneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }

// HasColours reports whether w is a terminal that may be given colours.
func HasColours(w io.Writer) bool {
	out, ok := w.(resultWriter)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return false
	}
	f, ok := out.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
