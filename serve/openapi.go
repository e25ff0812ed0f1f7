package serve

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"

	"illustrator/data/storybook"
)

//go:embed openapi.yaml
var openAPIText []byte

// openAPI is the document of the API as JSON, with this server's limits in it.
func (s *studio) openAPI() ([]byte, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(openAPIText, &doc); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	field := func(schema, name string) map[string]any {
		schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
		of := schemas[schema].(map[string]any)
		if ends, ok := of["oneOf"].([]any); ok { // the first of them is a text
			of = ends[0].(map[string]any)
		}
		return of["properties"].(map[string]any)[name].(map[string]any)
	}
	var runs, styles []any
	for _, m := range s.Models {
		runs = append(runs, m.Name)
	}
	styles = append(styles, "")
	for _, style := range s.cartoons() {
		styles = append(styles, style.Name)
	}
	for _, limited := range []struct {
		schema, name, key string
		value             any
	}{
		{"Generate", "text", "maxLength", s.Limits.Text},
		{"Generate", "count", "maximum", s.Limits.Pictures},
		{"Generate", "runs", "maxItems", len(runs)},
		{"Generate", "runs", "items", map[string]any{"type": "string", "enum": runs}},
		{"Generate", "inject_index", "maximum", s.Models[0].Generator.NumLayers()},
		{"Generate", "cartoon", "enum", styles},
		{"Generate", "best_of", "maximum", s.Limits.BestOf},
		{"Generate", "refine", "maximum", s.Limits.Refine},
		{"End", "text", "maxLength", s.Limits.Text},
		{"Interpolate", "run", "enum", append([]any{""}, runs...)},
		{"Interpolate", "steps", "maximum", s.mostSteps()},
		{"Interpolate", "steps", "default", s.defaultSteps()},
		{"Interpolate", "cartoon", "enum", styles},
		{"Manipulate", "from", "maxLength", s.Limits.Text},
		{"Manipulate", "to", "maxLength", s.Limits.Text},
		{"Manipulate", "alphas", "maxItems", s.Limits.Pictures},
		{"Manipulate", "cartoon", "enum", styles},
		{"Story", "character", "maxLength", s.Limits.Text},
		{"Book", "title", "maxLength", s.Limits.Text},
		{"Book", "language", "pattern", storybook.LanguagePattern},
		{"Book", "paragraphs", "maxItems", s.Limits.Pictures},
		{"Story", "story", "maxLength", s.Limits.Story},
		{"Story", "run", "enum", append([]any{""}, runs...)},
		{"Story", "inject_index", "maximum", s.Models[0].Generator.NumLayers()},
		{"Story", "cartoon", "enum", styles},
	} {
		field(limited.schema, limited.name)[limited.key] = limited.value
	}
	return json.MarshalIndent(doc, "", "  ")
}
