// Package docs_test checks the project's texts: their words, and the figures that they quote.
package docs_test

import (
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const maxColumns = 120

// A phrase is a wording that the project avoids, with the wording to use.
type phrase struct {
	pattern *regexp.Regexp
	instead string
}

// phrases are avoided in all texts.
var phrases = []phrase{
	{regexp.MustCompile(`(?i)\banew\b`), `"again", or name the action ("recompile")`},
	{regexp.MustCompile(`(?i)\bwithout sense\b`), `"invalid"`},
	{regexp.MustCompile(`(?i)\b(is|are|was|were) told of\b`), `say who reports it`},
	{regexp.MustCompile(`(?i)\bcomes? twice\b`), `"is duplicated", "occurs twice"`},
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), `"repair", "fix"`},
	{regexp.MustCompile(`(?i)\b(goes|went) on\b|\b(go|going) on (from|with|after|where)\b`), `"continues", "resumes"`},
	{regexp.MustCompile(`(?i)\bso many\b`), `"N", "the number of"`},
	{regexp.MustCompile(`(?i)\bwants? to know who asks\b`), `"requires authentication"`},
	{regexp.MustCompile(`(?i)\bis no [a-z]+\b`), `"is not a …"; "no … exists"`},
	{regexp.MustCompile(`(?i)\bby now\b`), `"now", "already", "since"`},
	{regexp.MustCompile(`(^[^a-z]*|[.:;!?|] +)What (is|was|does|are|were|has) `), `a noun as the subject`},
}

// docComments are avoided where a Go comment begins.
var docComments = phrase{
	regexp.MustCompile(`^// *\w+ (is|are) (what|how|where|who|whose|whether)\b`),
	`a verb: "X returns …", "X holds …"`,
}

// participles are avoided as names in Go.
var participles = []string{"anew", "answered", "asked", "brought", "drawn", "found", "told"}

// A finding is a place in a file that breaks a rule.
type finding struct {
	line int
	text string
}

func (p phrase) find(line int, text string) []finding {
	if match := p.pattern.FindString(text); match != "" {
		return []finding{{line, fmt.Sprintf("%q: use %s", strings.TrimSpace(match), p.instead)}}
	}
	return nil
}

// checkWords returns the findings in a text. In Go code it checks comments, strings, names and the length of lines.
func checkWords(path, text string) []finding {
	if filepath.Ext(path) == ".go" {
		return checkGo(text)
	}
	var findings []finding
	for n, line := range strings.Split(text, "\n") {
		findings = append(findings, checkPhrases(n+1, line)...)
	}
	return findings
}

func checkPhrases(line int, text string) []finding {
	var findings []finding
	for _, p := range phrases {
		findings = append(findings, p.find(line, text)...)
	}
	return findings
}

func checkGo(text string) []finding {
	var findings []finding
	for n, line := range strings.Split(text, "\n") {
		if columns := utf8.RuneCountInString(line); columns > maxColumns {
			findings = append(findings, finding{n + 1, fmt.Sprintf("%d columns: at most %d", columns, maxColumns)})
		}
	}
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, scanner.ScanComments)
	for previous := 0; ; {
		pos, tok, literal := s.Scan()
		line := file.Line(pos)
		switch tok {
		case token.EOF:
			return findings
		case token.COMMENT:
			if previous != line-1 { // a comment begins here
				findings = append(findings, docComments.find(line, literal)...)
			}
			previous = line
			fallthrough
		case token.STRING:
			for n, part := range strings.Split(strings.TrimLeft(literal, "/*\"` "), "\n") {
				findings = append(findings, checkPhrases(line+n, part)...)
			}
		case token.IDENT:
			if slices.Contains(participles, literal) {
				findings = append(findings, finding{line, fmt.Sprintf("name %q: use a noun or a verb", literal)})
			}
		}
	}
}

// Each rule finds what it is for, and nothing in plain text.
func TestWordRules(t *testing.T) {
	for text, wrong := range map[string]bool{
		"It draws the picture anew.":               true,
		"the first field without sense":            true,
		"The user is told of it.":                  true,
		"The name comes twice.":                    true,
		"the command that mends it":                true,
		"It goes on from the checkpoint.":          true,
		"The same command goes on after Ctrl-C.":   true,
		"Draw so many candidates.":                 true,
		"It wants to know who asks.":               true,
		"There is no file.":                        true,
		"The file is another one by now.":          true,
		"What is done is not done again.":          true,
		"Ready. What was judged stays.":            true,
		"Re-running skips completed steps.":        false,
		"The server goes online; see what is new.": false,
	} {
		if got := checkWords("a.md", text); (len(got) > 0) != wrong {
			t.Errorf("%q: %v", text, got)
		}
	}
	for code, wrong := range map[string]bool{
		"// Path is where it lies.\nvar Path string": true,
		"var a = 1 // what is new":                   false,
		"// Path names the folder.\nvar Path string": false,
		`var hint = "draw it anew"`:                  true,
		"var anew = 1":                               true,
		"var renew = 1":                              false,
		"// " + strings.Repeat("a", maxColumns):      true,
		"// " + strings.Repeat("α", maxColumns-3):    false,
	} {
		if got := checkWords("a.go", "package a\n\n"+code+"\n"); (len(got) > 0) != wrong {
			t.Errorf("%q: %v", code, got)
		}
	}
}

// TestWords checks the words of the project's texts: Go code, documents, configuration, the page, scripts.
func TestWords(t *testing.T) {
	extensions := []string{".go", ".md", ".yaml", ".yml", ".html", ".js", ".css", ".py"}
	checked := 0
	for _, path := range projectFiles(t) {
		if !slices.Contains(extensions, filepath.Ext(path)) && filepath.Base(path) != "Makefile" {
			continue
		}
		for _, f := range checkWords(path, readText(t, path)) {
			t.Errorf("%s:%d: %s", path, f.line, f.text)
		}
		checked++
	}
	if checked < 50 {
		t.Errorf("%d files were checked: where are the others?", checked)
	}
}

// notOurs lists files that others wrote, and the rules of words themselves.
var notOurs = []string{"internal/browser/axe.min.js", "docs/words_test.go"}

// projectFiles returns the paths of the project's files from its root, without hidden folders and outputs.
func projectFiles(t *testing.T) []string {
	t.Helper()
	outputs := []string{"runs", "out", "pairs", "ablations", "dist"}
	var paths []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, entry fs.DirEntry, err error) error {
		switch hidden := len(path) > 1 && strings.HasPrefix(entry.Name(), ".") && path != ".github"; {
		case err != nil:
			return err
		case entry.IsDir() && (hidden || slices.Contains(outputs, path)):
			return fs.SkipDir
		case entry.Type().IsRegular() && !slices.Contains(notOurs, path):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// readText returns the text of a file of the project.
func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLinks finds each file that a document links to.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	links := 0
	for _, path := range projectFiles(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(readText(t, path), -1) {
			links++
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(path), match[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if links < 20 {
		t.Errorf("%d links were checked: where are the others?", links)
	}
}
