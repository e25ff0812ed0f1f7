package report

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// latexEscapes has what LaTeX reads as commands, and what its fonts lack.
var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`, "~",
	`\textasciitilde{}`,
	"^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`, `"`, "''",
	"\n", " ", "\r", " ",
	"↑", `$\uparrow$`, "↓", `$\downarrow$`, "→", `$\to$`, "×", `$\times$`, "±", `$\pm$`, "−", `$-$`, "≤", `$\leq$`, "≥",
	`$\geq$`, "≠", `$\neq$`, "≈", `$\approx$`,
	"†", `\textdagger{}`, "‡", `\textdaggerdbl{}`, "–", "--", "—", "---", "…", `\dots{}`, "·", `$\cdot$`,
	"α", `$\alpha$`, "β", `$\beta$`, "λ", `$\lambda$`, "ψ", `$\psi$`, "σ", `$\sigma$`, "μ", `$\mu$`, "Δ", `$\Delta$`,
)

var latexAligns = map[Align]string{Left: "l", Center: "c", Right: "r"}

// latex writes a table for the package booktabs. Intervals are ± where all of a column are as far below their values as
// above, to the decimals that are printed, and in brackets otherwise. They stand beside their values, or, where more
// than two columns have some, below them.
func (t Table) latex() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	escape := latexEscapes.Replace
	line(`%% needs \usepackage{booktabs}`)
	line(`\begin{table}`)
	line(`  \centering\small\setlength{\tabcolsep}{4pt}`)
	if t.Caption != "" {
		line(`  \caption{%s}`, escape(t.Caption))
	}
	if t.Name != "" {
		line(`  \label{tab:%s}`, labelOf(t.Name))
	}
	var aligns string
	var header []string
	for _, c := range t.shown() {
		aligns += latexAligns[t.align(c)]
		header = append(header, escape(t.Columns[c].title()))
	}
	line(`  \begin{tabular}{@{}%s@{}}`, aligns)
	line(`    \toprule`)
	line(`    %s \\`, strings.Join(header, " & "))
	line(`    \midrule`)
	for i, row := range t.Rows {
		if row.Rule && i > 0 {
			line(`    \midrule`)
		}
		for _, part := range t.latexRow(row) {
			line("    %s", part)
		}
	}
	line(`    \bottomrule`)
	line(`  \end{tabular}`)
	for i, n := range t.notes() {
		space := ""
		if i == 0 {
			space = `\smallskip`
		}
		line(`  \par%s{\footnotesize %s}`, space, join(" ", raised(n.Mark), escape(n.Text)))
	}
	line(`\end{table}`)
	return b.Bytes()
}

// latexRow is the lines of a row: a second one for intervals that stand below their values.
func (t Table) latexRow(row Row) []string {
	below := t.intervals() > 2
	var values, intervals []string
	for _, c := range t.shown() {
		value, interval := t.latexCell(c, row.Cells[c])
		if interval != "" && !below {
			value += " " + interval
		}
		values, intervals = append(values, value+raised(row.Cells[c].Mark)), append(intervals, interval)
	}
	if !below || strings.Join(intervals, "") == "" {
		return []string{strings.Join(values, " & ") + ` \\`}
	}
	return []string{strings.Join(values, " & ") + ` \\[-0.4ex]`, strings.Join(intervals, " & ") + ` \\`}
}

// intervals counts the shown columns with intervals.
func (t Table) intervals() (n int) {
	for _, c := range t.shown() {
		if slices.ContainsFunc(t.Rows, func(r Row) bool {
			return r.Cells[c].Number != nil &&
				r.Cells[c].Number.Interval != nil
		}) {
			n++
		}
	}
	return n
}

func (t Table) latexCell(column int, cell Cell) (value, interval string) {
	p := t.parts(column, cell)
	value, interval = latexEscapes.Replace(p.value), latexEscapes.Replace(p.interval)
	if cell.Number != nil {
		value = strings.Replace(value, "-", `$-$`, 1)
		interval = strings.ReplaceAll(interval, "-", `$-$`)
	}
	if strings.HasPrefix(value, "[") {
		value = "{}" + value // after a line's end a bracket would be an option
	}
	if cell.Best {
		value = `\textbf{` + value + `}`
	}
	if half, even := t.half(column, cell); even {
		interval = `$\pm$ ` + half
	}
	if interval != "" {
		interval = `{\scriptsize ` + interval + `}`
	}
	return value, interval
}

func raised(mark string) string {
	if mark == "" {
		return ""
	}
	return `\textsuperscript{` + latexEscapes.Replace(mark) + `}`
}

// half is half an interval's width, if all intervals of the column have their values in the middle.
func (t Table) half(column int, cell Cell) (half string, even bool) {
	if cell.Number == nil || cell.Number.Interval == nil {
		return "", false
	}
	for _, row := range t.Rows {
		n := row.Cells[column].Number
		if n == nil || n.Interval == nil {
			continue
		}
		decimals := t.decimals(column, &row.Cells[column])
		below, above := n.Value-n.Interval.Low, n.Interval.High-n.Value
		if math.Abs(below-above) > 1.001*math.Pow(10, -float64(decimals)) {
			return "", false
		}
	}
	at := cell.Number.Interval
	return decimal(max(cell.Number.Value-at.Low, at.High-cell.Number.Value), t.decimals(column, &cell)), true
}

// labelOf keeps of a name what a label of LaTeX and of HTML may have.
func labelOf(name string) string {
	kept := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return cmp.Or(strings.Join(kept, "-"), "x")
}
