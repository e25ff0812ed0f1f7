// Package eval measures how well pictures match their descriptions.
package eval

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"illustrator/data/texts"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/models/classifier"
	"illustrator/models/pipeline"
)

// Score is how well one picture matches its text.
type Score struct {
	// CLIPSimilarity is the cosine of the text's and the picture's CLIP embeddings, by the CLIP that was trained with:
	// it flatters.
	CLIPSimilarity float64 `json:"clip_similarity"`
	// Found of Named attributes are seen in the picture by the domain's classifier.
	Found int `json:"attributes_found"`
	Named int `json:"attributes_named"`
	// Wrong names the attributes that were not found, with what is seen instead.
	Wrong []string `json:"wrong,omitempty"`
}

// Summary is the mean over pictures.
type Summary struct {
	Pictures       int     `json:"pictures"`
	CLIPSimilarity float64 `json:"clip_similarity"`
	// AttributeAccuracy is the share of all named attributes that the classifier finds; null where texts name none.
	AttributeAccuracy *float64 `json:"attribute_accuracy"`
	// ByKind is the same for each kind of description, such as "limited" and "open-world".
	ByKind map[string]float64 `json:"attribute_accuracy_by_kind,omitempty"`
}

// Pictures scores pictures [N,3,H,H] against their texts and the texts' scaled embeddings [N,E].
func Pictures(ctx context.Context, n *pipeline.Networks, texts []texts.Text, textEmbeds, images []float32) ([]Score, error) {
	size := n.Generator.Size
	imageEmbeds, err := n.EmbedImages(ctx, images, size, size)
	if err != nil {
		return nil, err
	}
	return Scores(ctx, n, texts, textEmbeds, imageEmbeds, images)
}

// Scores is Pictures of pictures whose scaled embeddings [N,E] are known.
func Scores(ctx context.Context, n *pipeline.Networks, texts []texts.Text, textEmbeds, imageEmbeds, images []float32) ([]Score, error) {
	dim := n.CLIP.ProjectionDim
	scores := make([]Score, len(texts))
	for i := range scores {
		scores[i].CLIPSimilarity = metrics.Cosine(textEmbeds[i*dim:(i+1)*dim], imageEmbeds[i*dim:(i+1)*dim])
	}
	if n.Classifier == nil || !slices.ContainsFunc(texts, named) {
		return scores, nil
	}
	seen, err := n.Classify(ctx, images)
	if err != nil {
		return nil, err
	}
	for i, text := range texts {
		if err := scores[i].judge(*n.Classifier, text, seen[i]); err != nil {
			return nil, err
		}
	}
	return scores, nil
}

func named(t texts.Text) bool { return len(t.Attributes) > 0 }

// judge counts the attributes of text whose value, seen by the classifier, is one of those accepted.
func (s *Score) judge(cfg classifier.Config, text texts.Text, seen []int) error {
	for name, a := range look(cfg, text, seen) {
		s.Named++
		if a.Correct {
			s.Found++
		} else {
			s.Wrong = append(s.Wrong, fmt.Sprintf("%s: %s", name, a.Seen))
		}
	}
	if s.Named != len(text.Attributes) {
		return unknownAttribute(cfg, text)
	}
	return nil
}

// look yields the attributes that text names, in the classifier's order, with the values that it sees: seen is an index into
// each attribute's values.
func look(cfg classifier.Config, text texts.Text, seen []int) iter.Seq2[string, SeenAttribute] {
	return func(yield func(string, SeenAttribute) bool) {
		for i, a := range cfg.Attributes {
			accepted, ok := text.Attributes[a.Name]
			if !ok {
				continue
			}
			value := a.Values[seen[i]]
			if !yield(a.Name, SeenAttribute{Seen: value, Correct: slices.Contains(accepted, value)}) {
				return
			}
		}
	}
}

// CheckTexts returns an error if a text names an attribute or a value that the classifier does not know.
func CheckTexts(cfg classifier.Config, texts []texts.Text) error {
	for _, t := range texts {
		if err := unknownAttribute(cfg, t); err != nil {
			return err
		}
	}
	return nil
}

func unknownAttribute(cfg classifier.Config, text texts.Text) error {
	values := map[string][]string{}
	var names []string
	for _, a := range cfg.Attributes {
		values[a.Name] = a.Values
		names = append(names, a.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(text.Attributes)) {
		known, ok := values[name]
		if !ok {
			return fault.Usage(fmt.Errorf("text %q: attribute %q is unknown to the classifier", text.Text, name), "%s", choices("the attributes", name, names))
		}
		if len(text.Attributes[name]) == 0 {
			return fault.Usage(fmt.Errorf("text %q: %s accepts no value", text.Text, name), "%s", choices("the values of "+name, "", known))
		}
		for _, value := range text.Attributes[name] {
			if !slices.Contains(known, value) {
				return fault.Usage(fmt.Errorf("text %q: %s has no value %q", text.Text, name, value), "%s", choices("the values of "+name, value, known))
			}
		}
	}
	return nil
}

// choices is a hint: what word was most likely meant to be, or all that it may be.
func choices(what, word string, of []string) string {
	if near := fault.Nearest(word, of); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return fmt.Sprintf("%s are %s", what, strings.Join(of, ", "))
}

// Summarize takes means over the scores of texts.
func Summarize(texts []texts.Text, scores []Score) Summary {
	s := Summary{Pictures: len(scores)}
	found, total := map[string]int{}, map[string]int{}
	allFound, all := 0, 0
	for i, score := range scores {
		s.CLIPSimilarity += score.CLIPSimilarity / float64(len(scores))
		allFound, all = allFound+score.Found, all+score.Named
		if kind := texts[i].Kind; kind != "" {
			found[kind] += score.Found
			total[kind] += score.Named
		}
	}
	if all > 0 {
		accuracy := float64(allFound) / float64(all)
		s.AttributeAccuracy = &accuracy
		s.ByKind = map[string]float64{}
		for kind, n := range total {
			if n > 0 {
				s.ByKind[kind] = float64(found[kind]) / float64(n)
			}
		}
	}
	return s
}
