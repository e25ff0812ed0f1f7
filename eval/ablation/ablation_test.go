package ablation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"illustrator/eval"
	"illustrator/eval/chart"
	"illustrator/eval/metrics"
	"illustrator/eval/report"
	"illustrator/internal/fault"
)

func at(x float64) *float64 { return &x }

// example is a study of three variants over two groups, one of which is shown in both.
func example() *Study {
	return &Study{
		Title: "Example", About: "The comparison.\n\nAnd why.", Base: "lorelei", Train: true, Seeds: []uint64{3, 4, 5},
		Pictures: 1,
		Metrics:  []eval.MetricName{"attribute_accuracy", "fid"}, Columns: []string{"attribute_accuracy", "fid"},
		Reference: "plain", Show: []string{"a cat"},
		Groups: []Group{
			{Name: "Terms", Variants: []Variant{{Name: "plain"}, {Name: "better", Set: []string{"losses.l1=1"}},
				{Name: "same", Set: []string{"losses.l1=2"}}}},
			{Name: "Over α", Axis: "α", Variants: []Variant{{Name: "plain", X: at(1)},
				{Name: "two", X: at(2), Draw: Draw{Alpha: at(2)}}}},
		},
		Claims: []Claim{
			{Text: "Better is better.", Better: "better", Than: "plain", Metric: "attribute_accuracy",
				Because: Because{Holds: "It was made so.", Undecided: "It is not made so."}},
			{Text: "Plain is better", Better: "plain", Than: "better", Metric: "attribute_accuracy"},
			{Text: "Same is better", Better: "same", Than: "plain", Metric: "attribute_accuracy"},
			{Text: "Two is better", Better: "two", Than: "plain", Metric: "fid"},
			{Text: "Lower is better", Better: "better", Than: "plain", Metric: "fid"},
		},
	}
}

// outcomes are made: 60 texts, better is 0.1 above plain, same differs by noise alone, and two failed by all seeds but
// one.
func outcomes(s *Study) []Outcome {
	r := rand.New(rand.NewPCG(1, 1))
	texts := make([]float64, 60)
	for i := range texts {
		texts[i] = 0.5 + 0.1*r.NormFloat64()
	}
	var all []Outcome
	for _, v := range s.Variants() {
		for i, seed := range s.Seeds {
			if v.Name == "two" && i > 0 {
				all = append(all, Outcome{Variant: v.Name, Seed: seed, Failed: "loss l1 is NaN"})
				continue
			}
			add, fid := 0.0, 3.0
			if v.Name == "better" {
				add, fid = 0.1, 1
			}
			var samples []metrics.Sample
			mean := 0.0
			for t, of := range texts {
				value := of + add + 0.02*r.NormFloat64()
				samples = append(samples, metrics.Sample{Text: t, Seed: seed, Value: value})
				mean += value / float64(len(texts))
			}
			all = append(all, Outcome{Variant: v.Name, Seed: seed, Seconds: 2, Pictures: [][]byte{png}, Result: &eval.Result{
				Metrics: []metrics.Metric{
					{Definition: metrics.AttributeAccuracy, Value: mean, N: len(samples)},
					{Definition: metrics.FID, Value: fid + 0.01*r.NormFloat64(), N: len(samples)},
				},
				Samples: map[string][]metrics.Sample{"attribute_accuracy": samples},
			}})
		}
	}
	return all
}

// png is the smallest PNG file: one black pixel.
var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~" +
	"\x9bU\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`" +
	"\x82")

