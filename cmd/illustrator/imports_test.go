package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "illustrator"
	gomlx    = "github.com/gomlx/"
	renameio = "github.com/google/renameio/"
)

// mayImport lists, for each room of the project, the rooms that it may import beside itself: imports go one way. Anyone
// may import internal; what is not listed is refused.
var mayImport = map[string][]string{
	"cmd": {"serve", "configs", "train/runs", "eval/studies", "train", "eval", "draw", "data", "models",
		"losses", "checkpoints"},
	"library":      {"configs", "train/runs", "train", "draw", "data", "models"},
	"serve":        {"eval", "draw", "data", "models"},
	"train/runs":   {"configs", "train", "draw", "data", "models", "losses", "checkpoints"},
	"eval/studies": {"configs", "eval", "draw", "data", "models", "checkpoints"},
	"configs":      {"train", "eval", "data", "models", "losses", "checkpoints"},
	"train":        {"data", "models", "losses", "checkpoints"},
	"eval":         {"draw", "data", "models", "losses", "checkpoints"},
	"draw":         {"data", "models", "losses", "checkpoints"},
	"data":         {"models", "checkpoints"},
	"models":       {"checkpoints"},
	"losses":       {},
	"deploy":       {},
	"checkpoints":  {},
	"docs":         {},
	"internal":     {},
}

// withoutGraphs lists the rooms and packages that depend on no graph library.
var withoutGraphs = []string{
	"checkpoints", "internal", "data/arrays", "data/pairs", "data/pictures", "data/seeds", "data/storybook", "data/texts",
	"eval/metrics", "eval/chart",
}

// room returns the room that pkg belongs to: a folder at the top, or one that stands above configs; "" for packages of
// others.
func room(pkg string) string {
	path, ours := strings.CutPrefix(pkg, module+"/")
	if !ours {
		return ""
	}
	for _, above := range []string{"train/runs", "eval/studies"} {
		if path == above || strings.HasPrefix(path, above+"/") {
			return above
		}
	}
	room, _, _ := strings.Cut(path, "/")
	return room
}

// wrongImports says which of a package's imports go the wrong way, and which packages it must not depend on at all.
func wrongImports(pkg string, imports, deps []string) []string {
	var wrong []string
	from := room(pkg)
	if pkg == module {
		from = "library"
	}
	allowed, known := mayImport[from]
	if !known {
		return []string{fmt.Sprintf("%s is in no known room: add it to mayImport and to CONTRIBUTING.md", pkg)}
	}
	for _, imported := range imports {
		to := room(imported)
		switch {
		case to == "" && from == "losses" && strings.Contains(imported, ".") && !strings.HasPrefix(imported, gomlx):
			wrong = append(wrong, fmt.Sprintf("%s imports %s; losses hold graph code only", pkg, imported))
		case strings.HasPrefix(imported, renameio) && pkg != module+"/internal/files":
			wrong = append(wrong, fmt.Sprintf("%s imports %s, which does not support Windows; use internal/files",
				pkg, imported))
		case to == "" || to == from || to == "internal" || slices.Contains(allowed, to):
		default:
			wrong = append(wrong, fmt.Sprintf("%s imports %s; %s may import %v and internal", pkg, imported, from, allowed))
		}
	}
	if slices.Contains(withoutGraphs, from) || slices.Contains(withoutGraphs, strings.TrimPrefix(pkg, module+"/")) {
		for _, dep := range deps {
			if strings.HasPrefix(dep, gomlx) {
				wrong = append(wrong, fmt.Sprintf("%s depends on %s, a graph library", pkg, dep))
			}
		}
	}
	return wrong
}

