package studies

import (
	"slices"
	"strings"
	"testing"

	"illustrator/eval/report"
	"illustrator/models/host"
)

// openStudy opens an embedded study without a device.
func openStudy(t *testing.T, name string, set []string, options Options) *Study {
	t.Helper()
	options.Out = t.TempDir()
	s, err := Open(host.Env{}, name, set, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRehearsal(t *testing.T) {
	if s := openStudy(t, "losses", nil, Options{}); s.rehearsal != "" {
		t.Errorf("the whole study: %s", s.rehearsal)
	}
	s := openStudy(t, "losses", []string{"pairs.rows=10000", "train.stages.1.schedule.steps=60"},
		Options{Seeds: []uint64{0}})
	for _, want := range []string{"1 of 5 seeds", "10000 of 20000 pairs", `60 of 700 steps of stage "all losses"`} {
		if !strings.Contains(s.rehearsal, want) {
			t.Errorf("no %q in %q", want, s.rehearsal)
		}
	}
	if more := openStudy(t, "losses", []string{"pairs.rows=30000"}, Options{}); more.rehearsal != "" {
		t.Errorf("more pairs: %s", more.rehearsal)
	}
}

// The tables have what variants leave to the domain and to the run.
func TestSettings(t *testing.T) {
	rows := func(table report.Table) map[string][]string {
		all := map[string][]string{}
		for _, row := range table.Rows {
			for _, cell := range row.Cells[1:] {
				all[row.Cells[0].Text] = append(all[row.Cells[0].Text], cell.Text)
			}
		}
		return all
	}
	settings := func(name string) (differing, shared report.Table) {
		s := openStudy(t, name, nil, Options{})
		session, err := openSession(s.domain)
		if err != nil {
			t.Fatal(err)
		}
		section, err := s.settings(session)
		if err != nil || len(section.Blocks) != 2 {
			t.Fatalf("%d blocks, %v", len(section.Blocks), err)
		}
		return section.Blocks[0].(report.Table), section.Blocks[1].(report.Table)
	}
	differing, shared := settings("losses")
	column := slices.IndexFunc(differing.Columns, func(c report.Column) bool {
		return c.Header == "run.train.stages[1].losses.semantic"
	})
	if column < 1 || rows(differing)["L1"][column-1] != "0" || rows(differing)["all losses"][column-1] != "1" {
		t.Errorf("column %d of %+v", column, differing)
	}
	if of := rows(shared); of["run.train.stages[1].schedule.steps"][0] != "700" || of["draw.alpha"][0] != "1.25" {
		t.Errorf("%v", of)
	}
	first := openStudy(t, "prompts", nil, Options{})
	differing, _ = settings("prompts")
	column = slices.IndexFunc(differing.Columns, func(c report.Column) bool { return c.Header == "draw.text_prompt" })
	if column < 1 || rows(differing)["specific text prompt"][column-1] != first.texts[0].Text ||
		rows(differing)["α 1"][column-1] == "–" || rows(differing)["no projection"][column-1] != "–" {
		t.Errorf("column %d of %+v", column, differing)
	}
}

func TestWithoutAJudgeItsColumnIsAbsent(t *testing.T) {
	const column = "clip_similarity (CLIP judge)"
	s := openStudy(t, "methods", nil, Options{Domain: "chapel"})
	if !s.judgeless || slices.Contains(s.Columns, column) || !slices.Contains(s.Columns, "clip_similarity") {
		t.Errorf("columns %q", s.Columns)
	}
	if judged := openStudy(t, "methods", nil, Options{}); judged.judgeless || !slices.Contains(judged.Columns, column) {
		t.Errorf("columns with a judge %q", judged.Columns)
	}
	if limited := openStudy(t, "limited", nil, Options{}); limited.judgeless {
		t.Error("a study without such columns misses a judge")
	}
}
