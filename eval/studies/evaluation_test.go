package studies

import (
	"errors"
	"strings"
	"testing"

	"illustrator/eval"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
)

// A report is partial where pictures were skipped, or a metric that was asked for by name is missing.
func TestPartialReports(t *testing.T) {
	skipped := []eval.Skipped{{File: "a.png", Reason: "cut\nshort"}}
	figures := []metrics.Metric{{Definition: metrics.Definition{Name: "fid (clip)"}}}
	refused := []eval.Refused{{Metric: "kid", Reason: "too few pictures"}}
	for want, r := range map[string]Report{
		"": {Result: &eval.Result{Metrics: figures, Refused: refused}, Asked: []eval.MetricName{"fid"}},
		"1 of 4 pictures were skipped, the first is a.png: cut; short": {
			Result: &eval.Result{Pictures: 3, Skipped: skipped}},
		"1 pictures of the reference and 0 of 3 others were skipped": {
			Result: &eval.Result{Pictures: 3, SkippedReference: skipped}},
		"kid could not be measured: too few pictures": {
			Result: &eval.Result{Metrics: figures, Refused: refused}, Asked: []eval.MetricName{"fid", "kid"}},
	} {
		err := r.Partial()
		if want == "" && err != nil || want != "" && (!errors.Is(err, fault.ErrPartial) ||
			!strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestStudyNames(t *testing.T) {
	for ref, want := range map[string]string{"losses": "losses", "my/own.study.yaml": "own.study"} {
		if got := NameOf(ref); got != want {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
}