func TestWrongImports(t *testing.T) {
	for _, c := range []struct {
		pkg           string
		imports, deps []string
		wrong         bool
	}{
		{"illustrator/cmd/illustrator", []string{"fmt", "illustrator/configs", "illustrator/eval", "github.com/spf13/cobra"},
			nil, false},
		{"illustrator/configs", []string{"illustrator/train", "illustrator/losses"}, nil, false},
		{"illustrator/train", []string{"illustrator/losses", "illustrator/data/pairs", "illustrator/internal/fault"}, nil,
			false},
		{"illustrator/models/clip", []string{"illustrator/models/nn", "illustrator/checkpoints"}, nil, false},
		{"illustrator/losses", []string{"math", gomlx + "gomlx/core/graph", "illustrator/internal/fault"}, nil, false},
		{"illustrator/checkpoints/lorelei", []string{"illustrator/checkpoints", "embed"}, []string{"io"}, false},

		{"illustrator/train/runs", []string{"illustrator/configs", "illustrator/train"}, nil, false},

		{"illustrator/train", []string{"illustrator/eval"}, nil, true},
		{"illustrator/train", []string{"illustrator/train/runs"}, nil, true},
		{"illustrator/configs", []string{"illustrator/train/runs"}, nil, true},
		{"illustrator/train/runs", []string{"illustrator/eval/chart"}, nil, true},
		{"illustrator/eval/studies", []string{"illustrator/configs", "illustrator/eval/ablation"}, nil, false},
		{"illustrator/eval/studies", []string{"illustrator/train"}, nil, true},
		{"illustrator/eval/studies", []string{"illustrator/train/runs"}, nil, true},
		{"illustrator/eval", []string{"illustrator/train"}, nil, true},
		{"illustrator/eval", []string{"illustrator/losses"}, nil, false},
		{"illustrator/data/pairs", []string{"illustrator/configs"}, nil, true},
		{"illustrator/data/pairs", nil, []string{gomlx + "gomlx/core/tensors"}, true},
		{"illustrator/data/cartoon", []string{"illustrator/models/features"}, []string{gomlx + "gomlx/core/tensors"}, false},
		{"illustrator/models/pipeline", []string{"illustrator/data/seeds"}, nil, true},
		{"illustrator/models/nn", []string{"illustrator/losses"}, nil, true},
		{"illustrator/serve", []string{"illustrator/configs"}, nil, true},
		{"illustrator/eval", []string{"illustrator/serve"}, nil, true},
		{"illustrator/refine", []string{"illustrator/data/pairs"}, nil, true},
		{"illustrator/models/pipeline", []string{"illustrator/draw"}, nil, true},
		{"illustrator/checkpoints", []string{"illustrator/models/nn"}, nil, true},
		{"illustrator/checkpoints", nil, []string{gomlx + "gomlx/core/tensors"}, true},
		{"illustrator/losses", []string{"illustrator/models/nn"}, nil, true},
		{"illustrator/losses", []string{"github.com/apache/arrow/go/v15/arrow"}, nil, true},
		{"illustrator/internal/fault", []string{"illustrator/checkpoints"}, nil, true},
		{"illustrator/utils", nil, nil, true},
		{"illustrator/eval", []string{renameio + "v2"}, nil, true},
		{"illustrator/internal/files", []string{renameio + "v2"}, nil, false},
	} {
		if got := wrongImports(c.pkg, c.imports, c.deps); (len(got) > 0) != c.wrong {
			t.Errorf("%s with %v, %v: %q", c.pkg, c.imports, c.deps, got)
		}
	}
}

// TestImportsGoOneWay holds the project's packages, without their tests, to mayImport.
func TestImportsGoOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Deps", module+"/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	seen := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var pkg struct {
			ImportPath    string
			Imports, Deps []string
		}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range wrongImports(pkg.ImportPath, pkg.Imports, pkg.Deps) {
			t.Error(wrong)
		}
	}
	if seen < len(mayImport) {
		t.Errorf("go list named %d packages only", seen)
	}
}

// TestThirdPartyIsComplete compares the modules that the project builds with to those in THIRD_PARTY.md.
func TestThirdPartyIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../THIRD_PARTY.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-e", "-deps", "-test", "-f", "{{with .Module}}{{.Path}}{{end}}",
		module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, path := range slices.Compact(modules) {
		if path != module && !strings.Contains(string(text), "\n| "+path+" ") {
			t.Errorf("THIRD_PARTY.md does not name %s", path)
		}
	}
}
