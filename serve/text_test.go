package serve_test

import (
	"net/url"
	"slices"
	"testing"
)

// Texts that lie far from what the domain knows are named, before and after they are drawn.
func TestFarTexts(t *testing.T) {
	r := lorelei.serve(t)
	type novelty struct {
		Text  string
		Share float64
		Far   bool
		Words []string `json:"unknown_words"`
	}
	const car = "a red sports car on the moon"
	unknown := []string{"sports", "car", "moon"}
	before := decode[novelty](t, get(t, r.URL+"/api/v1/text?text="+url.QueryEscape(car)))
	if !before.Far || before.Share < 0.5 || before.Text != car || !slices.Equal(before.Words, unknown) {
		t.Errorf("before: %+v", before)
	}
	if near := decode[novelty](t, get(t, r.URL+"/api/v1/text?text=a+wizard+with+round+glasses")); near.Far ||
		len(near.Words) > 0 {
		t.Errorf("near: %+v", near)
	}
	after := decode[struct{ Far []novelty }](t, post(t, r.URL+"/api/v1/generate", object{"text": car, "count": 2}))
	if len(after.Far) != 1 || !slices.Equal(after.Far[0].Words, unknown) {
		t.Errorf("after: %+v", after)
	}
	after = decode[struct{ Far []novelty }](t, post(t, r.URL+"/api/v1/generate", object{"text": "a wizard"}))
	if after.Far != nil {
		t.Errorf("of a known text: %+v", after)
	}
	knows := decode[struct {
		Knows struct {
			Attributes   []struct{ Name string }
			Words        []string
			Descriptions int
			FalseAlarms  int `json:"false_alarms"`
		}
	}](t, get(t, r.URL+"/api/v1/domain")).Knows
	if len(knows.Attributes) != 10 || knows.Descriptions != 140 || knows.FalseAlarms != 0 ||
		!slices.Contains(knows.Words, "glasses") || slices.Contains(knows.Words, "a") {
		t.Errorf("the domain knows %+v", knows)
	}
}
