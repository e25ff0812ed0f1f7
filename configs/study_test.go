package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/eval/ablation"
)

func TestEmbeddedStudiesOpen(t *testing.T) {
	if len(Names("studies")) < 2 {
		t.Fatalf("studies %q", Names("studies"))
	}
	for _, name := range Names("studies") {
		if _, err := OpenStudy(name, "", nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const smallStudy = `title: Small
base: lorelei
train: true
shared_stages: 1
seeds: [0]
metrics: [clip_similarity]
reference: all
set: [train.batch=16]
groups:
  - name: all
    variants:
      - name: all
      - {name: no semantic, set: [losses.semantic=0]}
`

func TestRunOf(t *testing.T) {
	s, err := OpenStudy(writeFile(t, "small.yaml", smallStudy), "", []string{"pairs.rows=5000"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := RunOf(s, s.Variants()[0], 3)
	if err != nil {
		t.Fatal(err)
	}
	without, err := RunOf(s, s.Variants()[1], 3)
	if err != nil {
		t.Fatal(err)
	}
	if all.Seed != 3 || all.Train.Batch != 16 || all.Pairs.Rows != 5000 || s.Pictures != 1 {
		t.Errorf("%+v", all)
	}
	if all.Train.Stages[1].Losses.Semantic != 1 || without.Train.Stages[1].Losses.Semantic != 0 ||
		without.Train.Stages[0].Losses.L1 != 1 {
		t.Errorf("%+v, %+v", all.Train.Stages, without.Train.Stages)
	}
	first, rest := without.Split(1)
	if len(first.Train.Stages) != 1 || first.Train.Stages[0].Name != "l1" || len(rest.Train.Stages) != 1 ||
		rest.Train.Stages[0].Name != "all losses" {
		t.Errorf("%+v, %+v", first.Train.Stages, rest.Train.Stages)
	}
}

func TestStudyMistakes(t *testing.T) {
	for change, want := range map[string][2]string{
		"losses.semantic=0>losses.semantc=0": {`variant "no semantic"`, "did you mean semantic?"},
		"shared_stages: 1>shared_stages: 2":  {"shared_stages is 2; run lorelei has 2 stages", "share fewer"},
		"reference: all>reference: al":       {`the variant "al" does not exist`, "did you mean all?"},
		"train: true>trian: true":            {`line 3: unknown key "trian"`, "did you mean train?"},
		"base: lorelei>base: lorely":         {`run "lorely" is unknown`, "did you mean lorelei?"},
	} {
		from, to, _ := strings.Cut(change, ">")
		_, err := OpenStudy(writeFile(t, "small.yaml", strings.Replace(smallStudy, from, to, 1)), "", nil)
		expectMistake(t, change, err, want[0], want[1])
	}
	_, err := OpenStudy("loses", "", nil)
	expectMistake(t, "name", err, `study "loses" is unknown`, "did you mean losses?")
}

// A study moves to a domain with its own texts; a run of the domain's name takes the place of the base.
func TestStudyOfDomain(t *testing.T) {
	folder := t.TempDir()
	domain := filepath.Join(folder, "dolls.yaml")
	for name, text := range map[string]string{
		"dolls.yaml": "{name: dolls, generator: g, clip: c, text_prompt: A doll., alpha: 1, descriptions: d.json, " +
			"size: 64, z_dim: 8, embed_dim: 8}",
		"d.json": `[{"text": "a red doll", "kind": "limited"}, {"text": "a queen", "kind": "open-world"}, "a blue doll"]`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := OpenStudy("open-world", domain, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := RunOf(s, s.Variants()[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	if run.Domain != domain || s.Base != "lorelei" || !slices.Equal(s.Show, []string{"a queen"}) {
		t.Errorf("domain %s, base %s, show %q", run.Domain, s.Base, s.Show)
	}
	if s, err = OpenStudy("losses", domain, nil); err != nil || len(s.Show) != 3 ||
		s.Claims[0].Because != (ablation.Because{}) {
		t.Errorf("show %q, error %v", s.Show, err)
	}
	if s, err = OpenStudy("limited", domain, nil); err != nil ||
		!slices.Contains(s.Columns, "fid (CLIP dolls features)") {
		t.Errorf("columns %q, error %v", s.Columns, err)
	}
	if s, err = OpenStudy("losses", "lorelei", nil); err != nil || len(s.Show) != 5 ||
		s.Claims[0].Because == (ablation.Because{}) {
		t.Errorf("its own domain: show %q, error %v", s.Show, err)
	}
	_, err = OpenStudy("losses", "loreley", nil)
	expectMistake(t, "domain", err, `domain "loreley" is unknown`, "did you mean lorelei?")
}
