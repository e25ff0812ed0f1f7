package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"illustrator/internal/jsonfile"
)

var update = flag.Bool("update", false, "write the figures of figures.json into the documents")

// A measurement is one entry of figures.json: the command that measured, its conditions, and its results as texts.
type measurement struct {
	Command  string            `json:"command"`
	Date     string            `json:"date"`
	Commit   string            `json:"commit"`
	Machine  string            `json:"machine"`
	Versions string            `json:"versions"`
	Note     string            `json:"note"`
	Source   string            `json:"source"` // the output file that holds the exact values
	Figures  map[string]string `json:"figures"`
	Bench    []string          `json:"bench"` // or the cases of bench.json that hold all of these
	Table    *struct {
		Columns []string   `json:"columns"`
		Rows    [][]string `json:"rows"`
	} `json:"table"`
}

var (
	// A generated table stands between two comments: <!-- table NAME --> and <!-- end -->.
	generatedTable = regexp.MustCompile(`(?s)<!-- table ([\w-]+) -->\n(.*?)<!-- end -->`)
	// A quoted figure stands before its key: `98.6 %<!-- demo.attributes -->`, or `98.6 % (= demo.attributes)`
	// in YAML.
	quotedFigure = regexp.MustCompile(
		`(-?\d[\d.,]*(?: min(?: \d+ s)?| %| ×| ms| s| [GM]i?B)?)?(<!-- | \(= )([\w-]+\.[\w.-]+)( -->|\))`)
	// A percentage in the README or in the header of a configuration needs a key.
	unkeyed = regexp.MustCompile(`\d %([^< ]| [^(]|$)`)
)

// render returns a measurement's table in Markdown, and how it was measured.
func (m measurement) render() string {
	var b strings.Builder
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(m.Table.Columns)
	fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(m.Table.Columns)))
	for _, cells := range m.Table.Rows {
		row(cells)
	}
	fmt.Fprintf(&b, "\n`%s`, %s, %s, %s.", m.Command, m.Date, m.Machine, m.Versions)
	if m.Note != "" {
		b.WriteString(" " + m.Note)
	}
	return b.String() + "\n"
}

// figure returns the figure of a key: MEASUREMENT.NAME, or MEASUREMENT.ROW.COLUMN for a cell, both counted from 1.
func figure(all map[string]measurement, key string) (string, error) {
	name, of, _ := strings.Cut(key, ".")
	m, ok := all[name]
	if !ok {
		return "", fmt.Errorf("figures.json has no measurement %q", name)
	}
	if text, ok := m.Figures[of]; ok {
		return text, nil
	}
	first, second, _ := strings.Cut(of, ".")
	row, err := strconv.Atoi(first)
	column, err2 := strconv.Atoi(second)
	if err != nil || err2 != nil || m.Table == nil || row < 1 || row > len(m.Table.Rows) ||
		column < 1 || column > len(m.Table.Columns) {
		return "", fmt.Errorf("the measurement %q has no figure %q", name, of)
	}
	return m.Table.Rows[row-1][column-1], nil
}

// writeFigures returns a document's text with the figures of figures.json.
func writeFigures(all map[string]measurement, text string) (string, error) {
	var wrong error
	text = generatedTable.ReplaceAllStringFunc(text, func(block string) string {
		name := generatedTable.FindStringSubmatch(block)[1]
		m, ok := all[name]
		if !ok || m.Table == nil {
			wrong = fmt.Errorf("figures.json has no table %q", name)
			return block
		}
		return fmt.Sprintf("<!-- table %s -->\n%s<!-- end -->", name, m.render())
	})
	text = quotedFigure.ReplaceAllStringFunc(text, func(quote string) string {
		parts := quotedFigure.FindStringSubmatch(quote)
		want, err := figure(all, parts[3])
		if err == nil && parts[1] == "" {
			err = fmt.Errorf("no figure stands before the key %q", parts[3])
		}
		if err != nil {
			wrong = err
			return quote
		}
		return want + parts[2] + parts[3] + parts[4]
	})
	return text, wrong
}

