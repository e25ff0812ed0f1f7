package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFilesHaveNoCircle holds the command's files to layers: no file uses a name of one that uses, through others or
// itself, a name of the first.
func TestFilesHaveNoCircle(t *testing.T) {
	uses := fileUses(t, ".")
	if len(uses["main.go"]) == 0 {
		t.Fatal("main.go uses no other file's names: nothing was read")
	}
	for _, circle := range circles(uses) {
		var because []string
		for _, from := range circle {
			for to, name := range uses[from] {
				if slices.Contains(circle, to) {
					because = append(because, from+" uses "+name+" of "+to)
				}
			}
		}
		slices.Sort(because)
		t.Errorf("files use each other's names in a circle; move a name to the file below:\n\t%s",
			strings.Join(because, "\n\t"))
	}
}

func TestCircles(t *testing.T) {
	uses := map[string]map[string]string{
		"a": {"b": "", "d": ""}, "b": {"c": ""}, "c": {"b": "", "d": ""}, "d": {"e": ""}, "f": {"e": "", "a": ""},
	}
	if got := circles(uses); len(got) != 1 || !slices.Equal(got[0], []string{"b", "c"}) {
		t.Errorf("circles %v, want b and c", got)
	}
	uses["e"] = map[string]string{"f": ""}
	if got := circles(uses); len(got) != 1 || !slices.Equal(got[0], []string{"a", "b", "c", "d", "e", "f"}) {
		t.Errorf("circles %v, want all", got)
	}
}

// fileUses returns, by file of a package without its tests, the other files whose names it uses, and one of the names.
// Other packages are not read: what a package does not define is unknown and skipped.
func fileUses(t *testing.T, folder string) map[string]map[string]string {
	t.Helper()
	set := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	own, _ := config.Check(folder, set, files, &info)
	fileOf := func(at token.Pos) string { return filepath.Base(set.Position(at).Filename) }
	uses := map[string]map[string]string{}
	for name, object := range info.Uses {
		from, to := fileOf(name.Pos()), fileOf(object.Pos())
		if object.Pkg() != own || from == to {
			continue
		}
		if uses[from] == nil {
			uses[from] = map[string]string{}
		}
		if known := uses[from][to]; known == "" || object.Name() < known {
			uses[from][to] = object.Name()
		}
	}
	return uses
}

// noImports finds no package.
type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not read") }

// circles returns the largest sets of files each of which uses all the others, through files or itself.
func circles(uses map[string]map[string]string) (all [][]string) {
	reached := map[string]map[string]bool{}
	for from := range uses {
		reached[from] = map[string]bool{}
		for next := []string{from}; len(next) > 0; {
			at := next[0]
			next = next[1:]
			for to := range uses[at] {
				if !reached[from][to] {
					reached[from][to] = true
					next = append(next, to)
				}
			}
		}
	}
	seen := map[string]bool{}
	for _, from := range slices.Sorted(maps.Keys(uses)) {
		if !reached[from][from] || seen[from] {
			continue
		}
		var circle []string
		for to := range reached[from] {
			if reached[to][from] {
				circle, seen[to] = append(circle, to), true
			}
		}
		slices.Sort(circle)
		all = append(all, circle)
	}
	return all
}
