package chapel

import (
	"math/rand/v2"

	"illustrator/cmd/worlds/caption"
	"illustrator/cmd/worlds/scene"
)

// describe returns a caption of random parts of the scene, or of a concept that it fits.
func describe(s scene.Scene, random *rand.Rand) string {
	noun := caption.Pick(random, "church", "church", "church", "church", "chapel", "small church", "little church")
	phrases := caption.Some(random, phrases(s, random))
	if fit := caption.Named(Domain{}, concepts, s, random); len(fit) > 0 {
		noun = caption.Pick(random, fit...)
		phrases = phrases[:min(len(phrases), caption.Pick(random, 0, 0, 0, 1, 2))]
	}
	return caption.Sentence(random, noun, phrases, "picture of", "drawing of", "painting of", "view of", "illustration of")
}

// phrases returns a phrase for each visible attribute that is worth one.
func phrases(s scene.Scene, random *rand.Rand) []caption.Phrase {
	v := s.Values
	phrases := describeSky(s, random)
	add := func(wordings ...string) {
		if len(wordings) > 0 {
			phrases = append(phrases, caption.Word(caption.Pick(random, wordings...)))
		}
	}
	add(styleWords[v[style]]...)
	material := wallWords[v[wall]]
	if value(s, style) != "wooden" && caption.Chance(random, 0.4) {
		switch value(s, wall) {
		case "red":
			material = brickWords
		case "grey":
			material = stoneWords
		}
	}
	add(material...)
	color := caption.Pick(random, roofWords[v[roof]]...)
	add("with a "+color+" roof", "with a "+color+" roof", "with a roof of "+color+" tiles")
	phrases = append(phrases, describeTowers(s, random))
	add(windowWords[v[windows]]...)
	add(seasonWords[v[season]]...)
	if value(s, trees) != "none" || caption.Chance(random, 0.2) {
		add(treeWords[v[trees]]...)
	}
	add(yardWords[v[yard]]...)
	return phrases
}

// describeSky names sky and clouds in one phrase at times, else each in its own.
func describeSky(s scene.Scene, random *rand.Rand) []caption.Phrase {
	v := s.Values
	names := cloudNames[v[clouds]]
	if len(names) > 0 && caption.Chance(random, 0.3) {
		text := caption.Pick(random, names...) + " " + caption.Pick(random, skyNames[v[sky]]...) + " sky"
		return []caption.Phrase{caption.Word(caption.Pick(random, "under a ", "with a ") + text)}
	}
	return []caption.Phrase{
		caption.Word(caption.Pick(random, skyWords[v[sky]]...)), caption.Word(caption.Pick(random, cloudWords[v[clouds]]...)),
	}
}

// describeTowers names the number of towers, and at times their height and their tops: "two tall onion domes".
func describeTowers(s scene.Scene, random *rand.Rand) caption.Phrase {
	v := s.Values
	if value(s, towers) == "none" {
		return caption.Word(caption.Pick(random, towerless...))
	}
	plural := 0
	noun := "tower"
	if value(s, towers) != "one" {
		plural, noun = 1, "towers"
	}
	number := caption.Pick(random, numberWords[v[towers]]...) + " "
	if plural == 1 && caption.Chance(random, 0.25) {
		number = ""
	}
	tops := topWords[v[top]][plural]
	tall := ""
	if caption.Chance(random, 0.5) {
		tall = caption.Pick(random, heightWords[v[height]]...) + " "
	}
	switch caption.Pick(random, 0, 0, 1, 1, 2) {
	case 0:
	case 1:
		noun = caption.Pick(random, tops...)
	default:
		noun += " with " + topWithArticle(tops, random, plural)
	}
	text := tall + noun
	if number == "a " {
		return caption.Phrase{Kind: caption.With, Text: caption.Article(text)}
	}
	return caption.Phrase{Kind: caption.With, Text: number + text}
}

func topWithArticle(tops []string, random *rand.Rand, plural int) string {
	text := caption.Pick(random, tops[:2]...)
	if plural == 0 {
		return caption.Article(text)
	}
	return text
}
