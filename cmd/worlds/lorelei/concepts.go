package lorelei

import (
	"slices"

	"illustrator/cmd/worlds/scene"
)

// A concept is a word for portraits whose attributes have some of the listed values. A value of {} allows any but "none".
type concept struct {
	words []string
	needs map[int][]string
}

var (
	bearded   = []string{"beard"}
	shaved    = []string{"none"}
	longHair  = []string{"long straight", "long wavy"}
	shades    = []string{"sunglasses"}
	unadorned = []string{"none"}
)

var allConcepts = []concept{
	{[]string{"punk rocker", "punk"}, map[int][]string{hair: {"mohawk"}}},
	{[]string{"wizard", "grandfather", "old man", "elderly man"}, map[int][]string{beard: bearded, hairColor: {"white"}, hair: hairy()}},
	{[]string{"santa claus"}, map[int][]string{beard: bearded, hairColor: {"white"}, shirt: {"red"}}},
	{[]string{"spy", "secret agent", "movie star"}, map[int][]string{glasses: shades, shirt: {"black"}}},
	{[]string{"professor", "old scholar"}, map[int][]string{glasses: {"round"}, hairColor: {"white"}, hair: hairy()}},
	{[]string{"happy student", "nerd"}, map[int][]string{glasses: {"round", "square"}, mouth: {"grin"}, beard: shaved}},
	{[]string{"mermaid"}, map[int][]string{hair: {"long wavy"}, hairColor: {"green", "blue"}}},
	{[]string{"witch"}, map[int][]string{hair: {"long straight"}, hairColor: {"purple", "green"}, beard: shaved}},
	{[]string{"clown"}, map[int][]string{
		hair: {"afro", "curly"}, hairColor: {"red", "green", "blue"}, mouth: {"grin"}, beard: shaved,
	}},
	{[]string{"monk", "meditating monk"}, map[int][]string{hair: {"bald"}, eyes: {"closed"}, glasses: {"none", "round", "square"}}},
	{[]string{"bride"}, map[int][]string{shirt: {"white"}, flower: {"flower"}, beard: shaved}},
	{[]string{"hippie"}, map[int][]string{flower: {"flower"}, hair: longHair}},
	{[]string{"viking"}, map[int][]string{
		beard: bearded, hairColor: {"red", "blond"}, hair: {"long straight", "long wavy", "spiky", "pigtails"},
	}},
	{[]string{"pirate"}, map[int][]string{beard: bearded, hairColor: {"black"}, glasses: unadorned}},
	{[]string{"fairy", "elf"}, map[int][]string{flower: {"flower"}, hairColor: {"green", "pink"}, beard: shaved, hair: hairy()}},
	{[]string{"baby"}, map[int][]string{hair: {"bald"}, beard: shaved, eyes: {"open", "wide"}}},
	{[]string{"rock star"}, map[int][]string{hair: {"spiky", "mohawk"}, glasses: shades}},
	{[]string{"disco dancer"}, map[int][]string{hair: {"afro"}, glasses: shades}},
	{[]string{"pop star"}, map[int][]string{hairColor: {"pink"}, glasses: shades, beard: shaved, hair: hairy()}},
}

// hairy returns all cuts but the bald head.
func hairy() []string { return attributes[hair].Values[1:] }

// concepts returns the words of the concepts that the scene fits.
func concepts(s scene.Scene) []string {
	var words []string
	for _, c := range allConcepts {
		fits := true
		for attribute, values := range c.needs {
			fits = fits && slices.Contains(values, attributes[attribute].Values[s.Values[attribute]])
		}
		if fits {
			words = append(words, c.words...)
		}
	}
	return words
}
