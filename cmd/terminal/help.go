package terminal

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// helpColumns is the width that help texts are written for.
const helpColumns = 120

// foldedHelp has the help of root and the commands below it fold to the width of the terminal it is printed on.
func foldedHelp(root *cobra.Command) {
	print := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		columns := columnsOn(cmd.OutOrStdout())
		if columns == 0 || columns >= helpColumns {
			print(cmd, args)
			return
		}
		out := cmd.OutOrStdout()
		var text strings.Builder
		cmd.SetOut(&text)
		print(cmd, args)
		cmd.SetOut(out)
		cmd.Print(foldHelp(text.String(), columns))
	})
}

// entry is a line of a list in a help text: spaces, a name, two spaces or more, what it means.
var entry = regexp.MustCompile(`^( +\S+(?: \S+)* {2,})(\S.*)$`)

// foldHelp folds a help text into lines of at most that many columns. Lines of a paragraph are joined, a list's
// meanings stay below each other. Examples stay as they are, to be copied.
func foldHelp(text string, columns int) string {
	var folded []string
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		i++
		if line == "Examples:" {
			for folded = append(folded, line); i < len(lines) && lines[i] != ""; i++ {
				folded = append(folded, lines[i])
			}
			continue
		}
		head := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if parts := entry.FindStringSubmatch(line); parts != nil {
			head, line = parts[1], parts[2]
		}
		for ; i < len(lines) && line != "" && continues(lines[i], len(head)); i++ {
			line += " " + strings.TrimSpace(lines[i])
		}
		folded = append(folded, hang(head, strings.TrimSpace(line), columns)...)
	}
	return strings.Join(folded, "\n") + "\n"
}

// continues reports whether a line belongs to the text before it, which began at that column.
func continues(line string, column int) bool {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	return strings.TrimSpace(line) != "" && indent == column && (column == 0 || column > 2)
}

// hang folds a text behind a head; a head that takes half of the columns stands in a line of its own.
func hang(head, text string, columns int) (lines []string) {
	indent := len(head)
	if name := strings.TrimSpace(head); name == "" {
		indent = len(head) + len(head)/2
	} else if len(head) > columns/2 {
		lines, head, indent = append(lines, strings.TrimRight(head, " ")), strings.Repeat(" ", 8), 8
	}
	for i, part := range fold(text, max(20, columns-indent)) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		lines = append(lines, strings.TrimRight(head+part, " "))
	}
	return lines
}
