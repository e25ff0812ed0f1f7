package raters

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// Options say what raters are asked, and how much.
type Options struct {
	Title   string // "" takes the question's
	Ask     Ask
	Aspects []Aspect
	Seed    uint64
	Raters  int
	// Items, Controls and Repeats are of each rater and aspect, at most.
	Items, Controls, Repeats int
	Overlap                  int  // raters of each item, at least, where there are as many
	Embed                    bool // pages hold their pictures
}

// Limits of a study.
const (
	maxRaters    = 10_000
	maxQuestions = 5_000_000 // of all raters
)

func (o *Options) validate() error {
	for _, f := range []struct {
		name             string
		value, low, high int
	}{
		{"raters", o.Raters, 1, maxRaters}, {"items", o.Items, 1, 100_000}, {"controls", o.Controls, 0, 1000},
		{"repeats", o.Repeats, 0, 1000}, {"overlap", o.Overlap, 1, maxRaters},
	} {
		if f.value < f.low || f.value > f.high {
			return invalid(f.name, f.value, "from %d to %d", f.low, f.high)
		}
	}
	if n := o.Raters * len(o.Aspects) * (o.Items + o.Controls + o.Repeats); n > maxQuestions {
		return fault.WithCode(fault.Usage(fmt.Errorf("%d raters would get %d questions, at most %d are written", o.Raters, n,
			maxQuestions), "take fewer raters or items"), ManyQuestions)
	}
	if len(o.Aspects) == 0 {
		return invalid("aspects", fault.Words("empty"), "match, quality, or both")
	}
	if o.Title = strings.TrimSpace(o.Title); o.Title == "" {
		o.Title = map[Ask]string{Pairs: "Which picture is better?", Ratings: "How good are these pictures?"}[o.Ask]
	}
	return nil
}

// planner makes a study of a collection.
type planner struct {
	Options
	*collection
	random    *rand.Rand
	study     *Study
	places    map[string]int // of texts
	copies    *copies
	identical int
}

// group are candidates that one rater gets together: a comparison, or all systems' pictures of a text to rate.
type group []Item

// candidates lists what could be asked, in the random order in which it is taken: systems' pairs by turns, so that a
// part has equally much of each.
func (p *planner) candidates() (taken []group) {
	var lists [][]group
	if p.Ask == Ratings {
		lists = [][]group{p.ratings()}
	} else {
		for a := range p.systems {
			for b := range a {
				lists = append(lists, p.pairs(b, a))
			}
		}
	}
	longest := 0
	for _, list := range lists {
		p.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		longest = max(longest, len(list))
	}
	for i := range longest {
		for _, list := range lists {
			if i < len(list) {
				taken = append(taken, list[i])
			}
		}
	}
	return taken
}

// pairs lists the comparisons of two systems. Which is first is random: agreement is then not that of a favourite.
func (p *planner) pairs(a, b int) (all []group) {
	for _, text := range p.shared(false) {
		of := p.byText[text]
		for i := range min(len(of[a]), len(of[b])) {
			pair := []Picture{{System: a, Source: of[a][i]}, {System: b, Source: of[b][i]}}
			if p.random.IntN(2) == 1 {
				slices.Reverse(pair)
			}
			all = append(all, group{{Text: p.place(text), Copy: i, Pictures: pair}})
		}
	}
	return all
}

// ratings lists the pictures to rate.
func (p *planner) ratings() (all []group) {
	for _, text := range p.shared(true) {
		of := p.byText[text]
		n := len(of[0])
		for _, pictures := range of {
			n = min(n, len(pictures))
		}
		for i := range n {
			var g group
			for system := range p.systems {
				g = append(g, Item{Text: p.place(text), Copy: i, Pictures: []Picture{{System: system, Source: of[system][i]}}})
			}
			all = append(all, g)
		}
	}
	return all
}

// place is a text's, which is added where it is new.
func (p *planner) place(text string) int {
	at, known := p.places[text]
	if !known {
		at = len(p.study.Texts)
		p.places[text], p.study.Texts = at, append(p.study.Texts, text)
	}
	return at
}

