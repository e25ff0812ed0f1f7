package draw

import (
	"fmt"
	"slices"

	"illustrator/data/texts"
	"illustrator/models/classifier"
)

// Change counts the attributes that a manipulation changed, as the classifier sees them before and after.
type Change struct {
	// Found of Named attributes, which the target text names, have a value that it accepts.
	Found int `json:"attributes_found"`
	Named int `json:"attributes_named"`
	// Kept of Others, which the text does not name, have the value they had.
	Kept   int `json:"others_kept"`
	Others int `json:"others"`
	// Changed says of each attribute, named or not, that has another value: "few → many".
	Changed map[string]string `json:"changed,omitempty"`
}

// CompareAttributes compares the attributes seen before and after, indices into each attribute's values.
func CompareAttributes(cfg classifier.Config, text texts.Text, before, after []int) Change {
	c := Change{Changed: map[string]string{}}
	for i, a := range cfg.Attributes {
		accepted, named := text.Attributes[a.Name]
		switch {
		case named && slices.Contains(accepted, a.Values[after[i]]):
			c.Found++
		case !named && before[i] == after[i]:
			c.Kept++
		}
		if before[i] != after[i] {
			c.Changed[a.Name] = fmt.Sprintf("%s → %s", a.Values[before[i]], a.Values[after[i]])
		}
		if named {
			c.Named++
		} else {
			c.Others++
		}
	}
	return c
}
