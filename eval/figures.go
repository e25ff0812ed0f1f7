package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"illustrator/data/texts"
	"illustrator/internal/fault"
)

// CheckFigure returns an error if the results of r, with a number of pictures of each text, cannot have the figure of
// that name, such as "r_precision_1_of_100". Most figures have a metric's name.
func (r *Request) CheckFigure(name string, pictures int) error {
	metric, detail, _ := strings.Cut(strings.TrimSuffix(name, ")"), " (")
	metric, candidates, among := strings.Cut(metric, "_1_of_")
	metric = strings.TrimSuffix(metric, "_whole")
	if !r.wants(MetricName(metric)) {
		if slices.Contains(names, metric) {
			return fault.Usage(fmt.Errorf("%q is not measured", name), "add %s to metrics", metric)
		}
		return fault.Usage(fmt.Errorf("%q is not measured", name), "%s", fault.Choices("the metrics", metric, names))
	}
	switch metric {
	case "r_precision":
		return r.checkCandidates(name, candidates)
	case "diversity", "lpips_diversity":
		if pictures < 2 {
			return fault.Usage(fmt.Errorf("%q compares the pictures of a text, which has one", name),
				"draw at least 2 pictures of each text")
		}
	case "attribute_accuracy":
		if detail != "" && !r.breaksDown(detail) {
			return fault.Usage(fmt.Errorf("%q: no text is of the kind %q or names such an attribute", name, detail),
				"name a kind or an attribute that the texts have")
		}
	case "fid", "kid", "cmmd", "precision", "recall", "density", "coverage":
		if want := fmt.Sprintf("CLIP %s features", r.Domain); detail != want {
			return fault.Usage(fmt.Errorf("%q is not measured", name), "write %q", metric+" ("+want+")")
		}
	}
	if among {
		return fault.Usage(fmt.Errorf("%q is not measured", name), "only r_precision is measured among candidates")
	}
	return nil
}

// checkCandidates checks that R-precision is measured among as many texts: 100, or all.
func (r *Request) checkCandidates(name, candidates string) error {
	all := len(r.Texts)
	if n, err := strconv.Atoi(candidates); err == nil && (n == all || n == 100 && all > 100) {
		return nil
	}
	return fault.Usage(fmt.Errorf("%q is not measured: there are %d texts", name, all),
		"give at least as many texts, or name r_precision_1_of_%d, that among all", all)
}

// breaksDown reports whether the attributes found are counted apart for a kind of text, an attribute or a number of
// them.
func (r *Request) breaksDown(detail string) bool {
	return slices.ContainsFunc(r.Texts, func(t texts.Text) bool {
		_, named := t.Attributes[detail]
		return named || t.Kind == detail || fmt.Sprintf("%d named", len(t.Attributes)) == detail
	})
}
