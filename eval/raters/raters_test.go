package raters

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/data/pictures"
	"illustrator/internal/fault"
)

// writeSystem writes a folder of pictures as `illustrator generate` names them: each text has one, of a colour that the
// system's tint and the text decide.
func writeSystem(t testing.TB, folder string, texts, copies int, tint uint8) string {
	t.Helper()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range texts {
		for seed := range copies {
			img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
			for at := range img.Pix {
				x, y := at/4%32, at/4/32
				img.Pix[at] = uint8(40*i + 3*x + 5*y*(at%4) + 70*seed)
				if at%4 == 2 {
					img.Pix[at] = tint
				}
				if at%4 == 3 {
					img.Pix[at] = 255
				}
			}
			meta := []pictures.Meta{{Key: "Description", Value: text(i)}, {Key: "Seed", Value: fmt.Sprint(seed)}}
			path := filepath.Join(folder, fmt.Sprintf("%05d-seed%d.png", i, seed))
			if err := pictures.WritePNG(path, img, meta); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folder
}

func text(i int) string { return fmt.Sprintf("a wizard who holds item number %d and smiles", i) }

// options are those of most tests.
func options() Options {
	return Options{Ask: Pairs, Aspects: []Aspect{Match, Quality}, Seed: 5, Raters: 4, Items: 20, Controls: 5, Repeats: 5,
		Overlap: 2}
}

// export writes a study of three systems with n texts.
func export(t testing.TB, n int, o Options) (*Study, Summary, string) {
	t.Helper()
	folder := t.TempDir()
	var folders []string
	for i, name := range []string{"plain", "mapper", "retrieval"} {
		folders = append(folders, writeSystem(t, filepath.Join(folder, name), n, 1, uint8(90*i)))
	}
	out := filepath.Join(folder, "study")
	summary, err := Export(context.Background(), Sources(folders), o, out)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadStudy(out)
	if err != nil {
		t.Fatal(err)
	}
	return s, summary, out
}

// TestPlan holds the lists to their promises: balanced, random, with controls and late repeats, the same for a seed.
func TestPlan(t *testing.T) {
	s, summary, out := export(t, 12, options())
	if summary.Texts != 12 || summary.Items != 36 || summary.PerItem != [2]int{2, 3} || summary.Controls != 10 ||
		summary.Repeats != 10 || summary.Questions != 60 {
		t.Errorf("%+v", summary)
	}
	orders := map[string]bool{}
	for rater, list := range s.Lists {
		swapped, first, seen := 0, map[int]int{}, map[int]bool{}
		for at, q := range list {
			if at == len(list)/2 {
				clear(first)
				clear(seen)
			}
			if q.Aspect != s.Aspects[at/(len(list)/2)] {
				t.Errorf("rater %d: question %d asks about %s", rater, at, q.Aspect)
			}
			if !q.Repeat && seen[q.Item] {
				t.Errorf("rater %d: item %d is asked again", rater, q.Item)
			}
			seen[q.Item] = true
			if !q.Repeat {
				first[q.Item] = at
				if q.Swapped && s.Items[q.Item].Control == "" {
					swapped++
				}
				continue
			}
			earlier := list[first[q.Item]]
			if at-first[q.Item] < 3 || earlier.Swapped == q.Swapped {
				t.Errorf("rater %d: question %d repeats question %d, sides %v", rater, at, first[q.Item], q.Swapped)
			}
		}
		if swapped != 20 {
			t.Errorf("rater %d: %d of 40 items have their sides changed", rater, swapped)
		}
		orders[fmt.Sprint(list)] = true
	}
	if len(orders) != len(s.Lists) {
		t.Error("raters get the same list")
	}
	for _, item := range s.Items {
		if item.Control == Match && item.Pictures[0].Source == item.Pictures[1].Source {
			t.Errorf("a control shows %s beside itself", item.Pictures[0].Source)
		}
	}
	again, _, _ := export(t, 12, options())
	if fmt.Sprint(again.Lists) != fmt.Sprint(s.Lists) {
		t.Error("the same seed gives other lists")
	}
	raw, err := os.ReadFile(filepath.Join(out, pageFolder, pageName(1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"plain", "mapper", "retrieval", "ontrol", "epeat\""} {
		if _, page, _ := strings.Cut(string(raw), `type="application/json"`); strings.Contains(page, secret) &&
			!strings.Contains(pageScript, secret) {
			t.Errorf("the page says %q", secret)
		}
	}
}

// simulated is a simulated rater, who judges by the systems' strengths.
type simulated struct {
	strengths []float64
	tie       float64 // share of answers that are ties
	careless  float64 // share of answers that are guesses
	left      bool    // always the left one
}

func (s simulated) answer(study *Study, rater int, r *rand.Rand) Answers {
	a := Answers{Study: study.ID, Rater: rater, Name: fmt.Sprintf("simulated %d", rater)}
	for i, q := range study.Lists[rater-1] {
		answer := Answer{Question: i + 1, Seconds: 1 + r.Float64()}
		item := study.Items[q.Item]
		if study.Ask == Ratings {
			answer.Rating = s.rate(item, r)
		} else {
			answer.Choice = s.choose(item, q, r)
		}
		a.Answers = append(a.Answers, answer)
	}
	return a
}

func (s simulated) choose(item Item, q Question, r *rand.Rand) Choice {
	win := 0.98 // of a control
	if item.Control == "" {
		win = 1 / (1 + math.Exp(s.strengths[item.Pictures[1].System]-s.strengths[item.Pictures[0].System]))
	}
	if r.Float64() < s.careless {
		win = 0.5
	}
	switch first := r.Float64() < win; {
	case s.left:
		return Left
	case item.Control == "" && r.Float64() < s.tie:
		return Tie
	case first != q.Swapped:
		return Left
	}
	return Right
}

func (s simulated) rate(item Item, r *rand.Rand) int {
	value := 1.3
	if item.Control == "" {
		value = 3 + s.strengths[item.Pictures[0].System] + 0.8*r.NormFloat64()
	}
	if r.Float64() < s.careless {
		value = 1 + 4*r.Float64()
	}
	return int(math.Round(min(max(value, 1), 5)))
}

var known = []float64{-1, 0.2, 0.8}

// TestSimulatedRaters finds the strengths of simulated raters, and rejects those who guess.
func TestSimulatedRaters(t *testing.T) {
	o := options()
	o.Raters, o.Items, o.Overlap, o.Controls = 12, 60, 4, 6
	s, _, _ := export(t, 60, o)
	r := rand.New(rand.NewPCG(3, 0))
	var answers []Answers
	for rater := range o.Raters {
		who := simulated{strengths: known, tie: 0.1}
		switch rater {
		case 3:
			who.careless = 1
		case 7:
			who.left = true
		}
		answers = append(answers, who.answer(s, rater+1, r))
	}
	a, err := Analyse(s, answers, DefaultRule())
	if err != nil {
		t.Fatal(err)
	}
	for i, rater := range a.Raters {
		if rejected := rater.Rejected != ""; rejected != (i == 3 || i == 7) {
			t.Errorf("simulated rater %+v", rater)
		}
	}
	for _, result := range a.Results {
		for i, system := range result.Systems {
			at := system.Strength.Interval
			// Ties draw strengths together: a tenth of ties takes about a tenth.
			if !(math.Abs(system.Strength.Value-0.9*known[i]) < 0.25) || at.High-at.Low > 0.8 || at.High-at.Low < 0.1 {
				t.Errorf("%s: %s has strength %g %v, want about %g", result.Aspect, system.Name, system.Strength.Value, at,
					0.9*known[i])
			}
		}
		if result.Agreement == nil || *result.Agreement < 0.1 || *result.Agreement > 0.5 {
			t.Errorf("%s: agreement %v %s", result.Aspect, result.Agreement, result.NoAgreement)
		}
	}
}

// TestRuleOnSimulatedRaters counts how often the default rule rejects careful raters and lets those through who guess.
func TestRuleOnSimulatedRaters(t *testing.T) {
	s, _, _ := export(t, 30, options())
	r := rand.New(rand.NewPCG(4, 0))
	rejected := func(who simulated) float64 {
		n := 0
		for range 1000 {
			if DefaultRule().judge(s, who.answer(s, 1, r)).Rejected != "" {
				n++
			}
		}
		return float64(n) / 1000
	}
	careful, equal := rejected(simulated{strengths: known, tie: 0.1}), rejected(simulated{strengths: []float64{0, 0, 0}})
	guess, left := rejected(simulated{strengths: known, careless: 1}), rejected(simulated{strengths: known, left: true})
	t.Logf("rejected with 10 controls and 10 repeats: careful %.3f, careful but systems are equal %.3f, who guess %.3f, "+
		"always left %.3f", careful, equal, guess, left)
	if careful > 0.01 || equal > 0.1 || guess < 0.9 || left < 0.99 {
		t.Error("the rule rejects others than it should")
	}
}

// TestRatings derives comparisons from ratings.
func TestRatings(t *testing.T) {
	o := options()
	o.Ask, o.Items, o.Raters, o.Controls = Ratings, 60, 6, 5
	s, summary, _ := export(t, 40, o)
	if summary.Items != 120 && summary.Items != 180 {
		t.Errorf("%+v", summary)
	}
	r := rand.New(rand.NewPCG(3, 0))
	var answers []Answers
	for rater := range o.Raters {
		answers = append(answers, simulated{strengths: known}.answer(s, rater+1, r))
	}
	answers[2] = simulated{strengths: known, careless: 1}.answer(s, 3, r)
	a, err := Analyse(s, answers, DefaultRule())
	if err != nil {
		t.Fatal(err)
	}
	if a.Kept != 5 || a.Raters[2].Rejected == "" {
		t.Errorf("%+v", a.Raters)
	}
	systems := a.Results[0].Systems
	for i := range systems {
		if m := systems[i].Rating; !(math.Abs(m.Value-3-known[i]) < 0.3) || m.Interval == nil {
			t.Errorf("%s is rated %+v, want about %g", systems[i].Name, m, 3+known[i])
		}
		if i > 0 && systems[i].Strength.Value <= systems[i-1].Strength.Value {
			t.Errorf("strengths %g and %g", systems[i-1].Strength.Value, systems[i].Strength.Value)
		}
	}
}

// TestBadAnswers has each mistake named, with a hint, as a mistake of the user.
func TestBadAnswers(t *testing.T) {
	s, _, out := export(t, 6, options())
	good := simulated{strengths: known}.answer(s, 1, rand.New(rand.NewPCG(1, 0)))
	encode := func(change func(*Answers)) string {
		a := good
		a.Answers = slices.Clone(good.Answers)
		change(&a)
		raw, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	plain := encode(func(*Answers) {})
	for want, content := range map[string]string{
		`study is "other"`:                          encode(func(a *Answers) { a.Study = "other" }),
		"rater is 9":                                encode(func(a *Answers) { a.Rater = 9 }),
		"answers[3]: question is 99":                encode(func(a *Answers) { a.Answers[3].Question = 99 }),
		"answers[3]: question 1 is answered before": encode(func(a *Answers) { a.Answers[3].Question = 1 }),
		`answers[3]: choice is ""`:                  encode(func(a *Answers) { a.Answers[3].Choice = "" }),
		`answers[3]: choice is "up"`:                encode(func(a *Answers) { a.Answers[3].Choice = "up" }),
		"answers[3]: seconds is -1":                 encode(func(a *Answers) { a.Answers[3].Seconds = -1 }),
		"answers[3]: choice is \"left\"": encode(func(a *Answers) {
			a.Answers[3].Choice, a.Answers[3].Rating = Left, 3
		}),
		`unknown field "ratr"`:                         strings.Replace(plain, `"rater"`, `"ratr"`, 1),
		"byte 59: invalid character 'N'":               `{"study":"x","rater":1,"answers":[{"question":1,"seconds":NaN}]}`,
		"the JSON ends too early":                      plain[:len(plain)/2],
		"more follows the value":                       plain + plain,
		"rater is a string; it must be a whole number": strings.Replace(plain, `"rater":1`, `"rater":"1"`, 1),
		"rater is 0":                                   strings.Replace(plain, `"rater":1,`, "", 1),
	} {
		path := filepath.Join(t.TempDir(), "answers.json")
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := ReadAnswers(s, path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) ||
			!fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("error %v, hint %q; want %q", err, fault.HintOf(err), want)
		}
	}
	folder := t.TempDir()
	for _, name := range []string{"a.json", "b.json"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(plain), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadAnswers(s, folder); err == nil || !strings.Contains(err.Error(), "answers of rater 1 are in") {
		t.Errorf("two files of one rater: %v", err)
	}
	if _, err := ReadAnswers(s, out); err == nil || !strings.Contains(err.Error(), "holds no answers") {
		t.Errorf("a folder without answers: %v", err)
	}
	path := filepath.Join(out, studyFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(raw), `"swapped": true`, `"swapped": false`, 1)
	if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadStudy(out); err == nil || !strings.Contains(err.Error(), "it was changed") {
		t.Errorf("a changed study: %v", err)
	}
}

// TestWhatCannotBeExported names each mistake.
func TestWhatCannotBeExported(t *testing.T) {
	folder := t.TempDir()
	a := writeSystem(t, filepath.Join(folder, "a"), 3, 1, 0)
	b := writeSystem(t, filepath.Join(folder, "b"), 3, 1, 99)
	same := writeSystem(t, filepath.Join(folder, "same"), 3, 1, 0)
	empty := filepath.Join(folder, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		folders []string
		change  func(*Options)
	}{
		"1 systems cannot be compared": {[]string{a}, func(*Options) {}},
		"is named more than once":      {[]string{a, a}, func(*Options) {}},
		"holds none":                   {[]string{a, empty}, func(*Options) {}},
		"identical pictures":           {[]string{a, same}, func(*Options) {}},
		"raters is 0":                  {[]string{a, b}, func(o *Options) { o.Raters = 0 }},
		"aspects is empty":             {[]string{a, b}, func(o *Options) { o.Aspects = nil }},
		"would get 5000500 questions, at most": {[]string{a, b}, func(o *Options) {
			o.Raters, o.Items, o.Controls, o.Repeats, o.Aspects = 5, 100_000, 50, 0, []Aspect{Match, Quality}
			o.Raters = 25
			o.Items = 99_960
		}},
	} {
		o := options()
		c.change(&o)
		_, err := Export(context.Background(), Sources(c.folders), o, filepath.Join(folder, "out"))
		if err == nil || !strings.Contains(err.Error(), strings.Fields(want)[0]) || !fault.IsUsage(err) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	out := filepath.Join(folder, "out")
	if _, err := Export(context.Background(), Sources([]string{a, b}), options(), out); err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Seed++
	if _, err := Export(context.Background(), Sources([]string{a, b}), o, filepath.Join(folder, "out")); err == nil ||
		!strings.Contains(err.Error(), "holds another study") {
		t.Errorf("over another study: %v", err)
	}
}

// TestMosaic spoils a picture and keeps its size.
func TestMosaic(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 70, 65))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	out := mosaic(img)
	if out.Bounds() != img.Bounds() {
		t.Errorf("the mosaic has %v", out.Bounds())
	}
	colours := map[color.Color]bool{}
	for y := range 65 {
		for x := range 70 {
			colours[out.At(x, y)] = true
		}
	}
	if len(colours) > 9*9 {
		t.Errorf("%d colours", len(colours))
	}
}