func analysed(t *testing.T) *Analysis {
	t.Helper()
	s := example()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	a, err := Analyse(s, outcomes(s))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnalyse(t *testing.T) {
	a := analysed(t)
	better, same, two := a.row("better"), a.row("same"), a.row("two")
	accuracy := better.Figures["attribute_accuracy"]
	if accuracy.Value < 0.57 || accuracy.Value > 0.63 || accuracy.N != 180 || accuracy.Interval == nil {
		t.Errorf("%+v", accuracy)
	}
	if d := better.Against["attribute_accuracy"]; !d.significant() || d.Value < 0.08 || d.Value > 0.12 ||
		d.Adjusted < d.P {
		t.Errorf("better: %+v", d)
	}
	if d := better.Against["fid"]; !d.significant() || d.Value > -1.9 {
		t.Errorf("fid of better: %+v", d)
	}
	if d := same.Against["attribute_accuracy"]; d.significant() {
		t.Errorf("noise is significant: %+v", d)
	}
	if len(two.Done) != 1 || len(two.Failed) != 2 || two.Against["fid"].significant() {
		t.Errorf("two: %d done, %d failed, %+v", len(two.Done), len(two.Failed), two.Against["fid"])
	}
	if a.row("plain").Against != nil {
		t.Error("the reference is compared with itself")
	}
}

func TestJudge(t *testing.T) {
	judged, err := analysed(t).Judge()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Verdict{Holds, Opposite, Undecided, Undecided, Holds} {
		if judged[i].Verdict != want {
			t.Errorf("%s %s, want %s (%+v)", judged[i].Text, judged[i].Verdict, want, judged[i].Difference)
		}
	}
	s := example()
	a, err := Analyse(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if judged, err = a.Judge(); err != nil || judged[0].Verdict != Unknown {
		t.Errorf("%v %v", judged, err)
	}
}

func TestTablesAndDocument(t *testing.T) {
	a := analysed(t)
	markdown, err := a.Table("example").Encode(".md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"plain (reference)", "1 of 3", "differs from \"plain\""} {
		if !strings.Contains(string(markdown), want) {
			t.Errorf("no %q in\n%s", want, markdown)
		}
	}
	csv, err := a.Table("example").Encode(".csv")
	if err != nil || !strings.Contains(string(csv), "seed 4: loss l1 is NaN; seed 5: loss l1 is NaN") {
		t.Errorf("%v\n%s", err, csv)
	}
	differences, err := a.Differences("d").Encode(".csv")
	if err != nil || !strings.Contains(string(differences), "attribute_accuracy_p_holm") ||
		strings.Contains(string(differences), "plain") {
		t.Errorf("%v\n%s", err, differences)
	}
	curves := chart.Figure{Title: "Losses",
		Panels: []chart.Panel{{Title: "l1",
			Series: []chart.Series{{Name: "better", Points: []chart.Point{{X: 1, Y: 1}, {X: 2, Y: 0.5}}}}}}}
	d, err := a.Document([]report.Fact{{Name: "Command", Value: "illustrator ablate example"}}, &curves)
	if err != nil {
		t.Fatal(err)
	}
	html, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Holds here: Better is better.", "It was made so.",
		"The opposite holds here: Plain is better.", "two, seed 4: loss l1 is NaN",
		"And why.", "data:image/png;base64,", "Over α", "Losses of the trainings"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("no %q in the report", want)
		}
	}
	for _, want := range []string{"texts and seeds (60 texts, 3 seeds)", "adjusted for 5 claims", "could be found: 0.0",
		"Named attributes found of"} {
		if !strings.Contains(d.Findings[0], want) {
			t.Errorf("no %q in %s", want, d.Findings[0])
		}
	}
	if strings.Contains(string(html), "It is not made so.") {
		t.Error("the report explains a verdict that is not its own")
	}
	if len(d.Findings) != 5 {
		t.Errorf("findings %q", d.Findings)
	}
}

