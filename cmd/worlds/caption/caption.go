// Package caption makes English descriptions of phrases.
package caption

import (
	"math/rand/v2"
	"regexp"
	"strings"
)

// bareArticle finds "a" before a vowel.
var bareArticle = regexp.MustCompile(`\b(a) ([aeiouAEIOU])`)

// A Kind says where a phrase stands.
type Kind int

// The kinds of phrases.
const (
	// Adjective stands before the noun: "fat".
	Adjective Kind = iota
	// With follows "with": "a black roof".
	With
	// Plain follows as it is: "under a grey sky", "sleeping".
	Plain
)

// A Phrase describes a value of an attribute.
type Phrase struct {
	Kind Kind
	Text string
}

// Word returns the phrase of a wording: "+fat" is an adjective, "with a roof" a noun that follows "with"; others
// are plain.
func Word(wording string) Phrase {
	if adjective, ok := strings.CutPrefix(wording, "+"); ok {
		return Phrase{Adjective, adjective}
	}
	if noun, ok := strings.CutPrefix(wording, "with "); ok {
		return Phrase{With, noun}
	}
	return Phrase{Plain, wording}
}

// Pick returns a random element.
func Pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// Chance reports true with a probability.
func Chance(random *rand.Rand, probability float64) bool { return random.Float64() < probability }

// Some returns a random number of the phrases in random order; small numbers are likelier.
func Some(random *rand.Rand, phrases []Phrase) []Phrase {
	random.Shuffle(len(phrases), func(i, j int) { phrases[i], phrases[j] = phrases[j], phrases[i] })
	return phrases[:min(len(phrases), Pick(random, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8))]
}

// Sentence joins a noun without an article, such as "church", and phrases: most often in one noun phrase, at times as a
// list, in which every phrase stands behind a comma. Prefixes such as "picture of" precede some noun phrases.
func Sentence(random *rand.Rand, noun string, phrases []Phrase, prefixes ...string) string {
	text := ""
	for len(phrases) > 1 && length(noun, phrases) > maxLength {
		phrases = phrases[:len(phrases)-1]
	}
	switch chance := random.Float64(); {
	case chance < 0.12 && len(phrases) > 1:
		text = list(Article(noun), phrases)
	case chance < 0.2 && len(phrases) > 1 && !has(phrases, Adjective):
		text = list("", phrases)
	default:
		text = nounPhrase(random, noun, phrases)
		if len(prefixes) > 0 && Chance(random, 0.15) {
			text = Article(Pick(random, prefixes...)) + " " + text
		}
	}
	text = bareArticle.ReplaceAllString(text, "${1}n $2")
	if Chance(random, 0.4) {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if Chance(random, 0.5) {
		text += "."
	}
	return text
}

// maxLength is the number of words and signs of the longest sentence, as length counts: a CLIP reads 40 tokens.
const maxLength = 32

// length returns the number of words of a sentence at most, and a sign or "and" per phrase.
func length(noun string, phrases []Phrase) int {
	const around = 5 // a prefix with its article, the noun's article, "with"
	words := len(strings.Fields(noun)) + around
	for _, p := range phrases {
		words += len(strings.Fields(p.Text)) + 1
	}
	return words
}

func has(phrases []Phrase, kind Kind) bool { return len(texts(phrases, kind)) > 0 }

func texts(phrases []Phrase, kind Kind) []string {
	var texts []string
	for _, p := range phrases {
		if p.Kind == kind {
			texts = append(texts, p.Text)
		}
	}
	return texts
}

func list(subject string, phrases []Phrase) string {
	var parts []string
	if subject != "" {
		parts = append(parts, subject)
	}
	for _, p := range phrases {
		parts = append(parts, p.Text)
	}
	return strings.Join(parts, ", ")
}

func nounPhrase(random *rand.Rand, noun string, phrases []Phrase) string {
	text := Article(strings.Join(append(texts(phrases, Adjective), noun), " "))
	if with := texts(phrases, With); len(with) > 0 {
		text += " with " + join(with)
	}
	for _, plain := range texts(phrases, Plain) {
		if Chance(random, 0.2) {
			text += ","
		}
		text += " " + plain
	}
	return text
}

// join joins texts with commas and "and".
func join(texts []string) string {
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

// Article puts "a" before a noun phrase; Sentence makes it "an" where a vowel follows.
func Article(phrase string) string { return "a " + phrase }
