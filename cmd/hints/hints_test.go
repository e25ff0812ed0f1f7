package hints

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/models/xla"
)

func TestExplain(t *testing.T) {
	fact := errors.New("no such thing")
	for _, c := range []struct {
		err           error
		message, hint string
	}{
		{fault.WithCode(fact, pairs.Damaged, "p"), "no such thing", "`illustrator pairs verify p` reads every shard"},
		{fmt.Errorf("load: %w", fault.WithCode(fact, xla.NotInstalled, "cuda")), "load: no such thing",
			"run `illustrator setup --cuda` to install it"},
		{fault.WithCode(fact, xla.NotInstalled, "cpu"), "no such thing", "run `illustrator setup` to install it"},
		{fault.WithCode(fact, xla.CUDANoPip, "install pip", 13), "no such thing", "install pip, or bring"},
		{fault.WithCode(fact, configs.NoPrompts, "d.yaml"), "no such thing", "`illustrator prompt --domain d.yaml --pairs"},
		{fault.WithCode(fault.Usage(errors.New("set x"), "y"), configs.InvalidSetting), "--set x", "y"},
		{fmt.Errorf("study: %w", fault.WithCode(fault.Usage(errors.New("set x"), "y"), configs.InvalidSetting)),
			"study: set x", "y"},
		{fault.Hint(fault.WithCode(fact, pairs.Empty), "an outer hint"), "no such thing", "an outer hint"},
		{fact, "no such thing", ""},
	} {
		err := Explain(c.err)
		if hint := fault.HintOf(err); err.Error() != c.message || !strings.HasPrefix(hint, c.hint) ||
			c.hint == "" && hint != "" || strings.Contains(hint, "%!") || fault.IsUsage(err) != fault.IsUsage(c.err) {
			t.Errorf("%q, hint %q; want %q, hint %q", err, hint, c.message, c.hint)
		}
	}
}

// TestAsFlags keeps what wraps an invalid field.
func TestAsFlags(t *testing.T) {
	seed := &draw.FieldError{Code: draw.OutOfRange, Field: "seed", Value: 9, Low: 0, High: 8}
	err := Explain(fmt.Errorf("text 2: %w", seed))
	if err.Error() != "text 2: --seed is 9" || fault.HintOf(err) != "--seed must be from 0 to 8" || !fault.IsUsage(err) {
		t.Errorf("%v (%s)", err, fault.HintOf(err))
	}
}

// TestEveryCodeHasAHint compares the codes that packages declare with those that have hints.
func TestEveryCodeHasAHint(t *testing.T) {
	var declared []fault.Code
	eachFile(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if of, ok := spec.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Code" {
				value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				declared = append(declared, fault.Code(value))
			}
			return true
		})
	})
	for _, code := range declared {
		if _, ok := byCode[code]; !ok {
			t.Errorf("code %s has no hint", code)
		}
	}
	for code := range byCode {
		if !slices.Contains(declared, code) {
			t.Errorf("no package declares code %s", code)
		}
	}
}

// eachFile calls read with the files of packages below cmd, without their tests.
func eachFile(t *testing.T, read func(path string, file *ast.File)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		switch name := e.Name(); {
		case err != nil:
			return err
		case e.IsDir() && (name == "cmd" || name == "testdata" || len(name) > 2 && name[0] == '.'):
			return filepath.SkipDir
		case !e.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			files++
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			read(strings.TrimPrefix(filepath.ToSlash(path), "../../"), file)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// commandLine matches what only commands know: a flag, or a call of this program.
var commandLine = regexp.MustCompile("(^|[^-A-Za-z0-9])--[a-z]|illustrator [a-z]+")

// exceptions are the files whose literals hold command lines that are no hints of packages.
var exceptions = map[string]string{
	"models/convert/convert.go":   "the maker of a folder, in its manifest",
	"models/xla/cuda.go":          "flags of XLA",
	"models/xla/wheel.go":         "flags of pip",
	"models/xla/cuda/wheels.go":   "flags of pip",
	"models/xla/cuda/gpus.go":     "flags of nvidia-smi",
	"models/xla/cuda/diagnose.go": "a flag of Slurm",
	"models/nn/nntest/nntest.go":  "flags of XLA",
	"train/state.go":              "the maker of a checkpoint, in its manifest",
	"train/validate.go":           "the maker of a mapper, in its manifest",
	"train/runs/card.go":          "the commands that a model card shows",
}

// TestPackagesNameNoCommands holds string literals of packages below cmd, except the server's, to facts: commands and
// flags are named by hints here.
func TestPackagesNameNoCommands(t *testing.T) {
	used := map[string]bool{}
	eachFile(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING || !commandLine.MatchString(literal.Value) ||
				strings.HasPrefix(path, "serve/") {
				return true
			}
			if used[path] = true; exceptions[path] == "" {
				t.Errorf("%s: %s names a command or a flag: give the error a code, and its hint in cmd/hints", path, literal.Value)
			}
			return true
		})
	})
	for path := range exceptions {
		if !used[path] {
			t.Errorf("%s needs no exception", path)
		}
	}
}
