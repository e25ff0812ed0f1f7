package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"illustrator/eval/metrics"
)

func interval(low, high float64) *metrics.Interval { return &metrics.Interval{Low: low, High: high} }

// small has a best and a failed number, a mark, a column of data and characters that all formats escape.
func small() Table {
	t := Table{
		Name: "Loss terms", Caption: "L1 & L2",
		Columns: []Column{
			{Header: "losses", Key: "variant"},
			{Header: "accuracy", Key: "accuracy", Better: metrics.Higher},
			{Header: "FID", Better: metrics.Lower},
			{Header: "p", DataOnly: true},
		},
		Rows: []Row{
			{Cells: []Cell{Text("l1_only|*"), Measured(0.5, interval(0.45, 0.55)).Marked("†"), Measured(12.345, nil),
				Text("0.04")}},
			{Cells: []Cell{Text("50 % <b>"), Measured(0.625, interval(0.575, 0.675)), Failed("too\nfew"), Text("")}},
			{Cells: []Cell{Text("real"), Measured(0.9, nil), Measured(-0.5, nil), Text("")}, Rule: true, Reference: true},
		},
		Notes: []Note{{Mark: "†", Text: "p < 0.05"}},
	}
	t.MarkBest()
	return t
}

func TestFormats(t *testing.T) {
	for format, want := range map[string]string{
		".md": `L1 & L2

| losses | accuracy ↑ | FID ↓ |
| --- | ---: | ---: |
| l1\_only\|\* | 0.500 [0.450, 0.550] † | 12.3450 |
| 50 % &lt;b&gt; | **0.625** [0.575, 0.675] | – |
| real | 0.900 | -0.5000 |

† p &lt; 0.05

not measured: 50 % &lt;b&gt;, FID: too few
`,
		".csv": `variant,accuracy,accuracy_low,accuracy_high,FID,FID_low,FID_high,p,failure
l1_only|*,0.5,0.45,0.55,12.345,,,0.04,
50 % <b>,0.625,0.575,0.675,,,,,"too
few"
real,0.9,,,-0.5,,,,
`,
		".tex": `% needs \usepackage{booktabs}
\begin{table}
  \centering\small\setlength{\tabcolsep}{4pt}
  \caption{L1 \& L2}
  \label{tab:loss-terms}
  \begin{tabular}{@{}lrr@{}}
    \toprule
    losses & accuracy $\uparrow$ & FID $\downarrow$ \\
    \midrule
    l1\_only\textbar{}* & 0.500 {\scriptsize $\pm$ 0.050}\textsuperscript{\textdagger{}} & 12.3450 \\
    50 \% \textless{}b\textgreater{} & \textbf{0.625} {\scriptsize $\pm$ 0.050} & -- \\
    \midrule
    real & 0.900 & $-$0.5000 \\
    \bottomrule
  \end{tabular}
  \par\smallskip{\footnotesize \textsuperscript{\textdagger{}} p \textless{} 0.05}
  \par{\footnotesize not measured: 50 \% \textless{}b\textgreater{}, FID: too few}
\end{table}
`,
	} {
		path := filepath.Join(t.TempDir(), "table"+strings.ToUpper(format))
		if err := small().Write(path); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s, %v:\n%s\nwant\n%s", format, err, got, want)
		}
	}
	if _, err := small().Encode(".xls"); err == nil || !strings.Contains(err.Error(), `".xls"`) {
		t.Errorf("a format that there is not: %v", err)
	}
}

func TestJSONHoldsTheTable(t *testing.T) {
	content, err := small().Encode(".json")
	if err != nil {
		t.Fatal(err)
	}
	var back Table
	if err := json.Unmarshal(content, &back); err != nil || !reflect.DeepEqual(back, small()) {
		t.Errorf("%v:\n%s", err, content)
	}
}

func TestPlainRows(t *testing.T) {
	table := small()
	table.Notes = append(table.Notes, Note{Text: "the best is bold", Styled: true})
	rows, notes, err := table.Plain()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"l1_only|*", "0.500 [0.450, 0.550] †", "12.3450"}; !reflect.DeepEqual(rows[1], want) ||
		len(rows) != 4 {
		t.Errorf("rows %q", rows)
	}
	if want := []string{"† p < 0.05", "not measured: 50 % <b>, FID: too few"}; !reflect.DeepEqual(notes, want) {
		t.Errorf("notes %q", notes)
	}
}

