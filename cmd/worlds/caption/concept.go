package caption

import (
	"slices"

	"illustrator/cmd/worlds/scene"
)

// A Concept is a word for scenes whose attributes have some of the listed values.
type Concept struct {
	// Words are nouns without an article, such as "haunted chapel".
	Words []string
	// Needs lists the values, by the index of the attribute.
	Needs map[int][]string
}

// Fit returns the words of the concepts that a scene fits, and whose needed attributes are visible.
func Fit(d scene.Domain, concepts []Concept, s scene.Scene) []string {
	var words []string
	attributes := d.Attributes()
	for _, c := range concepts {
		fits := true
		for attribute, values := range c.Needs {
			fits = fits && d.Visible(s, attribute) && slices.Contains(values, attributes[attribute].Values[s.Values[attribute]])
		}
		if fits {
			words = append(words, c.Words...)
		}
	}
	return words
}
