//go:build linux || darwin

package terminal

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"

	"illustrator/internal/pace"
	"illustrator/models/host"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[a-zA-Z]")

// onTerminal returns what use prints on a terminal of that many columns.
func onTerminal(t *testing.T, columns int, use func(tty *os.File)) string {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminal here: ", err)
	}
	defer screen.Close()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	printed := make(chan []byte)
	go func() {
		var all bytes.Buffer
		_, _ = io.Copy(&all, screen) // ends with an error of the system's when tty is closed
		printed <- all.Bytes()
	}()
	use(tty)
	tty.Close()
	return string(<-printed)
}

// TestBarFitsTheTerminal reads each picture of the bar: it is one line, below the terminal's width.
func TestBarFitsTheTerminal(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		compiling := true
		out := onTerminal(t, columns, func(tty *os.File) {
			p := newStage(newConsole(tty), "Training", []host.Part{
				{Name: "l1", Units: 4000, Kind: "fast"}, {Name: "all losses", Units: 700, Kind: "slow"},
			}, nil, func(string) (pace.Pace, bool) { return pace.Pace{Unit: 123.4}, true })
			now := time.Now()
			p.now = func() time.Time { return now }
			p.compiling = func() bool { return compiling }
			for step := 1; step <= 4700; step += 100 {
				now = now.Add(time.Second)
				p.Set(step, "l1 0.711 semantic 0.234 regularization 0.123")
				compiling = step < 500
			}
			fmt.Fprintln(p.console, "saved best")
			p.Done()
		})
		if n := strings.Count(out, "\n"); n != 2 {
			t.Errorf("%d columns: %d lines were ended, not that of the log and the last: %q", columns, n, out)
		}
		shown := map[string]bool{}
		ends := func(r rune) bool { return r == '\r' || r == '\n' }
		for _, line := range strings.FieldsFunc(escapes.ReplaceAllString(out, ""), ends) {
			if width := uniseg.StringWidth(line); strings.Contains(line, "%") && width >= columns {
				t.Fatalf("%d columns: a line of %d: %q", columns, width, line)
			}
			for _, word := range []string{"compiling", "left", "Training l1", "Training all losses", "regularization"} {
				shown[word] = shown[word] || strings.Contains(line, "%") && strings.Contains(line, word)
			}
		}
		if !shown["compiling"] || !shown["left"] || columns > 40 && !shown["Training all losses"] ||
			shown["regularization"] != (columns == 200) {
			t.Errorf("%d columns: shown are %v", columns, shown)
		}
	}
}

// TestTablesFitTheTerminal prints a table 200 columns wide, one of names and texts, and prose.
func TestTablesFitTheTerminal(t *testing.T) {
	wide := [][]string{
		{
			"variant", "attribute_accuracy ↑", "attribute_accuracy (limited) ↑", "clip_similarity ↑",
			"r_precision_1_of_100 ↑", "z_std",
		},
	}
	for _, name := range []string{"L1", "L1 + semantic", "all losses, baseline network"} {
		row := []string{name}
		for range wide[0][1:] {
			row = append(row, "0.9812 [0.9712, 0.9912] (1)")
		}
		wide = append(wide, row)
	}
	facts := [][]string{
		{"# pairs", strings.Repeat("29744 to train on, ", 9)}, {"network", strings.Repeat("0123456789abcdef", 8)}, {},
		{"only one"},
	}
	for _, columns := range []int{40, 80, 200} {
		out := onTerminal(t, columns, func(tty *os.File) {
			w := resultWriter{tty}
			for _, rows := range [][][]string{wide, facts} {
				if err := PrintTable(w, rows); err != nil {
					t.Error(err)
				}
			}
			if room := Room(w, 72, 10); room != min(72, columns-10) {
				t.Errorf("%d columns have room for %d", columns, room)
			}
			const claim = "It holds: `attribute_accuracy` of \"all losses\" is higher than that of all other variants here."
			if err := PrintText(w, claim); err != nil {
				t.Error(err)
			}
		})
		for _, line := range strings.Split(strings.ReplaceAll(out, "\r", ""), "\n") {
			if width := uniseg.StringWidth(line); width > columns {
				t.Errorf("%d columns: a line of %d: %q", columns, width, line)
			}
		}
		if n := strings.Count(out, "0.9812"); n != 15 || strings.Contains(out, "`") || strings.Count(out, "baseline") != 1 {
			t.Errorf("%d columns: %d of 15 figures in\n%s", columns, n, out)
		}
		if columns == 80 {
			t.Log("\n" + out)
		}
	}
}

// TestHelpFitsTheTerminal prints the help of a command on a terminal of 60 columns, and into a pipe.
func TestHelpFitsTheTerminal(t *testing.T) {
	const long = "Draws one picture for each text and seed, with a JSON beside it, and a summary of how well they match."
	print := func(w io.Writer) {
		opts := NewOptions("illustrator", w, io.Discard)
		root := func() *cobra.Command {
			return &cobra.Command{Use: "illustrator", Long: long, Run: func(*cobra.Command, []string) {}}
		}
		if err := opts.Execute(t.Context(), root, []string{"--help"}); err != nil {
			t.Error(err)
		}
	}
	out := onTerminal(t, 60, func(tty *os.File) { print(resultWriter{tty}) })
	for line := range strings.SplitSeq(strings.ReplaceAll(out, "\r", ""), "\n") {
		if width := uniseg.StringWidth(line); width > 60 {
			t.Errorf("a line of %d: %q", width, line)
		}
	}
	var piped bytes.Buffer
	print(&piped)
	if !strings.Contains(out, "Draws one picture") || !strings.Contains(piped.String(), long) {
		t.Errorf("on the terminal %q, piped %q", out, piped.String())
	}
}
