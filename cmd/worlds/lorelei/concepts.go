package lorelei

import "illustrator/cmd/worlds/caption"

var (
	bearded   = []string{"beard"}
	shaved    = []string{"none"}
	longHair  = []string{"long straight", "long wavy"}
	shades    = []string{"sunglasses"}
	unadorned = []string{"none"}
)

// concepts are words for portraits.
var concepts = []caption.Concept{
	{Words: []string{"punk rocker", "punk"}, Needs: map[int][]string{hair: {"mohawk"}}},
	{Words: []string{"wizard", "grandfather", "old man", "elderly man"},
		Needs: map[int][]string{beard: bearded, hairColor: {"white"}, hair: hairy()}},
	{Words: []string{"santa claus"}, Needs: map[int][]string{beard: bearded, hairColor: {"white"}, shirt: {"red"}}},
	{Words: []string{"spy", "secret agent", "movie star"}, Needs: map[int][]string{glasses: shades, shirt: {"black"}}},
	{Words: []string{"professor", "old scholar"}, Needs: map[int][]string{glasses: {"round"}, hairColor: {"white"},
		hair: hairy()}},
	{Words: []string{"happy student", "nerd"}, Needs: map[int][]string{glasses: {"round", "square"}, mouth: {"grin"},
		beard: shaved}},
	{Words: []string{"mermaid"}, Needs: map[int][]string{hair: {"long wavy"}, hairColor: {"green", "blue"}}},
	{Words: []string{"witch"}, Needs: map[int][]string{hair: {"long straight"}, hairColor: {"purple", "green"},
		beard: shaved}},
	{Words: []string{"clown"}, Needs: map[int][]string{
		hair: {"afro", "curly"}, hairColor: {"red", "green", "blue"}, mouth: {"grin"}, beard: shaved,
	}},
	{Words: []string{"monk", "meditating monk"}, Needs: map[int][]string{hair: {"bald"}, eyes: {"closed"}}},
	{Words: []string{"bride"}, Needs: map[int][]string{shirt: {"white"}, flower: {"flower"}, beard: shaved}},
	{Words: []string{"hippie"}, Needs: map[int][]string{flower: {"flower"}, hair: longHair}},
	{Words: []string{"viking"}, Needs: map[int][]string{
		beard: bearded, hairColor: {"red", "blond"}, hair: {"long straight", "long wavy", "spiky", "pigtails"},
	}},
	{Words: []string{"pirate"}, Needs: map[int][]string{beard: bearded, hairColor: {"black"}, glasses: unadorned}},
	{Words: []string{"fairy", "elf"}, Needs: map[int][]string{flower: {"flower"}, hairColor: {"green", "pink"},
		beard: shaved, hair: hairy()}},
	{Words: []string{"baby"}, Needs: map[int][]string{hair: {"bald"}, beard: shaved, eyes: {"open", "wide"}}},
	{Words: []string{"rock star"}, Needs: map[int][]string{hair: {"spiky", "mohawk"}, glasses: shades}},
	{Words: []string{"disco dancer"}, Needs: map[int][]string{hair: {"afro"}, glasses: shades}},
	{Words: []string{"pop star"}, Needs: map[int][]string{hairColor: {"pink"}, glasses: shades, beard: shaved,
		hair: hairy()}},
}

// hairy returns all cuts but the bald head.
func hairy() []string { return attributes[hair].Values[1:] }
