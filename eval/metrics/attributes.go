package metrics

import (
	"fmt"

	"illustrator/internal/fault"
)

// AttributeAccuracy is the share of attributes named in texts that a classifier finds in the pictures.
var AttributeAccuracy = Definition{Name: "attribute_accuracy", Unit: Share, Better: Higher}

// Judgement reports whether the picture of a text and a seed shows one attribute that the text names.
type Judgement struct {
	Text      int
	Seed      uint64
	Attribute string
	Correct   bool
}

// Accuracies are shares of judgements that are correct.
type Accuracies struct {
	Overall Metric `json:"overall"`
	// ByAttribute is over the judgements of one attribute, ByNamed over those of pictures whose texts name that number of
	// attributes.
	ByAttribute map[string]Metric `json:"by_attribute"`
	ByNamed     map[int]Metric    `json:"by_named"`
}

// Accuracy returns AttributeAccuracy of judgements: every judgement counts the same, so a text that names more counts
// more. An attribute of a picture is judged once.
func Accuracy(judgements []Judgement) (Accuracies, error) {
	type picture struct {
		text int
		seed uint64
	}
	named, seen := map[picture]int{}, map[Judgement]bool{}
	for _, j := range judgements {
		key := Judgement{Text: j.Text, Seed: j.Seed, Attribute: j.Attribute}
		if seen[key] {
			return Accuracies{}, fault.Usage(fmt.Errorf("%s: text %d, seed %d: %q is judged twice", AttributeAccuracy.Name,
				j.Text, j.Seed, j.Attribute),
				"draw each text and seed once")
		}
		seen[key] = true
		named[picture{j.Text, j.Seed}]++
	}
	all, byAttribute, byNamed := []Sample(nil), map[string][]Sample{}, map[int][]Sample{}
	for _, j := range judgements {
		s := Sample{Text: j.Text, Seed: j.Seed}
		if j.Correct {
			s.Value = 1
		}
		n := named[picture{j.Text, j.Seed}]
		all, byAttribute[j.Attribute], byNamed[n] = append(all, s), append(byAttribute[j.Attribute], s), append(byNamed[n], s)
	}
	var a Accuracies
	var err error
	if a.Overall, err = Mean(AttributeAccuracy, all); err != nil {
		return Accuracies{}, err
	}
	if a.ByAttribute, err = meansOf(byAttribute); err != nil {
		return Accuracies{}, err
	}
	a.ByNamed, err = meansOf(byNamed)
	return a, err
}

func meansOf[K comparable](groups map[K][]Sample) (map[K]Metric, error) {
	means := make(map[K]Metric, len(groups))
	for key, samples := range groups {
		m, err := Mean(AttributeAccuracy, samples)
		if err != nil {
			return nil, fmt.Errorf("of %v: %w", key, err)
		}
		means[key] = m
	}
	return means, nil
}