// Without columns a table has all figures of the metrics: of one that has several names, each.
func TestShownWithoutColumns(t *testing.T) {
	a := analysed(t)
	a.Study.Columns, a.Study.Metrics = nil, []eval.MetricName{"r_precision", "attribute_accuracy", "kid"}
	a.Rows[1].Figures["r_precision_1_of_40"] = metrics.Metric{}
	a.Rows[1].Figures["r_precision_1_of_100"] = metrics.Metric{}
	a.Rows[1].Figures["attribute_accuracy (limited)"] = metrics.Metric{}
	a.Rows[0].Figures["kid (CLIP lorelei features)"] = metrics.Metric{}
	want := "[r_precision_1_of_100 r_precision_1_of_40 attribute_accuracy kid (CLIP lorelei features)]"
	if got := fmt.Sprint(a.shown()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := fmt.Sprint(a.charted()); got != "[r_precision_1_of_100 r_precision_1_of_40]" {
		t.Errorf("charted are %s", got)
	}
}

func TestCheckColumns(t *testing.T) {
	a := analysed(t)
	if err := a.CheckColumns(); err != nil {
		t.Fatal(err)
	}
	a.Study.Columns = []string{"attribute_acuracy"}
	if err := a.CheckColumns(); !fault.IsUsage(err) || fault.HintOf(err) != "did you mean attribute_accuracy?" {
		t.Errorf("%v, %s", err, fault.HintOf(err))
	}
}

func TestAClaimNeedsADirection(t *testing.T) {
	s := example()
	all := outcomes(s)
	for _, o := range all {
		if o.Result != nil {
			o.Result.Metrics = append(o.Result.Metrics, metrics.Metric{Definition: metrics.Definition{Name: "z_std"}, Value: 1})
		}
	}
	s.Claims[0].Metric = "z_std"
	a, err := Analyse(s, all)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Judge(); !fault.IsUsage(err) || !strings.Contains(err.Error(), "only describes") {
		t.Errorf("%v", err)
	}
}

func TestStudyMistakes(t *testing.T) {
	for want, change := range map[string]func(*Study){
		"title is missing":                      func(s *Study) { s.Title = "" },
		"base is missing":                       func(s *Study) { s.Base = "" },
		"seeds is a list of 0":                  func(s *Study) { s.Seeds = nil },
		"seeds is [1 1]":                        func(s *Study) { s.Seeds = []uint64{1, 1} },
		"pictures is 0":                         func(s *Study) { s.Pictures = 0 },
		"shared_stages is 1":                    func(s *Study) { s.SharedStages, s.Train = 1, false },
		"reference_samples is 1":                func(s *Study) { s.ReferenceSamples = 1 },
		"metrics is [attribute_accuracy fid]":   func(s *Study) { s.Manipulate = true },
		"columns is empty":                      func(s *Study) { s.Manipulate, s.Metrics, s.Columns = true, nil, nil },
		`(two): draw.keep: keep "z" is unknown`: func(s *Study) { s.Groups[1].Variants[1].Draw.Keep = "z" },
		"metrics is empty":                      func(s *Study) { s.Metrics = nil },
		`metric "acuracy" is unknown`:           func(s *Study) { s.Metrics = []eval.MetricName{"acuracy"} },
		"show is a list of 13":                  func(s *Study) { s.Show = make([]string, 13) },
		"groups is empty":                       func(s *Study) { s.Groups = nil },
		"groups[0] has no name":                 func(s *Study) { s.Groups[0].Name = "" },
		"groups[0].variants[1] has no name":     func(s *Study) { s.Groups[0].Variants[1].Name = "" },
		`a variant called "better" is there`:    func(s *Study) { s.Groups[0].Variants[2].Name = "better" },
		"sets losses.l1=1, but the study does":  func(s *Study) { s.Train = false },
		"groups[1].variants[1] (two) has no x":  func(s *Study) { s.Groups[1].Variants[1].X = nil },
		"(two): x is -1": func(s *Study) {
			s.Groups[1].LogAxis, s.Groups[1].Variants[1].X = true,
				at(-1)
		},
		"(two): draw.alpha is -1": func(s *Study) { s.Groups[1].Variants[1].Draw.Alpha = at(-1) },
		`(two): draw.projection: projection "all" is unknown`: func(s *Study) {
			s.Groups[1].Variants[1].Draw.Projection =
				"all"
		},
		"(two): draw.truncation_psi is 3": func(s *Study) {
			s.Groups[1].Variants[1].Draw.TruncationPsi =
				at(3)
		},
		"(two): draw.inject_index is -1": func(s *Study) { s.Groups[1].Variants[1].Draw.InjectIndex = -1 },
		`(two): draw.image_prompt is "samples:"`: func(s *Study) {
			s.Groups[1].Variants[1].Draw.ImagePrompt =
				"samples:"
		},
		`image_prompt is "samples:5x"`: func(s *Study) {
			s.Groups[1].Variants[1].Draw.ImagePrompt =
				"samples:5x"
		},
		`reference: the variant "plane" does not exist`: func(s *Study) { s.Reference = "plane" },
		`claims[1]: the variant "best" does not exist`:  func(s *Study) { s.Claims[1].Better = "best" },
		"claims[0] has no text":                         func(s *Study) { s.Claims[0].Text = "" },
	} {
		s := example()
		change(s)
		if err := s.Validate(); err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), want) ||
			fault.HintOf(err) == "" {
			t.Errorf("%v; want %q with a hint", err, want)
		}
	}
}

func TestSamples(t *testing.T) {
	for prompt, want := range map[string]int{"": 0, NoisePrompt: 0, "samples:1": 1, "samples:1000000": 1_000_000} {
		if n, err := (Draw{ImagePrompt: prompt}).Samples(); err != nil || n != want {
			t.Errorf("%q: %d, %v", prompt, n, err)
		}
	}
	for _, prompt := range []string{"samples:0", "samples:-1", "samples:1000001", "many"} {
		if n, err := (Draw{ImagePrompt: prompt}).Samples(); err == nil {
			t.Errorf("%q gives %s", prompt, fmt.Sprint(n))
		}
	}
}

func TestPromptText(t *testing.T) {
	for prompt, want := range map[string]int{"": 0, "a text: 3": 0, "text:1": 1, "text:12": 12} {
		if n, err := (Draw{TextPrompt: &prompt}).PromptText(); err != nil || n != want {
			t.Errorf("%q: %d, %v", prompt, n, err)
		}
	}
	for _, prompt := range []string{"text:", "text:0", "text:-1", "text:1x", "text:one"} {
		if err := (Draw{TextPrompt: &prompt}).validate(); err == nil || !strings.Contains(err.Error(), "text_prompt") {
			t.Errorf("%q gives %v", prompt, err)
		}
	}
}
