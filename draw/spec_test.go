package draw

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// undrawn is a model that can plan and not draw: of 6 layers.
func undrawn() Model {
	m := Model{Alpha: 1.75, Networks: &pipeline.Networks{}}
	m.Generator.Size = 16
	return m
}

// A Spec, as the API has it, becomes a plan, or names its first invalid field.
func TestPlan(t *testing.T) {
	for spec, want := range map[string]string{
		`{}`:                                      "noise [0] 0 0 1.75",
		`{"count": 4}`:                            "z [0 1 2 3] 0 0.4 1.75",
		`{"count": 1}`:                            "z [0] 0 0.4 1.75",
		`{"seeds": [4, 2]}`:                       "noise [4 2] 0 0 1.75",
		`{"inject_index": 3}`:                     "style [0] 3 0 1.75",
		`{"inject_index": 3, "count": 2}`:         "style [0 1] 3 0 1.75",
		`{"inject_index": 0}`:                     "style [0] 0 0 1.75",
		`{"best_of": 2, "count": 2, "seed": 5}`:   "z [5 6 7 8] 0 0.4 1.75",
		`{"diversity": "style", "alpha": 0}`:      "style [0] 1 0 0",
		`{"diversity": "", "spread": 1}`:          "z [0] 0 1 1.75",
		`{"refine": 5, "seed": 9}`:                "noise [9] 0 0 1.75",
		`{"seed": 18446744073709551615}`:          "noise [18446744073709551615] 0 0 1.75",
		`{"noise_mode": "const", "seeds": [1,2]}`: "noise [1 2] 0 0 1.75",

		`{"count": 0}`:                                             "count out_of_range 1 100000",
		`{"best_of": -1}`:                                          "best_of out_of_range 1 100000",
		`{"count": 1000, "best_of": 101}`:                          "best_of conflict with count",
		`{"count": 2, "seed": 18446744073709551615}`:               "seed out_of_range 0 18446744073709551614",
		`{"seeds": [1], "count": 2}`:                               "count conflict with seeds",
		`{"seeds": [1], "best_of": 2}`:                             "best_of conflict with seeds",
		`{"seeds": [1], "seed": 2}`:                                "seed conflict with seeds",
		`{"seeds": [1, 1]}`:                                        "seeds out_of_range <nil> <nil>",
		`{"diversity": "faces"}`:                                   `diversity "faces" is unknown`,
		`{"noise_mode": "loud"}`:                                   "unknown",
		`{"diversity": "noise", "spread": 0.5}`:                    "spread conflict with diversity",
		`{"diversity": "z", "inject_index": 2}`:                    "inject_index conflict with diversity",
		`{"inject_index": 2, "spread": 0.5}`:                       "spread conflict with diversity",
		`{"diversity": "style", "inject_index": 0}`:                "inject_index conflict with diversity",
		`{"inject_index": 7}`:                                      "inject_index out_of_range 0 6",
		`{"diversity": "z", "spread": 0}`:                          "spread out_of_range 0 1",
		`{"alpha": -1}`:                                            "alpha out_of_range 0 10",
		`{"truncation_psi": 2.5}`:                                  "truncation_psi out_of_range -2 2",
		`{"count": 2, "diversity": "noise", "noise_mode": "none"}`: "diversity conflict with noise_mode",
		`{"refine": -1}`:                                           "refine out_of_range 0 10000",
		`{"refine": 5, "inject_index": 2}`:                         "refine conflict with inject_index",
		`{"refine": 5, "truncation_psi": 0.5}`:                     "refine conflict with truncation_psi",
	} {
		var s Spec
		err := json.Unmarshal([]byte(spec), &s)
		var p Plan
		if err == nil {
			p, err = undrawn().Plan(s, DefaultLimits())
		}
		if err != nil {
			checkFieldError(t, spec, err, want)
			continue
		}
		if got := fmt.Sprint(p.Diversity, " ", p.Seeds, " ", p.InjectIndex, " ", p.Spread, " ", p.Alpha); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
		recipes := p.Recipes(1, say("x"))
		if len(recipes) != len(p.Seeds) || recipes[0].Model != 1 || recipes[0].Score != (p.BestOf > 1 || p.Refine > 0) {
			t.Errorf("%s: recipes %+v", spec, recipes)
		}
	}
}

