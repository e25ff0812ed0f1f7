package draw

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"unicode"

	"illustrator/data/texts"
	"illustrator/internal/vectors"
	"illustrator/models/clip"
	"illustrator/models/pipeline"
)

const (
	// leastDescriptions is the number of descriptions below which novelty is not measured: a share of 5 % has no meaning.
	leastDescriptions = 20
	// farShare is the share of a text, at least, that a domain's descriptions don't hold where it is far.
	farShare = 0.5
	// farQuantile of the descriptions' own novelties, each measured without itself, lie within the limit.
	farQuantile = 0.95
	// sampledTokens is the number of the vocabulary's tokens that the scale of distances is measured with.
	sampledTokens = 400
)

// Knowledge measures how far texts lie from what a domain's descriptions name.
//
// The distance of a token is 1 minus the cosine of its row in CLIP's token embeddings and the nearest row of a token
// that the descriptions hold, in units of the median over CLIP's vocabulary, and at most 1. A text's novelty is the
// weighted mean of its tokens' distances. A known token's weight is log(f + 2), where f is the number of descriptions
// that hold it: the words that most of them have speak most for the domain. An unknown token weighs as one that all of
// them have. Function words have no weight. It needs no device. The embedding of the whole text tells less: a CLIP maps
// what it does not know to the middle of what it knows.
type Knowledge struct {
	// Descriptions is the number of descriptions, and FalseAlarms that of those which are far when the others are known.
	Descriptions, FalseAlarms int
	// Limit is the novelty beyond which a text is far: 0.5, or more where more than 5 % of the descriptions would be.
	Limit float64

	tokenizer *clip.Tokenizer
	table     []float32 // [V,W]
	width     int
	known     []int32       // tokens, ascending
	frequency map[int32]int // number of descriptions with a token
	scale     float64
	words     []countedWord
}

type countedWord struct {
	word  string
	count int // of descriptions
}

// Novelty holds how far a text lies from a domain's descriptions.
type Novelty struct {
	Text string `json:"text"`
	// Share of the text, from 0 to 1, is not in the descriptions.
	Share float64 `json:"share"`
	Limit float64 `json:"limit"`
	Far   bool    `json:"far"` // Share is beyond Limit
	// Words are those with a token that is far from all of the descriptions.
	Words []string `json:"unknown_words"`
}

// NewKnowledge reads what descriptions, and the values of the domain's classifier, name. It returns nil for less than
// 20 descriptions.
func NewKnowledge(n *pipeline.Networks, descriptions []texts.Text) (*Knowledge, error) {
	if len(descriptions) < leastDescriptions {
		return nil, nil
	}
	table, err := n.TokenEmbeddings()
	if err != nil {
		return nil, err
	}
	k := &Knowledge{
		Descriptions: len(descriptions), tokenizer: n.Tokenizer, table: table, width: n.CLIP.Text.HiddenSize,
		frequency: map[int32]int{},
	}
	tokens := make([][]int32, len(descriptions))
	for i, d := range descriptions {
		tokens[i] = k.tokens(d.Text)
		for _, id := range slices.Compact(slices.Sorted(slices.Values(tokens[i]))) {
			k.frequency[id]++
		}
	}
	k.known = k.values(n)
	for id := range k.frequency {
		k.known = append(k.known, id)
	}
	slices.Sort(k.known)
	k.known = slices.Compact(k.known)
	k.words = countWords(descriptions)
	k.measureScale()
	k.calibrate(tokens)
	return k, nil
}

// values are the tokens of the classifier's attributes.
func (k *Knowledge) values(n *pipeline.Networks) (all []int32) {
	if n.Classifier == nil {
		return nil
	}
	for _, a := range n.Classifier.Attributes {
		all = append(all, k.tokens(strings.ReplaceAll(a.Name, "_", " ")+" "+strings.Join(a.Values, " "))...)
	}
	return all
}

// Words are the descriptions' words that at most a number of them have, the most frequent first.
func (k *Knowledge) Words(most int) (rare []string) {
	for _, word := range k.words {
		if word.count <= most {
			rare = append(rare, word.word)
		}
	}
	return rare
}

// Novelty measures a text.
func (k *Knowledge) Novelty(text string) Novelty {
	tokens := k.tokens(text)
	distances := k.distances(tokens, nil)
	n := Novelty{Text: text, Limit: k.Limit, Words: []string{}, Share: k.share(tokens, distances)}
	n.Far = n.Share > n.Limit
	for _, word := range strings.Fields(text) {
		plain := trimWord(word)
		unknown := slices.ContainsFunc(k.tokens(plain), func(id int32) bool { return distances[id] > farShare })
		if unknown && !slices.Contains(n.Words, plain) {
			n.Words = append(n.Words, plain)
		}
	}
	return n
}

// Far measures texts and returns those that are far. A nil Knowledge knows of none.
func (k *Knowledge) Far(of ...string) (far []Novelty) {
	if k == nil {
		return nil
	}
	for _, text := range of {
		if n := k.Novelty(text); n.Far {
			far = append(far, n)
		}
	}
	return far
}