func TestLaTeXBracketsUnevenIntervals(t *testing.T) {
	table := small()
	table.Rows[0].Cells[1].Number.Interval.Low = -0.4
	table.Rows[0].Cells[0].Text = "[a]"
	content, err := table.Encode(".tex")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{}[a] & 0.500 {\scriptsize [$-$0.400, 0.550]}`,
		`\textbf{0.625} {\scriptsize [0.575, 0.675]}`} {
		if !strings.Contains(string(content), want) {
			t.Errorf("no %q in\n%s", want, content)
		}
	}
}

// TestLaTeXStacksManyIntervals has three columns of them: too wide for a page side by side.
func TestLaTeXStacksManyIntervals(t *testing.T) {
	table := Table{Columns: []Column{{Header: "a"}, {Header: "b"}, {Header: "c"}, {Header: "d"}}}
	for i := range 2 {
		n := Measured(1, interval(0.5, 2))
		table.Rows = append(table.Rows, Row{Cells: []Cell{Text("x"), n.Marked("*"), n, n}})
		if i == 1 {
			table.Rows[i].Cells = []Cell{Text("y"), Failed("z"), Failed("z"), Failed("z")}
		}
	}
	content, err := table.Encode(".tex")
	if err != nil {
		t.Fatal(err)
	}
	const at = `{\scriptsize [0.50, 2.00]}`
	want := "    x & 1.00\\textsuperscript{*} & 1.00 & 1.00 \\\\[-0.4ex]\n     & " + at + " & " + at + " & " + at +
		" \\\\\n    y & -- & -- & -- \\\\\n"
	if !strings.Contains(string(content), want) {
		t.Errorf("no %q in\n%s", want, content)
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		number Number
		value  string
		at     string
	}{
		{Number{Value: 0.51234}, "0.5123", ""},
		{Number{Value: 1234.5}, "1234", ""},
		{Number{Value: 0}, "0", ""},
		{Number{Value: 1e-9}, "0.000000", ""},
		{Number{Value: 0.31234, Interval: interval(0.29, 0.33)}, "0.312", "[0.290, 0.330]"},
		{Number{Value: 41.72, Interval: interval(39.31, 44.6)}, "41.7", "[39.3, 44.6]"},
		{Number{Value: 1, Interval: interval(1, 1)}, "1.000", "[1.000, 1.000]"},
		{Number{Value: -0.0001, Interval: interval(-0.05, 0.05)}, "0.000", "[-0.050, 0.050]"},
		{Number{Value: 5000, Interval: interval(4000, 6000)}, "5000", "[4000, 6000]"},
	} {
		if value, at := c.number.Format(c.number.Decimals()); value != c.value || at != c.at {
			t.Errorf("%g: %s %s, want %s %s", c.number.Value, value, at, c.value, c.at)
		}
	}
	column := Table{Columns: []Column{{Header: "a"}, {Header: "b", Mixed: true}}}
	for _, n := range []Number{{3, interval(2, 4)}, {0.5, interval(0.4, 0.6)}, {1, interval(1, 1)}} {
		column.Rows = append(column.Rows, Row{Cells: []Cell{{Number: &n}, {Number: &n}}})
	}
	rows, _, err := column.Plain()
	if want := [][]string{{"a", "b"}, {"3.00 [2.00, 4.00]", "3.0 [2.0, 4.0]"}, {"0.50 [0.40, 0.60]", "0.50 [0.40, 0.60]"},
		{"1.00 [1.00, 1.00]", "1.000 [1.000, 1.000]"}}; err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%v: %q, want %q", err, rows, want)
	}
}

func TestMarkBest(t *testing.T) {
	best := func(better metrics.Better, values ...float64) (marked []bool) {
		table := Table{Columns: []Column{{Header: "m", Better: better}}}
		for i, v := range values {
			table.Rows = append(table.Rows, Row{Cells: []Cell{Measured(v, interval(v-0.05, v+0.05))}, Reference: i == 3})
		}
		table.MarkBest()
		for _, row := range table.Rows {
			marked = append(marked, row.Cells[0].Best)
		}
		return marked
	}
	for _, c := range []struct {
		got, want []bool
	}{
		{best(metrics.Higher, 1, 3, 2, 9), []bool{false, true, false, false}},
		{best(metrics.Lower, 1, 3, 2, -9), []bool{true, false, false, false}},
		{best(metrics.Higher, 2.0001, 2.0002, 1), []bool{true, true, false}}, // printed alike
		{best("", 1, 2), []bool{false, false}},
		{best(metrics.Higher, 1), []bool{false}},
		{best(metrics.Lower, 2, 2.0001), []bool{false, false}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("best %v, want %v", c.got, c.want)
		}
	}
}

func TestNumberedNotes(t *testing.T) {
	table := Table{Notes: []Note{{Mark: "*", Text: "significant"}}}
	for i, want := range []string{"(1)", "(2)", "(1)", ""} {
		if got := table.Numbered([]string{"few", "flatters", "few", ""}[i]); got != want {
			t.Errorf("note %d has the mark %q, want %q", i, got, want)
		}
	}
	if len(table.Notes) != 3 {
		t.Errorf("notes %v", table.Notes)
	}
}

func TestTablesThatCannotBeWritten(t *testing.T) {
	cell := func(c Cell) Table {
		return Table{Name: "t", Columns: []Column{{Header: "h"}}, Rows: []Row{{Cells: []Cell{c}}}}
	}
	for want, table := range map[string]Table{
		`table "t" has no columns`:       {Name: "t", Columns: []Column{{Header: "p", DataOnly: true}}},
		"row 0 has 0 cells":              {Name: "t", Columns: []Column{{Header: "h"}}, Rows: []Row{{}}},
		`column "h": the number is NaN`:  cell(Measured(math.NaN(), nil)),
		"the number is +Inf":             cell(Measured(1, interval(0, math.Inf(1)))),
		"the interval is from 2 to 1":    cell(Measured(1, interval(2, 1))),
		"more than one of":               cell(Cell{Text: "a", Failed: "b"}),
		`"h" has the alignment "middle"`: {Name: "t", Columns: []Column{{Header: "h", Align: "middle"}}},
	} {
		for _, format := range formats {
			if _, err := table.Encode(format); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", format, err, want)
			}
		}
	}
}