func checkFieldError(t *testing.T, spec string, err error, want string) {
	t.Helper()
	var e *FieldError
	if !errors.As(err, &e) {
		if !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
		return
	}
	got := fmt.Sprint(e.Field, " ", e.Code)
	switch e.Code {
	case OutOfRange:
		got += fmt.Sprint(" ", e.Low, " ", e.High)
	case Conflict:
		got += " with " + e.Other
	}
	if got != want || e.Want() == "" || e.Error() == "" {
		t.Errorf("%s: %s (%v: %s), want %s", spec, got, e, e.Want(), want)
	}
}

// A server's limits are its own.
func TestLimits(t *testing.T) {
	l := Limits{Count: 9, BestOf: 4, Candidates: 20, Seed: 100, NoiseModes: []NoiseMode{RandomNoise}}
	two, ten, far, alpha := 2, 10, uint64(101), 11.0
	for name, s := range map[string]Spec{
		"count": {Count: &ten}, "seed": {Count: &two, Settings: Settings{Seed: &far}}, "refine": {Refine: 1},
		"alpha":      {Settings: Settings{Alpha: &alpha}},
		"noise_mode": {Settings: Settings{NoiseMode: "const"}}, "seeds": {Seeds: []uint64{101}}, "best_of": {BestOf: &ten},
	} {
		_, err := undrawn().Plan(s, l)
		var e *FieldError
		if !errors.As(err, &e) || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The best of each group come first, whatever batch they were drawn in; without a choice all stay in order.
func TestChoice(t *testing.T) {
	similarities := []float64{0.3, 0.1, 0.2, 0.25, 0.1, 0.1, 0.5, 0}
	recipes := make([]Recipe, len(similarities))
	for i := range recipes {
		recipes[i].Seed = uint64(100 + i)
	}
	kept := func(w *Work) (seeds []uint64, last *Picture) {
		for w.waiting() > 0 {
			task := w.Take()
			i := int(task.Recipe.Seed - 100)
			finished, _ := w.Put(task, &Picture{Recipe: task.Recipe, Score: &Score{CLIPSimilarity: similarities[i]}})
			for at, p := range finished {
				if p.Index != len(seeds)+at {
					t.Errorf("picture %d has index %d", len(seeds)+at, p.Index)
				}
				last = p
			}
			for _, p := range finished {
				seeds = append(seeds, p.Recipe.Seed)
			}
			if w.Held() > 2 {
				t.Errorf("%d pictures are held", w.Held())
			}
		}
		return seeds, last
	}
	w := NewWork(recipes, Choice{Of: 4, Keep: 2})
	got, last := kept(w)
	if !slices.Equal(got, []uint64{100, 103, 106, 104}) || w.Results() != 4 || w.Held() != 0 {
		t.Errorf("kept %v", got)
	}
	for i, c := range last.Candidates {
		if c.Seed != uint64(104+i) || c.CLIPSimilarity != similarities[4+i] {
			t.Errorf("candidate %d is %+v", i, c)
		}
	}
	all, last := kept(NewWork(recipes, Choice{}))
	if len(all) != 8 || !slices.IsSorted(all) || last.Candidates != nil {
		t.Errorf("without a choice: %v", all)
	}
}

// Enums read and write their names, and list them where a name is unknown.
func TestEnums(t *testing.T) {
	var k Keep
	if err := k.UnmarshalText(nil); err != nil || k != KeepNothing {
		t.Errorf("keep %q, %v", k, err)
	}
	if err := k.UnmarshalText([]byte("w")); err != nil || k != KeepW {
		t.Errorf("keep %q, %v", k, err)
	}
	for _, err := range []error{
		k.UnmarshalText([]byte("z")), new(Diversity).UnmarshalText([]byte("z ")),
		new(NoiseMode).UnmarshalText([]byte("loud")),
	} {
		if !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), " or ") {
			t.Errorf("%v: hint %q", err, fault.HintOf(err))
		}
	}
	if text, err := json.Marshal(struct{ D Diversity }{ByZ}); err != nil || string(text) != `{"D":"z"}` {
		t.Errorf("%s, %v", text, err)
	}
}
