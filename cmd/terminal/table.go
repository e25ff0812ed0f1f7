package terminal

import (
	"io"
	"os"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// PrintTable aligns cells in columns. The last cell of a row doesn't widen its column. On a terminal the table is
// fitted to its width: cells continue in further lines, and a table that is too wide even so becomes one of a line for
// each cell.
func PrintTable(w io.Writer, rows [][]string) error {
	rows = plainRows(rows)
	if columns := columnsOn(w); columns > 0 {
		rows = fitTable(rows, columns)
	}
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:max(0, len(row)-1)] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			text.WriteString(cell)
			if i < len(row)-1 {
				text.WriteString(strings.Repeat(" ", widths[i]+gap-uniseg.StringWidth(cell)))
			}
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// plainRows returns the rows with plain cells.
func plainRows(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			out[i] = append(out[i], plain(cell))
		}
	}
	return out
}

// gap is the number of spaces between two columns.
const gap = 2

// fitTable returns rows that take at most that many columns of a terminal.
func fitTable(rows [][]string, columns int) [][]string {
	widths, least := measure(rows)
	if len(widths) == 0 {
		return rows
	}
	room := columns - gap*(len(widths)-1)
	last := len(widths) - 1
	if len(widths) == 2 { // a name and a text, whose long words may be cut
		least[last] = min(least[last], max(10, room-widths[0]))
	}
	if sum(least) > room {
		if len(widths) > 2 {
			return fitTable(records(rows), columns)
		}
		return rows
	}
	for sum(widths) > room {
		widest := 0
		for i := range widths {
			if over := widths[i] - least[i]; over > 0 && (widths[widest] == least[widest] || widths[i] >= widths[widest]) {
				widest = i
			}
		}
		widths[widest]--
	}
	var fitted [][]string
	for _, row := range rows {
		fitted = append(fitted, foldRow(row, widths)...)
	}
	return fitted
}

// measure returns the widths of columns, and of their longest words. The last cell of a row with fewer cells than
// others takes the place of several.
func measure(rows [][]string) (widths, least []int) {
	count := 0
	for _, row := range rows {
		count = max(count, len(row))
	}
	widths, least = make([]int, count), make([]int, count)
	for _, row := range rows {
		for i, cell := range row {
			if i == len(row)-1 && len(row) < count {
				continue
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
			for _, word := range strings.Fields(cell) {
				least[i] = max(least[i], uniseg.StringWidth(word))
			}
		}
	}
	return widths, least
}

// foldRow folds the cells of a row into lines of the columns' widths.
func foldRow(row []string, widths []int) (lines [][]string) {
	for i, cell := range row {
		width := widths[i]
		if i == len(row)-1 {
			width = sum(widths[i:]) + gap*(len(widths)-1-i)
		}
		for at, part := range fold(cell, width) {
			for at >= len(lines) {
				lines = append(lines, make([]string, len(row)))
				if at > 0 && strings.HasPrefix(row[0], "#") { // a comment continues as one
					lines[at][0] = "#"
				}
			}
			if at == 0 || i > 0 || lines[at][0] == "" {
				lines[at][i] = part
			}
		}
	}
	if len(row) == 0 {
		return [][]string{nil}
	}
	return lines
}

// fold breaks a text into lines of at most that width, between words where that is possible.
func fold(text string, width int) []string {
	if uniseg.StringWidth(text) <= width {
		return []string{text}
	}
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		at := len(lines) - 1
		switch {
		case lines[at] == "":
			lines[at] = word
		case uniseg.StringWidth(lines[at])+1+uniseg.StringWidth(word) <= width:
			lines[at] += " " + word
		default:
			lines, at = append(lines, word), at+1
		}
		for uniseg.StringWidth(lines[at]) > width {
			head, tail := cut(lines[at], width)
			lines[at] = head
			lines, at = append(lines, tail), at+1
		}
	}
	return lines
}

// cut cuts a text behind the last character that ends within width, the first at least.
func cut(text string, width int) (head, tail string) {
	for rest, state := text, -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if head != "" && uniseg.StringWidth(head+cluster) > width {
			break
		}
		head += cluster
	}
	return head, text[len(head):]
}

// records turns a table with a header into one of two columns: a line for each cell, rows apart by an empty line.
func records(rows [][]string) (lines [][]string) {
	header := rows[0]
	for r, row := range rows[1:] {
		if r > 0 {
			lines = append(lines, nil)
		}
		for i, cell := range row {
			if i >= len(header) || cell == "" {
				continue
			}
			lines = append(lines, []string{header[i], cell})
		}
	}
	return lines
}

func sum(numbers []int) (n int) {
	for _, x := range numbers {
		n += x
	}
	return n
}

// PrintText prints a line of prose. On a terminal it is folded between words, without the marks of code in Markdown.
func PrintText(w io.Writer, line string) error {
	if columns := columnsOn(w); columns > 0 {
		line = strings.Join(fold(strings.ReplaceAll(line, "`", ""), columns), "\n")
	}
	_, err := io.WriteString(w, line+"\n")
	return err
}

// HasColours reports whether w is a terminal that may be given colours.
func HasColours(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && columnsOn(w) > 0 }

// Room returns the columns of a drawing of at most that many, with some beside it, that fit the terminal that w is.
func Room(w io.Writer, most, beside int) int {
	if columns := columnsOn(w); columns > 0 {
		return max(10, min(most, columns-beside))
	}
	return most
}

// columnsOn is the width of the terminal that w is, 0 where it is none.
func columnsOn(w io.Writer) int {
	out, ok := w.(resultWriter)
	if !ok {
		return 0
	}
	f, ok := out.w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	return columnsOf(f)
}
