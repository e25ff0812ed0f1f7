package draw

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/internal/vectors"
	"illustrator/models/classifier"
)

// Score measures how well one picture matches its text.
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

// score embeds the pictures that ask for it, compares them with their texts, and has the domain's classifier look for
// the attributes that texts name, or for all where a recipe asks for them.
func (b *drawing) score(ctx context.Context, all []*Picture) error {
	var group []int
	classify := false
	for i, r := range b.recipes {
		if r.Score || r.embed {
			group = append(group, i)
			classify = classify || b.Classifier != nil && (len(r.Text.Attributes) > 0 || r.Attributes)
		}
	}
	if len(group) == 0 {
		return nil
	}
	size := b.Generator.Size
	images := gather(b.images, 3*size*size, group)
	embeds, err := b.EmbedImages(ctx, images, size, size)
	if err != nil {
		return err
	}
	var seen [][]int
	if classify {
		if seen, err = b.Classify(ctx, images); err != nil {
			return err
		}
	}
	for at, i := range group {
		p := all[i]
		p.Embed = row(embeds, b.CLIP.ProjectionDim, at)
		if seen != nil {
			p.Seen = seen[at]
		}
		if !p.Recipe.Score {
			continue
		}
		p.Score = &Score{CLIPSimilarity: vectors.Cosine(p.TextEmbed, p.Embed)}
		if seen == nil {
			continue
		}
		if err := p.Score.judge(*b.Classifier, p.Recipe.Text, p.Seen); err != nil {
			return err
		}
	}
	return nil
}

// judge counts the attributes of text whose value, seen by the classifier, is one of those accepted.
func (s *Score) judge(cfg classifier.Config, text texts.Text, seen []int) error {
	for name, a := range Named(cfg, text, seen) {
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

// SeenAttribute holds the value that the classifier sees of a named attribute.
type SeenAttribute struct {
	Seen    string `json:"seen"`
	Correct bool   `json:"correct"`
}

// Named yields the attributes that text names, in the classifier's order, with the values that it sees: seen is an
// index into each attribute's values.
func Named(cfg classifier.Config, text texts.Text, seen []int) iter.Seq2[string, SeenAttribute] {
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
func CheckTexts(cfg classifier.Config, of []texts.Text) error {
	for _, t := range of {
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
			err := fmt.Errorf("text %q: attribute %q is unknown to the classifier", text.Text, name)
			return fault.Usage(err, "%s", fault.Choices("the attributes", name, names))
		}
		if len(text.Attributes[name]) == 0 {
			err := fmt.Errorf("text %q: %s accepts no value", text.Text, name)
			return fault.Usage(err, "%s", fault.Choices("the values of "+name, "", known))
		}
		for _, value := range text.Attributes[name] {
			if !slices.Contains(known, value) {
				err := fmt.Errorf("text %q: %s has no value %q", text.Text, name, value)
				return fault.Usage(err, "%s", fault.Choices("the values of "+name, value, known))
			}
		}
	}
	return nil
}

// Summarize takes means over the scores of texts.
func Summarize(of []texts.Text, scores []Score) Summary {
	s := Summary{Pictures: len(scores)}
	right, total := map[string]int{}, map[string]int{}
	allFound, all := 0, 0
	for i, score := range scores {
		s.CLIPSimilarity += score.CLIPSimilarity / float64(len(scores))
		allFound, all = allFound+score.Found, all+score.Named
		if kind := of[i].Kind; kind != "" {
			right[kind] += score.Found
			total[kind] += score.Named
		}
	}
	if all > 0 {
		accuracy := float64(allFound) / float64(all)
		s.AttributeAccuracy = &accuracy
		s.ByKind = map[string]float64{}
		for kind, n := range total {
			if n > 0 {
				s.ByKind[kind] = float64(right[kind]) / float64(n)
			}
		}
	}
	return s
}
