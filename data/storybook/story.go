// Package storybook reads stories and lays them out with a picture for each paragraph, as a web page in one file and as
// PDF.
package storybook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

const (
	maxBytes      = 1 << 20
	maxParagraphs = 500
	maxNesting    = 100
)

// Story is a text by its paragraphs. Title may be empty.
type Story struct {
	Title      string
	Paragraphs []Paragraph
}

// Paragraph is plain text in one line. Chapter is the heading right before it, empty where none is.
type Paragraph struct{ Chapter, Text string }

// Read reads a story from a file in UTF-8: Markdown where its name ends in .md or .markdown, otherwise plain text whose
// paragraphs are parted by empty lines. Of Markdown, a heading of level 1 at the start is the title, other headings are
// chapters; list items and quotations are paragraphs; pictures, code, tables and HTML are left out.
func Read(path string) (Story, error) {
	s, err := read(path)
	if err != nil {
		return Story{}, fmt.Errorf("read story %q: %w", path, err)
	}
	return s, nil
}

func read(path string) (Story, error) {
	f, _, err := files.Open(path)
	if err != nil {
		return Story{}, fault.Hint(err, "give a text file or a Markdown file")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return Story{}, fault.Usage(err, "name a file, not a folder")
	}
	return Parse(path, raw)
}

// Parse is Read for the bytes of the file called name.
func Parse(name string, raw []byte) (Story, error) {
	raw = bytes.TrimPrefix(raw, []byte("\uFEFF"))
	if len(raw) > maxBytes {
		return Story{}, fault.Usage(fmt.Errorf("more than %d bytes", maxBytes), "split the story into chapters")
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return Story{}, fault.Usage(errors.New("not a text in UTF-8"), "save the file as UTF-8")
	}
	parse := parsePlain
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".md" || ext == ".markdown" {
		parse = parseMarkdown
		if line := nested(raw); line > 0 {
			return Story{}, fault.Usage(fmt.Errorf("line %d nests more than %d quotes or lists", line, maxNesting),
				"write it with fewer of > and - at its beginning")
		}
	}
	s := parse(raw)
	switch n := len(s.Paragraphs); {
	case n == 0:
		return Story{}, fault.Usage(errors.New("no paragraph"), "write paragraphs with an empty line between them")
	case n > maxParagraphs:
		return Story{}, fault.Usage(fmt.Errorf("%d paragraphs", n), "a story has at most %d: split it", maxParagraphs)
	}
	return s, nil
}

func parsePlain(raw []byte) (s Story) {
	var lines []string
	end := func() {
		if joined := oneLine(strings.Join(lines, " ")); joined != "" {
			s.Paragraphs = append(s.Paragraphs, Paragraph{Text: joined})
		}
		lines = nil
	}
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line == "" {
			end()
			continue
		}
		lines = append(lines, line)
	}
	end()
	return s
}

// container matches the mark of a quote or of a list's entry at the beginning of a line.
var container = regexp.MustCompile(`^[ \t]*(>|[-+*][ \t]|[0-9]{1,9}[.)][ \t])`)

// nested returns the number of the first line that opens more than maxNesting quotes and lists, or 0. The parser's time
// grows with the square of their number.
func nested(raw []byte) int {
	number := 0
	for line := range bytes.Lines(raw) {
		number++
		for depth := 0; ; depth++ {
			mark := container.Find(line)
			if mark == nil {
				break
			}
			if depth == maxNesting {
				return number
			}
			line = line[len(mark):]
		}
	}
	return 0
}

func parseMarkdown(raw []byte) (s Story) {
	chapter := ""
	root := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Footnote)).Parser().Parse(text.NewReader(raw))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			heading := plain(n, raw)
			if n.Level == 1 && s.Title == "" && len(s.Paragraphs) == 0 && chapter == "" {
				s.Title = heading
			} else {
				chapter = heading
			}
			return ast.WalkSkipChildren, nil
		case *ast.Paragraph, *ast.TextBlock:
			if written := plain(n, raw); written != "" {
				s.Paragraphs = append(s.Paragraphs, Paragraph{chapter, written})
				chapter = ""
			}
			return ast.WalkSkipChildren, nil
		case *ast.CodeBlock, *ast.FencedCodeBlock, *ast.HTMLBlock, *extast.FootnoteList:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return s
}

// plain is the text of a node without marks.
func plain(n ast.Node, raw []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			value := n.Value(raw)
			if n.Parent().Kind() != ast.KindCodeSpan { // \* and &amp; stand for themselves in code only
				value = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(value)))
			}
			b.Write(value)
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(raw))
		case *ast.Image, *ast.RawHTML, *extast.FootnoteLink:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return oneLine(b.String())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Reduce returns as many of the first sentences of a text as fit, and what was left out: of a first sentence that does
// not fit, whole words, but one at least. Sentences end where Unicode's annex 29 says.
func Reduce(text string, fits func(string) bool) (kept, left string) {
	kept, left = grow("", text, fits, func(s string) (string, string) {
		first, rest, _ := uniseg.FirstSentenceInString(s, -1)
		return first, rest
	})
	if kept != "" {
		return kept, left
	}
	word := func(s string) (string, string) {
		if i := strings.IndexByte(s, ' '); i >= 0 {
			return s[:i+1], s[i+1:]
		}
		return s, ""
	}
	first, rest := word(text)
	return grow(first, rest, fits, word)
}

// grow adds parts to kept while it fits.
func grow(kept, text string, fits func(string) bool, next func(string) (part, rest string)) (string, string) {
	for text != "" {
		part, rest := next(text)
		if !fits(strings.TrimSpace(kept + part)) {
			break
		}
		kept, text = kept+part, rest
	}
	return strings.TrimSpace(kept), strings.TrimSpace(text)
}