func readFigures(t *testing.T) map[string]measurement {
	t.Helper()
	var all map[string]measurement
	if err := jsonfile.Decode([]byte(readText(t, "docs/figures.json")), &all); err != nil {
		t.Fatal(err)
	}
	var records map[string]benchRecord
	for name, m := range all {
		if m.Bench != nil {
			if records == nil {
				records = readBench(t, "bench.json")
			}
			if err := m.fill(records); err != nil {
				t.Errorf("figures.json: %s: %v", name, err)
			}
			all[name] = m
		}
		if m.Command == "" || m.Date == "" || m.Machine == "" || m.Versions == "" || len(m.Figures) == 0 && m.Table == nil {
			t.Errorf("figures.json: %s lacks its command, date, machine, versions or results", name)
		}
		for i := 0; m.Table != nil && i < len(m.Table.Rows); i++ {
			if len(m.Table.Rows[i]) != len(m.Table.Columns) {
				t.Errorf("figures.json: row %d of %s has %d cells, want %d", i+1, name, len(m.Table.Rows[i]), len(m.Table.Columns))
			}
		}
	}
	return all
}

// TestFigures compares the figures that documents quote with those of figures.json.
func TestFigures(t *testing.T) {
	all := readFigures(t)
	quoted := 0
	for _, path := range projectFiles(t) {
		config := strings.HasPrefix(path, "configs/") && filepath.Ext(path) == ".yaml"
		if filepath.Ext(path) != ".md" && !config {
			continue
		}
		text := readText(t, path)
		want, err := writeFigures(all, text)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		quoted += len(quotedFigure.FindAllString(text, -1)) + len(generatedTable.FindAllString(text, -1))
		if text != want && *update {
			if err := os.WriteFile(filepath.Join("..", path), []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if text != want {
			t.Errorf("%s quotes other figures than figures.json: run `make figures`", path)
		}
		for n, line := range strings.Split(generatedTable.ReplaceAllString(want, ""), "\n") {
			if (path == "README.md" || config && strings.HasPrefix(line, "#")) && unkeyed.MatchString(line) {
				t.Errorf("%s:%d: a percentage has no key of figures.json: %s", path, n+1, line)
			}
		}
	}
	if quoted < 20 {
		t.Errorf("%d figures are quoted: where are the others?", quoted)
	}
}

// The comparison sees a changed figure, a changed table, and keys without a figure.
func TestWriteFigures(t *testing.T) {
	raw := `{"demo": {"command": "make demo", "date": "today", "machine": "a machine", "versions": "v1",
		"figures": {"share": "98.6 %", "time": "7 min 26 s"}, "table": {"columns": ["a", "b"], "rows": [["c", "1 s"]]}}}`
	var all map[string]measurement
	if err := json.Unmarshal([]byte(raw), &all); err != nil {
		t.Fatal(err)
	}
	table := "| a | b |\n|---|---|\n| c | 1 s |\n\n`make demo`, today, a machine, v1.\n"
	for text, want := range map[string]string{
		"It finds 97.1 %<!-- demo.share -->.":            "It finds 98.6 %<!-- demo.share -->.",
		"# 97.1 % (= demo.share) in 3 min (= demo.time)": "# 98.6 % (= demo.share) in 7 min 26 s (= demo.time)",
		"2 s<!-- demo.1.2 -->":                           "1 s<!-- demo.1.2 -->",
		"<!-- table demo -->\nold\n<!-- end -->":         "<!-- table demo -->\n" + table + "<!-- end -->",
		"[a link](docs/x.md) and [losses.semantic=0]":    "[a link](docs/x.md) and [losses.semantic=0]",
	} {
		if got, err := writeFigures(all, text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"1 %<!-- demo.other -->", "1 %<!-- none.share -->", "a<!-- demo.share -->", "1 s<!-- demo.2.2 -->",
		"<!-- table none -->\n<!-- end -->",
	} {
		if _, err := writeFigures(all, text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	for text, wrong := range map[string]bool{
		"finds 97.1 % of": true, "97.1 %": true, "98.6 %<!-- demo.share -->": false, "98.6 % (= demo.share)": false,
	} {
		if unkeyed.MatchString(text) != wrong {
			t.Errorf("%q: a percentage without a key is %v", text, !wrong)
		}
	}
}