// plan chooses the items and lists the questions of each rater. Each group of items is judged by Overlap raters or
// more: raters take from a circle of them by turns.
func (p *planner) plan() error {
	candidates := p.candidates()
	if len(candidates) == 0 {
		return fault.WithCode(fault.Usage(errors.New("no text is in 2 folders: nothing can be compared"),
			"draw the same texts with each system"), NothingToCompare)
	}
	each := max(1, p.Items/len(candidates[0]))
	most := max(each, p.Raters*each/min(p.Overlap, p.Raters))
	var groups [][]int // of places of items
	for _, g := range candidates {
		if len(groups) == most {
			break
		}
		same, err := p.copies.add(g)
		if err != nil {
			return err
		}
		if same {
			p.identical++
			continue
		}
		var places []int
		for _, item := range g {
			places = append(places, len(p.study.Items))
			p.study.Items = append(p.study.Items, item)
		}
		groups = append(groups, places)
	}
	if len(groups) == 0 {
		return fault.Usage(fmt.Errorf("all %d pairs are of identical pictures", p.identical), "compare systems that differ")
	}
	each = min(each, len(groups))
	controls := map[Aspect][]int{}
	for _, aspect := range p.Aspects {
		var err error
		if controls[aspect], err = p.controls(aspect); err != nil {
			return err
		}
	}
	for rater := range p.Raters {
		var mine []int
		for i := range each {
			mine = append(mine, groups[(rater*each+i)%len(groups)]...)
		}
		p.study.Lists = append(p.study.Lists, p.list(rater, mine, controls))
	}
	return nil
}

// controls adds the items whose answer is known: of match the first system's picture of a text beside the one of
// another text, of quality a picture beside its mosaic. Single pictures are the wrong one of the two.
func (p *planner) controls(aspect Aspect) (places []int, err error) {
	var texts []string
	for _, text := range p.shared(false) {
		if len(p.byText[text][0]) > 0 {
			texts = append(texts, text)
		}
	}
	if p.Controls == 0 {
		return nil, nil
	}
	if aspect == Match && len(texts) < 2 {
		return nil, fault.WithCode(fault.Usage(errors.New("controls show another text's picture, and there is one text"),
			"take more texts, or no controls"), OneText)
	}
	for _, at := range p.random.Perm(len(texts))[:min(p.Controls, len(texts))] {
		text := texts[at]
		right := Picture{Source: p.byText[text][0][0]}
		wrong := Picture{Source: right.Source, Mosaic: true}
		if aspect == Match {
			other := p.unlike(text, texts)
			wrong = Picture{Source: p.byText[other][0][0]}
		}
		item := Item{Text: p.place(text), Pictures: []Picture{right, wrong}, Control: aspect}
		if p.Ask == Ratings {
			item.Pictures = item.Pictures[1:]
		}
		if same, err := p.copies.add(group{item}); err != nil || same {
			return nil, cmp.Or(err, fmt.Errorf("%s and %s are the same picture, and a control needs two", right.Source,
				wrong.Source))
		}
		places = append(places, len(p.study.Items))
		p.study.Items = append(p.study.Items, item)
	}
	return places, nil
}

// unlike returns the text that has the smallest share of words in common with another, one of them at random.
func (p *planner) unlike(text string, among []string) string {
	words := strings.Fields(strings.ToLower(text))
	best, least := "", 2.0
	for _, at := range p.random.Perm(len(among)) {
		if among[at] == text {
			continue
		}
		others, common := strings.Fields(strings.ToLower(among[at])), 0
		for _, w := range others {
			if slices.Contains(words, w) {
				common++
			}
		}
		if share := float64(common) / float64(len(words)+len(others)-common); share < least {
			best, least = among[at], share
		}
	}
	return best
}

// list orders a rater's questions at random, aspect by aspect. Half of the items stand with the first picture on the
// left. Repeats are of the first third and stand in the second half.
func (p *planner) list(rater int, items []int, controls map[Aspect][]int) (all []Question) {
	r := rand.New(rand.NewPCG(p.Seed, uint64(rater)+1))
	for _, aspect := range p.Aspects {
		ask := func(items []int) (questions []Question) {
			for i, at := range r.Perm(len(items)) {
				questions = append(questions, Question{Item: items[at], Aspect: aspect, Swapped: p.Ask == Pairs && i%2 == 1})
			}
			r.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
			return questions
		}
		list := ask(items)
		late := slices.Clone(list[len(list)/2:])
		for _, at := range r.Perm(len(list) / 3)[:min(p.Repeats, len(list)/3)] {
			again := list[at]
			again.Repeat, again.Swapped = true, p.Ask == Pairs && !again.Swapped
			late = append(late, again)
		}
		r.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
		list = append(list[:len(list)/2:len(list)/2], late...)
		for _, q := range ask(controls[aspect]) {
			list = slices.Insert(list, r.IntN(len(list)+1), q)
		}
		all = append(all, list...)
	}
	return all
}

// SetAspects sets the aspects by their names, in the order of the questions.
func (o *Options) SetAspects(names []string) error {
	o.Aspects = make([]Aspect, len(names))
	for i, name := range names {
		if err := o.Aspects[i].UnmarshalText([]byte(name)); err != nil {
			return fault.WithCode(fmt.Errorf("aspects: %w", err), InvalidSetting)
		}
		if slices.Contains(o.Aspects[:i], o.Aspects[i]) {
			return invalid("aspects", strings.Join(names, ","), "each aspect once")
		}
	}
	return nil
}
