package whiskers

import (
	"math/rand/v2"
	"strings"

	"illustrator/cmd/worlds/caption"
	"illustrator/cmd/worlds/scene"
)

// describe returns a caption of random parts of the scene, or of a concept that it fits.
func describe(s scene.Scene, random *rand.Rand) string {
	noun := caption.Pick(random, "cat", "cat", "cat", "cat", "kitty", "pussycat", "house cat", "cartoon cat")
	phrases := caption.Some(random, phrases(s, random))
	if fit := caption.Named(Domain{}, concepts, s, random); len(fit) > 0 {
		noun = caption.Pick(random, fit...)
		phrases = phrases[:min(len(phrases), caption.Pick(random, 0, 0, 0, 1, 2))]
	}
	return caption.Sentence(random, noun, phrases, "picture of", "drawing of", "painting of", "photo of", "cartoon of")
}

// phrases returns a phrase for each visible attribute that is worth one.
func phrases(s scene.Scene, random *rand.Rand) []caption.Phrase {
	v := s.Values
	phrases := []caption.Phrase{describeCoat(s, random)}
	add := func(wordings []string) {
		if len(wordings) > 0 {
			phrases = append(phrases, caption.Word(caption.Pick(random, wordings...)))
		}
	}
	if value(s, pattern) != "plain" || caption.Chance(random, 0.3) {
		add(patternWords[v[pattern]])
	}
	add(furWords[v[fur]])
	add(buildWords[v[build]])
	add(earWords[v[ears]])
	phrases = append(phrases, describeEyes(s, random)...)
	add(moodWords[v[mood]])
	add(poseWords[v[pose]])
	color := attributes[wall].Values[v[wall]]
	phrases = append(phrases, caption.Word(strings.ReplaceAll(caption.Pick(random, wallWords...), "{c}", color)))
	add(neckWords[v[neck]])
	add(hatWords[v[hat]])
	if value(s, hat) == "none" && value(s, neck) == "none" && caption.Chance(random, 0.1) {
		add(bareWords)
	}
	add(besideWords[v[beside]])
	return phrases
}

// describeCoat names the coat's color, and both colors of a coat that has two.
func describeCoat(s scene.Scene, random *rand.Rand) caption.Phrase {
	first := caption.Pick(random, coatWords[s.Values[coat]]...)
	if value(s, pattern) != "two-coloured" || caption.Chance(random, 0.2) {
		return caption.Word(caption.Pick(random, "+"+first, "+"+first, "with "+first+" fur", "with a "+first+" coat"))
	}
	other := "white"
	if value(s, coat) == "white" {
		other = caption.Pick(random, "grey", "gray")
	}
	return caption.Word(caption.Pick(random, "+"+first+" and "+other, "+"+other+" and "+first,
		"with "+first+" and "+other+" fur",
		"+"+first+" and "+other, "with "+other+" patches"))
}

// describeEyes names the eyes with their color, the color alone, or an alert look.
func describeEyes(s scene.Scene, random *rand.Rand) []caption.Phrase {
	v := s.Values
	wordings, color := eyeWords[v[eyes]], caption.Pick(random, eyeColors[v[eyeColor]]...)
	switch {
	case value(s, eyes) == "wide" && value(s, ears) == "upright" && caption.Chance(random, 0.3):
		wordings = vigilant
	case !Domain{}.Visible(s, eyeColor):
	case caption.Chance(random, 0.35):
		wordings = colorOfEyes
	case caption.Chance(random, 0.4):
		color = ""
	}
	text := strings.ReplaceAll(caption.Pick(random, wordings...), "{c}", color)
	return []caption.Phrase{caption.Word(strings.Join(strings.Fields(text), " "))}
}
