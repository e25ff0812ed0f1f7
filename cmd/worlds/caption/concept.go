package caption

import (
	"math/rand/v2"
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

// conceptShare is the share of captions that name a concept, of those of scenes that fit one.
const conceptShare = 0.5

// Named returns the words of the concepts that a scene fits for a share of the captions, nil for the others.
func Named(d scene.Domain, concepts []Concept, s scene.Scene, random *rand.Rand) []string {
	if fit := Fit(d, concepts, s); len(fit) > 0 && Chance(random, conceptShare) {
		return fit
	}
	return nil
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
