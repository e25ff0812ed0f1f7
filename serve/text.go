package serve

import (
	"net/http"
	"slices"

	"illustrator/draw"
)

// textAnswer describes a text before it is drawn.
type textAnswer struct {
	Characters int    `json:"characters"`
	Cut        string `json:"cut,omitempty"`
	// Novelty is left out where the domain has too few descriptions.
	*draw.Novelty
}

// describeText says what a text's picture will leave out, and how far the text lies from the domain's descriptions.
func (s *studio) describeText(w http.ResponseWriter, r *http.Request) {
	text, p := s.checkText("text", r.URL.Query().Get("text"))
	if p != nil {
		s.fail(w, r, p)
		return
	}
	a := textAnswer{
		Characters: len([]rune(text.Text)), Cut: s.Models[0].Tokenizer.Encode(text.Text).Lost,
	}
	if s.knowledge != nil {
		n := s.knowledge.Novelty(text.Text)
		a.Novelty = &n
	}
	writeJSON(w, http.StatusOK, a)
}

// far are the texts of a request that lie far from the domain's descriptions.
func (s *studio) far(planned *work) []draw.Novelty {
	var all []string
	for _, p := range planned.plans {
		of := []string{p.recipe.Text.Text}
		if way := p.recipe.Way; way != nil {
			of = []string{way.From.Text.Text, way.To.Text.Text}
		}
		for _, text := range of {
			if !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return s.knowledge.Far(all...)
}

const (
	mostWords   = 120 // of a domain's descriptions that clients see
	commonShare = 3   // words of more than a third of the descriptions say little
)

// functionWords name nothing that a picture could show. Shorter ones are not listed.
var functionWords = []string{"the", "and", "with", "very", "against", "from", "for", "his", "her", "its", "who", "has",
	"that", "behind", "under", "over", "front", "both"}

func isFunctionWord(word string) bool { return len(word) < 3 || slices.Contains(functionWords, word) }

// knows describes what the domain can draw: the attributes of its classifier, words of its descriptions, and how the
// limit of far texts was calibrated.
func (s *studio) knows() map[string]any {
	attributes := []map[string]any{}
	if c := s.Models[0].Classifier; c != nil {
		for _, a := range c.Attributes {
			attributes = append(attributes, map[string]any{"name": a.Name, "values": a.Values})
		}
	}
	known := map[string]any{"attributes": attributes, "words": []string{}}
	if k := s.knowledge; k != nil {
		words := slices.DeleteFunc(k.Words(k.Descriptions/commonShare), isFunctionWord)
		known["words"] = words[:min(len(words), mostWords)]
		known["descriptions"], known["false_alarms"], known["limit"] = k.Descriptions, k.FalseAlarms, k.Limit
	}
	return known
}
