package eval

import (
	"fmt"
	"strings"
	"testing"

	"illustrator/data/texts"
	"illustrator/internal/fault"
)

// TestCheckFigure asks for figures before anything is drawn.
func TestCheckFigure(t *testing.T) {
	r := Request{Domain: "d", Metrics: []MetricName{"r_precision", "diversity", "attribute_accuracy", "fid"}}
	for i := range 40 {
		r.Texts = append(r.Texts, texts.Text{Text: fmt.Sprint(i)})
	}
	r.Texts[3].Kind, r.Texts[3].Attributes = "limited", map[string][]string{"hair": {"red"}}
	for name, want := range map[string]string{
		"r_precision_1_of_40": "", "r_precision_1_of_100": "r_precision_1_of_40", "r_precision_1_of_": "r_precision_1_of_40",
		"attribute_accuracy": "", "attribute_accuracy (limited)": "", "attribute_accuracy (hair)": "",
		"attribute_accuracy (1 named)": "", "attribute_accuracy (hat)": "kind or an attribute",
		"diversity": "at least 2 pictures", "clip_similarity": "add clip_similarity to metrics",
		"r_precison_1_of_40": "did you mean r_precision?", "fid": "fid (CLIP d features)", "fid (CLIP d features)": "",
		"fid (CLIP e features)": "fid (CLIP d features)", "attribute_accuracy_1_of_40": "only r_precision",
	} {
		err := r.CheckFigure(name, 1)
		if (err == nil) != (want == "") || err != nil && (!fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), want)) {
			t.Errorf("%s: %v, hint %q; want %q", name, err, fault.HintOf(err), want)
		}
	}
	if err := r.CheckFigure("diversity", 2); err != nil {
		t.Error(err)
	}
	for range 80 {
		r.Texts = append(r.Texts, texts.Text{Text: "more"})
	}
	for _, name := range []string{"r_precision_1_of_100", "r_precision_1_of_120"} {
		if err := r.CheckFigure(name, 1); err != nil {
			t.Error(err)
		}
	}
}
