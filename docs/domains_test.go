package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The program and its page know no domain's content: these words stand in the domains' own folders alone.
func TestNoDomainInCode(t *testing.T) {
	words := regexp.MustCompile(`(?i)\b(faces?|hair|portraits?)\b`)
	others := strings.NewReplacer("Hugging Face", "", "font.Face", "", "hugging-face", "")
	checked := 0
	for _, path := range projectFiles(t) {
		switch ext := filepath.Ext(path); {
		case ext != ".go" && ext != ".js" && ext != ".html", strings.HasSuffix(path, "_test.go"),
			strings.HasPrefix(path, "cmd/worlds/"), strings.Contains(path, "testdata/"),
			path == "data/pictures/gridtext.go": // its faces are those of fonts
			continue
		}
		checked++
		for i, line := range strings.Split(others.Replace(readText(t, path)), "\n") {
			if word := words.FindString(line); word != "" {
				t.Errorf("%s:%d: %q belongs into a domain's folder", path, i+1, word)
			}
		}
	}
	if checked < 300 {
		t.Errorf("%d files were checked: where are the others?", checked)
	}
}
