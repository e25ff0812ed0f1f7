package raters

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"illustrator/eval/report"
)

// Summary says what a study has.
type Summary struct {
	Study     string        `json:"study"`
	Folder    string        `json:"folder"`
	Pages     string        `json:"pages"` // the folder for raters
	Systems   []SystemCount `json:"systems"`
	Texts     int           `json:"texts"`               // that are compared
	Unpaired  int           `json:"unpaired,omitempty"`  // texts that too few systems have pictures of
	Identical int           `json:"identical,omitempty"` // pairs left out, whose pictures are the same
	Items     int           `json:"items"`
	Raters    int           `json:"raters"`
	Questions int           `json:"questions"` // to each rater at most, of which are
	Controls  int           `json:"controls"`
	Repeats   int           `json:"repeats"`
	PerItem   [2]int        `json:"per_item"` // raters of an item, at least and at most
	Bytes     int64         `json:"bytes"`    // of all pictures
}

// Export plans a study of the systems' pictures and writes it into a folder: study.json, and the pages for raters in
// page. The same sources and options write the same study.
func Export(ctx context.Context, sources []Source, o Options, out string) (s Summary, err error) {
	if err := o.validate(); err != nil {
		return s, err
	}
	c, err := collect(sources)
	if err != nil {
		return s, err
	}
	pages := filepath.Join(out, pageFolder)
	if err := os.MkdirAll(filepath.Join(pages, pictureFolder), 0o777); err != nil {
		return s, err
	}
	p := &planner{
		Options: o, collection: c, random: rand.New(rand.NewPCG(o.Seed, 0)), places: map[string]int{},
		study:  &Study{Title: o.Title, Ask: o.Ask, Aspects: o.Aspects, Seed: o.Seed, Systems: c.systems},
		copies: &copies{ctx: ctx, folder: filepath.Join(pages, pictureFolder), known: map[Picture]string{}},
	}
	if err := p.plan(); err != nil {
		return s, err
	}
	if p.study.ID, err = p.study.identify(); err != nil {
		return s, err
	}
	if err := p.study.checkFolder(out); err != nil {
		return s, err
	}
	if err := p.study.writePages(pages, o.Embed); err != nil {
		return s, err
	}
	return p.summary(out, pages), p.study.write(out)
}

func (p *planner) summary(out, pages string) Summary {
	s := Summary{
		Study: p.study.ID, Folder: out, Pages: pages, Systems: p.counts, Identical: p.identical, Raters: p.Raters,
		Texts: len(p.shared(p.Ask == Ratings)), Bytes: p.copies.bytes,
	}
	s.Unpaired = len(p.byText) - s.Texts
	raters := make([]int, len(p.study.Items))
	for rater, list := range p.study.Lists {
		s.Questions = max(s.Questions, len(list))
		for _, q := range list {
			switch {
			case rater == 0 && p.study.Items[q.Item].Control != "":
				s.Controls++
			case rater == 0 && q.Repeat:
				s.Repeats++
			}
			if !q.Repeat && q.Aspect == p.Aspects[0] {
				raters[q.Item]++
			}
		}
	}
	var judged []int
	for i, item := range p.study.Items {
		if item.Control == "" {
			judged = append(judged, raters[i])
		}
	}
	s.Items, s.PerItem = len(judged), [2]int{slices.Min(judged), slices.Max(judged)}
	return s
}

// Table lists the systems.
func (s Summary) Table() report.Table {
	t := report.Table{Name: "systems", Columns: []report.Column{{Header: "system"},
		{Header: "pictures", Align: report.Right},
		{Header: "texts", Align: report.Right}, {Header: "skipped", Align: report.Right}}}
	for _, c := range s.Systems {
		cells := []report.Cell{report.Text(c.Name)}
		for _, n := range []int{c.Pictures, c.Texts, c.Skipped} {
			cells = append(cells, report.Text(fmt.Sprint(n)))
		}
		t.Rows = append(t.Rows, report.Row{Cells: cells})
	}
	return t
}

// Lines say the rest in words.
func (s Summary) Lines() []string {
	lines := []string{fmt.Sprintf("%d texts are paired by name; %d items, each judged by %s", s.Texts, s.Items,
		between(s.PerItem, "rater"))}
	if s.Unpaired > 0 {
		lines = append(lines, fmt.Sprintf("%d texts are left out: too few systems have pictures of them", s.Unpaired))
	}
	if s.Identical > 0 {
		lines = append(lines, fmt.Sprintf("%d pairs are left out: their pictures are identical", s.Identical))
	}
	return append(lines,
		fmt.Sprintf("each rater gets up to %d questions, of which %d are controls and %d are repeats", s.Questions,
			s.Controls, s.Repeats),
		fmt.Sprintf("%s: send each rater one page, with the pictures: %s to %s", s.Pages, pageName(1), pageName(s.Raters)),
		fmt.Sprintf("%s: keep it; it says which system drew what", filepath.Join(s.Folder, studyFile)))
}

func between(n [2]int, what string) string {
	text := fmt.Sprintf("%d %ss", n[1], what)
	if n[1] == 1 {
		text = "1 " + what
	}
	if n[0] != n[1] {
		return fmt.Sprintf("%d to %s", n[0], text)
	}
	return text
}
