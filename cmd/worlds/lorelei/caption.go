package lorelei

import (
	"math/rand/v2"
	"strings"

	"illustrator/cmd/worlds/caption"
	"illustrator/cmd/worlds/scene"
)

// Words for the values of an attribute; {c} stands for a color.
var (
	colorWords = [][]string{
		{"black", "dark", "jet black"}, {"brown", "brunette", "chestnut"}, {"blond", "blonde", "golden", "yellow"},
		{"red", "ginger", "orange"}, {"white", "grey", "gray", "silver"}, {"blue"}, {"pink"}, {"green"}, {"purple", "violet"},
	}
	hairWords = [][]string{
		{"a bald head", "no hair", "a shaved head"}, {"a {c} buzz cut", "very short {c} hair", "cropped {c} hair"},
		{"short {c} hair", "a short {c} haircut"}, {"spiky {c} hair", "messy {c} hair", "short spiky {c} hair"},
		{"curly {c} hair", "{c} curls", "short curly {c} hair"}, {"a big {c} afro", "a {c} afro", "big fluffy {c} hair"},
		{"a {c} bob", "chin length {c} hair", "a {c} bob with bangs"},
		{"long straight {c} hair", "long {c} hair", "straight {c} hair"},
		{"long wavy {c} hair", "wavy {c} hair", "long {c} waves"}, {"a {c} ponytail", "{c} hair in a ponytail"},
		{"a {c} bun", "{c} hair in a bun"}, {"{c} space buns", "two {c} buns"}, {"a {c} mohawk", "{c} hair in a mohawk"},
		{"{c} pigtails", "{c} hair in pigtails"},
	}
	skinWords  = [][]string{{"pale", "light", "fair"}, {"tan", "tanned"}, {"brown"}, {"dark", "very dark"}}
	mouthWords = [][]string{
		{"smiling", "happy", "with a smile"}, {"surprised", "shocked", "with an open mouth", "amazed"},
		{"frowning", "sad", "unhappy", "with a frown"}, {"grinning", "laughing", "with a big grin", "very happy"},
	}
)

// describe returns a phrase for each visible attribute that is worth one.
func describe(s scene.Scene, random *rand.Rand) []caption.Phrase {
	v, d := s.Values, Domain{}
	phrases := []caption.Phrase{
		describeHair(s, random),
		{Kind: caption.With, Text: caption.Pick(random, skinWords[v[skin]]...) + " skin"},
		{Kind: caption.Plain, Text: named(random, background, v, "on a {} background", "in front of a {} wall",
			"against a {} background")},
		{Kind: caption.Plain, Text: named(random, shirt, v, "wearing a {} shirt", "in a {} shirt", "wearing a {} t-shirt")},
	}
	add := func(wordings ...string) { phrases = append(phrases, caption.Word(caption.Pick(random, wordings...))) }
	switch kind := attributes[glasses].Values[v[glasses]]; {
	case kind == "sunglasses":
		add("with sunglasses", "with dark sunglasses", "with shades")
	case kind != "none":
		add("with "+kind+" glasses", "with glasses", "with "+kind+" spectacles")
	case caption.Chance(random, 0.1):
		add("with no glasses")
	}
	if v[beard] > 0 {
		add("with a beard", "with a bushy beard", "with a big beard")
	} else if caption.Chance(random, 0.1) {
		add("with no beard")
	}
	if d.Visible(s, mouth) {
		add(mouthWords[v[mouth]]...)
	}
	if d.Visible(s, eyes) {
		switch attributes[eyes].Values[v[eyes]] {
		case "closed":
			add("with closed eyes", "with eyes closed", "asleep", "sleeping")
		case "wide":
			add("with wide eyes", "with big eyes", "with wide open eyes")
		default:
			if caption.Chance(random, 0.15) {
				add("with open eyes")
			}
		}
	}
	if v[flower] > 0 {
		add("with a flower in the hair", "with flowers", "with a pink flower")
	}
	return phrases
}

func named(random *rand.Rand, attribute int, values []int, forms ...string) string {
	return strings.ReplaceAll(caption.Pick(random, forms...), "{}", attributes[attribute].Values[values[attribute]])
}

// describeHair names the cut with its color, or one of both.
func describeHair(s scene.Scene, random *rand.Rand) caption.Phrase {
	v := s.Values
	color := caption.Pick(random, colorWords[v[hairColor]]...)
	text := caption.Pick(random, hairWords[v[hair]]...)
	switch chance := random.Float64(); {
	case chance < 0.75:
	case chance < 0.87 || !(Domain{}).Visible(s, hairColor):
		color = ""
	default:
		text = "{c} hair"
	}
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "{c}", color)), " ")
	return caption.Phrase{Kind: caption.With, Text: text}
}

// subject returns a noun, which may follow from what is seen.
func subject(s scene.Scene, random *rand.Rand) string {
	v := s.Values
	noun := caption.Pick(random, "person", "face", "portrait of a person", "cartoon character", "cartoon face",
		"character",
		"drawing of a person", "illustration of a person", "picture of a person", "cartoon of a person")
	cut := attributes[hair].Values[v[hair]]
	if caption.Chance(random, 0.3) {
		switch cut {
		case "long straight", "long wavy", "bun", "ponytail", "bob":
			noun = "woman"
		case "pigtails", "space buns":
			noun = "girl"
		case "bald", "buzz", "short":
			if v[flower] == 0 {
				noun = caption.Pick(random, "man", "man", "boy")
			}
		}
		if v[beard] > 0 {
			noun = "man"
		}
		if (noun == "man" || noun == "woman") && v[hairColor] == 4 && cut != "bald" && caption.Chance(random, 0.4) {
			noun = caption.Pick(random, "old ", "elderly ") + noun
		}
	}
	return noun
}

func describeScene(s scene.Scene, random *rand.Rand) string {
	phrases := describe(s, random)
	if fit := caption.Named(Domain{}, concepts, s, random); len(fit) > 0 {
		few := caption.Some(random, phrases)
		noun := caption.Pick(random, fit...)
		if caption.Chance(random, 0.2) {
			noun = caption.Pick(random, "drawing", "picture", "cartoon", "portrait") + " of " + caption.Article(noun)
		}
		return caption.Sentence(random, noun, few[:min(len(few), caption.Pick(random, 0, 0, 1, 2))])
	}
	return caption.Sentence(random, subject(s, random), caption.Some(random, phrases))
}