// WarnFar returns the texts that lie far from the domain's descriptions, and warns once of all of them. It needs no
// device.
func (m Model) WarnFar(log *slog.Logger, of []texts.Text) ([]Novelty, error) {
	if m.Known == nil {
		return nil, nil
	}
	known, err := m.Known()
	if err != nil {
		return nil, err
	}
	knowledge, err := NewKnowledge(m.Networks, known)
	if err != nil {
		return nil, err
	}
	of = distinct(of)
	far := knowledge.Far(texts.Strings(of)...)
	if len(far) == 0 {
		return nil, nil
	}
	subject := "the text lies"
	switch {
	case len(of) > 1 && len(far) == 1:
		subject = fmt.Sprintf("1 of %d texts lies", len(of))
	case len(of) > 1:
		subject = fmt.Sprintf("%d of %d texts lie", len(far), len(of))
	}
	log.Warn(fmt.Sprintf("%s far from all that domain %s knows: %.0f %% of %q is in none of its descriptions",
		subject, m.Domain, 100*far[0].Share, far[0].Text), "unknown", strings.Join(far[0].Words, ", "))
	return far, nil
}

// distinct returns each text once: a sheet draws one at several strengths.
func distinct(of []texts.Text) (once []texts.Text) {
	seen := make(map[string]bool, len(of))
	for _, text := range of {
		if !seen[text.Text] {
			seen[text.Text] = true
			once = append(once, text)
		}
	}
	return once
}

// share is the weighted mean of the distances of a text's tokens.
func (k *Knowledge) share(tokens []int32, distances map[int32]float64) float64 {
	sum, all := 0.0, 0.0
	for _, id := range tokens {
		weight := math.Log(float64(k.frequency[id] + 2))
		if distances[id] > 0 {
			weight = math.Log(float64(k.Descriptions + 2))
		}
		sum, all = sum+weight*distances[id], all+weight
	}
	if all == 0 {
		return 0
	}
	return sum / all
}

// distances are those of tokens to the nearest known ones that are not in without.
func (k *Knowledge) distances(tokens, without []int32) map[int32]float64 {
	distances := map[int32]float64{}
	for _, id := range tokens {
		if _, measured := distances[id]; !measured {
			distances[id] = k.distance(id, without)
		}
	}
	return distances
}

func (k *Knowledge) distance(id int32, without []int32) float64 {
	nearest := -1.0
	for _, other := range k.known {
		if slices.Contains(without, other) {
			continue
		}
		if other == id {
			return 0
		}
		nearest = max(nearest, vectors.Cosine(k.row(id), k.row(other)))
	}
	return min((1-nearest)/cmp.Or(k.scale, 1), 1)
}

func (k *Knowledge) row(id int32) []float32 { return k.table[int(id)*k.width : (int(id)+1)*k.width] }

// measureScale sets the median distance of the vocabulary's other tokens.
func (k *Knowledge) measureScale() {
	vocabulary := k.tokenizer.VocabSize()
	step := max(1, vocabulary/sampledTokens)
	var distances []float64
	for id := 0; id < vocabulary; id += step {
		if d := k.distance(int32(id), nil); d > 0 {
			distances = append(distances, d)
		}
	}
	if len(distances) > 0 {
		slices.Sort(distances)
		k.scale = distances[len(distances)/2]
	}
}

// calibrate sets the limit by the novelty of each description, whose tokens are given, when only the others are known.
func (k *Knowledge) calibrate(tokens [][]int32) {
	novelties := make([]float64, len(tokens))
	for i, all := range tokens {
		var own []int32
		for _, id := range all {
			if k.frequency[id] == 1 {
				own = append(own, id)
			}
		}
		novelties[i] = k.share(all, k.distances(own, own))
	}
	sorted := slices.Sorted(slices.Values(novelties))
	k.Limit = max(farShare, sorted[int(farQuantile*float64(len(sorted)-1))])
	for _, v := range novelties {
		if v > k.Limit {
			k.FalseAlarms++
		}
	}
}

// tokens are those of a text's words, of any number, without function words.
func (k *Knowledge) tokens(text string) (all []int32) {
	for word := range strings.FieldsSeq(text) {
		if functionWords[strings.ToLower(trimWord(word))] {
			continue
		}
		ids := k.tokenizer.Encode(word).IDs[1:]
		if end := slices.Index(ids, k.tokenizer.EndID()); end >= 0 {
			ids = ids[:end]
		}
		all = append(all, ids...)
	}
	return all
}

// trimWord removes what is neither a letter nor a number at both ends of a word.
func trimWord(word string) string {
	return strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// functionWords have no part in the measure: any text may hold them, and few of a domain's descriptions do.
var functionWords = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(`a an the this that these those some any no not all both each every
		i you he she it we they me him her us them my your his its our their who whose which what
		and or but nor so than as if while
		of in on at by to from for with without into onto over under above below between behind before after beside
		near next up down out off through across around against during about along
		is are was were be been being am has have had having do does did can could will would may might must there`) {
		words[word] = true
	}
	return words
}()

// countWords returns the words of descriptions, those of most descriptions first.
func countWords(descriptions []texts.Text) []countedWord {
	count := map[string]int{}
	for _, d := range descriptions {
		words := strings.FieldsFunc(strings.ToLower(d.Text), func(r rune) bool { return !unicode.IsLetter(r) && r != '-' })
		slices.Sort(words)
		for _, word := range slices.Compact(words) {
			count[word]++
		}
	}
	words := make([]countedWord, 0, len(count))
	for word, n := range count {
		words = append(words, countedWord{word, n})
	}
	slices.SortFunc(words, func(a, b countedWord) int {
		return cmp.Or(b.count-a.count, strings.Compare(a.word, b.word))
	})
	return words
}
