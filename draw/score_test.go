package draw

import (
	"math"
	"slices"
	"strings"
	"testing"

	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/models/classifier"
)

var people = classifier.Config{Attributes: []classifier.Attribute{
	{Name: "beard", Values: []string{"none", "beard"}},
	{Name: "hair", Values: []string{"short", "long", "bald"}},
	{Name: "skin", Values: []string{"light", "dark"}},
}}

func TestJudgeCountsNamedAttributes(t *testing.T) {
	text := texts.Text{Text: "x", Attributes: map[string][]string{"hair": {"short", "bald"}, "beard": {"beard"}}}
	for _, c := range []struct {
		seen  []int
		count int
		wrong []string
	}{
		{[]int{1, 0, 0}, 2, nil},
		{[]int{1, 2, 1}, 2, nil}, // the second accepted value; skin is not named
		{[]int{0, 2, 0}, 1, []string{"beard: none"}},
		{[]int{0, 1, 0}, 0, []string{"beard: none", "hair: long"}},
	} {
		var s Score
		if err := s.judge(people, text, c.seen); err != nil {
			t.Fatal(err)
		}
		if s.Named != 2 || s.Found != c.count || !slices.Equal(s.Wrong, c.wrong) {
			t.Errorf("seen %v: %+v, want %d found, wrong %q", c.seen, s, c.count, c.wrong)
		}
	}
	var s Score
	if err := s.judge(people, texts.Text{Text: "x"}, []int{0, 0, 0}); err != nil || s.Named != 0 {
		t.Errorf("a text that names nothing: %+v, %v", s, err)
	}
	shoes := texts.Text{Text: "x", Attributes: map[string][]string{"shoes": {"red"}}}
	if err := s.judge(people, shoes, []int{0, 0, 0}); err == nil {
		t.Error("an unknown attribute is judged")
	}
}

func TestCheckTextsNamesTheMistake(t *testing.T) {
	for _, c := range []struct {
		attributes    map[string][]string
		message, hint string
	}{
		{map[string][]string{"bread": {"beard"}}, `text "a wizard": attribute "bread" is unknown`, "did you mean beard?"},
		{map[string][]string{"xyzzy": {"beard"}}, `attribute "xyzzy" is unknown`, "beard, hair, skin"},
		{map[string][]string{"hair": {"short", "blad"}}, `hair has no value "blad"`, "did you mean bald?"},
		{map[string][]string{"hair": {}}, "hair accepts no value", "short, long, bald"},
	} {
		err := CheckTexts(people, []texts.Text{{Text: "fine"}, {Text: "a wizard", Attributes: c.attributes}})
		if err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), c.message) ||
			!strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%v: error %v, hint %q", c.attributes, err, fault.HintOf(err))
		}
	}
	fine := texts.Text{Text: "x", Attributes: map[string][]string{"hair": {"bald"}, "skin": {"dark"}}}
	if err := CheckTexts(people, []texts.Text{fine}); err != nil {
		t.Error(err)
	}
}

func TestSummarize(t *testing.T) {
	descriptions := []texts.Text{{Kind: "limited"}, {Kind: "limited"}, {Kind: "open-world"}, {Kind: "silent"}, {}}
	scores := []Score{
		{CLIPSimilarity: 0.5, Found: 3, Named: 4}, {CLIPSimilarity: 0.1, Found: 0, Named: 1},
		{CLIPSimilarity: 0.2, Found: 1, Named: 1}, {CLIPSimilarity: -0.3}, {CLIPSimilarity: 0.5, Found: 1, Named: 2},
	}
	s := Summarize(descriptions, scores)
	// Attributes are counted, not averaged text by text: 5 of 8.
	if s.Pictures != 5 || math.Abs(s.CLIPSimilarity-0.2) > 1e-12 ||
		s.AttributeAccuracy == nil || *s.AttributeAccuracy != 5.0/8 {
		t.Errorf("%+v", s)
	}
	if len(s.ByKind) != 2 || s.ByKind["limited"] != 3.0/5 || s.ByKind["open-world"] != 1 {
		t.Errorf("by kind: %v", s.ByKind)
	}
	if s := Summarize([]texts.Text{{}}, []Score{{CLIPSimilarity: 0.5}}); s.AttributeAccuracy != nil || s.ByKind != nil {
		t.Errorf("texts that name nothing have an accuracy: %+v", s)
	}
	if s := Summarize(nil, nil); s.Pictures != 0 || s.CLIPSimilarity != 0 || s.AttributeAccuracy != nil {
		t.Errorf("no pictures: %+v", s)
	}
}
