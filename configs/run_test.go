package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/internal/fault"
	"illustrator/losses"
)

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// expectMistake checks that err is a usage error whose message and hint have the given parts.
func expectMistake(t *testing.T, name string, err error, message, hint string) {
	t.Helper()
	if err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), message) ||
		!strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("%s: error %v, hint %q; want %q, hint %q", name, err, fault.HintOf(err), message, hint)
	}
}

func TestEmbeddedRunsOpen(t *testing.T) {
	if len(Names("runs")) < 2 {
		t.Fatalf("runs %q", Names("runs"))
	}
	for _, name := range Names("runs") {
		run, err := OpenRun(name, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := OpenDomain(run.Domain); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The release's settings, as they are published.
func TestPaperIsTheRelease(t *testing.T) {
	run, err := OpenRun("paper", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Paper(), run); diff != "" {
		t.Errorf("paper.yaml differs from the defaults (-Paper +file):\n%s", diff)
	}
	// It leaves nothing to defaults: each line of the program's settings stands in it with its key.
	file, err := open("runs", "paper")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := Paper().YAML()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(settings)) {
		key, _, _ := strings.Cut(strings.TrimLeft(line, " -"), ":")
		if want := strings.Count("\n"+string(settings), key+":"); strings.Count(string(file.data), key+":") < want {
			t.Errorf("paper.yaml does not write out %s, or not %d times", key, want)
		}
	}
	stage := run.Train.Stages[0]
	if run.Pairs.Rows != 10_000 || run.Train.Batch != 8 ||
		stage.Losses != (losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3}) ||
		stage.Schedule.Steps != 75_000 || stage.Schedule.LearningRate != 1e-4 || stage.Schedule.MinLearningRate != 1e-7 ||
		run.Mapper.Width != 512 || run.Mapper.Blocks != 5 || run.Mapper.Layers != 5 || run.Mapper.Dropout != 0.1 ||
		run.Train.Validation.Every != 2000 {
		t.Errorf("%+v", run)
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	for _, name := range Names("runs") {
		run, err := OpenRun(name, []string{"seed=18446744073709551615", "train.optimizer.epsilon=1e-9"})
		if err != nil {
			t.Fatal(err)
		}
		text, err := run.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := OpenRun(writeFile(t, "run.yaml", string(text)), nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if diff := cmp.Diff(run, again); diff != "" {
			t.Errorf("%s reads back differently:\n%s", name, diff)
		}
	}
}

func TestSetBeatsTheFile(t *testing.T) {
	path := writeFile(t, "run.yaml", "train: {batch: 4}\n")
	run, err := OpenRun(path, []string{"train.batch=16", "mapper.arch=baseline", "mapper.layers=54",
		"train.validation={every: 7, rows: 9}", "train.batch=32", "domain=a/b.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if run.Train.Batch != 32 || run.Mapper.Arch != "baseline" || run.Train.Validation.Every != 7 ||
		run.Train.Validation.Rows != 9 || run.Domain != "a/b.yaml" {
		t.Errorf("%+v", run)
	}
	if run, err = OpenRun("lorelei", []string{"losses.semantic=0.5", "train.stages.0.schedule.steps=7",
		"train.stages.0.losses={l1: 2}"}); err != nil {
		t.Fatal(err)
	}
	if run.Train.Stages[1].Losses.Semantic != 0.5 || run.Train.Stages[1].Losses.L1 == 0 ||
		run.Train.Stages[0].Schedule.Steps != 7 || run.Train.Stages[0].Losses.L1 != 2 {
		t.Errorf("stages: %+v", run.Train.Stages)
	}
	if run, err = OpenRun(path, nil); err != nil {
		t.Fatal(err)
	}
	if run.Train.Optimizer != Paper().Train.Optimizer || run.Mapper.Width != 512 {
		t.Errorf("a setting that was not named changed: %+v", run)
	}
}

func TestSetMistakes(t *testing.T) {
	for assignment, want := range map[string][2]string{
		"train.batch":                      {`set "train.batch" is not an assignment`, "key=value"},
		"=3":                               {"is not an assignment", "key=value"},
		"train..batch=3":                   {`"train..batch" is not a key`, "key=value"},
		"train.batch: 3\nx=4":              {"is not a key", "key=value"},
		"train.batsh=3":                    {`set train.batsh=3: unknown key "batsh"`, "did you mean batch?"},
		"tarin.batch=3":                    {`unknown key "tarin"`, "did you mean train?"},
		"xyzzy=3":                          {`unknown key "xyzzy"`, "domain, init, mapper, pairs, seed, train"},
		"train.batch=x":                    {`"x" is not a whole number`, "configs/"},
		"train.optimizer.beta1=x":          {`"x" is not a number`, "configs/"},
		"seed=-1":                          {`"-1" is not a whole number, 0 or more`, "configs/"},
		"train.batch=[1]":                  {"a list is not a whole number", "configs/"},
		"train=3":                          {`"3" is not a mapping of keys`, "configs/"},
		"train.stages=[]":                  {"stages are a list", "YAML file"},
		"train.stages.1.name=x":            {"stages are a list", "train.stages.0.losses.semantic"},
		"train.stages.0=x":                 {"stages are a list", "train.stages.0.losses.semantic"},
		"train.stages.0.loses.l1=1":        {`unknown key "loses"`, "did you mean losses?"},
		"losses.semantik=1":                {`unknown key "semantik"`, "did you mean semantic?"},
		"losses.l1=-1":                     {"losses.l1 is -1", "0 or more"},
		"train.on_nan=ignore":              {`set train.on_nan=ignore: on_nan "ignore" is unknown`, "stop or skip"},
		"train.checkpoint.keep=0":          {"train.checkpoint.keep is 0", "from 1"},
		`train.validation.texts=["a", ""]`: {"train.validation.texts[1] is empty", "a description"},
		"pairs.seed=18446744073709551615":  {"pairs.seed is 18446744073709551615", "below 2⁶⁴"},
		"train.optimizer={beta1: 1}":       {"train.optimizer.beta1 is 1", "below 1"},
		"train.batch=1":                    {"train.batch is 1", "from 2"},
		"train.noise_mode=loud":            {`noise mode "loud"`, "const, random or none"},
		"pairs.noise_mode=loud": {`set pairs.noise_mode=loud: noise mode "loud" is unknown`,
			"const, random or none"},
		"train.optimizer.name=sgd":         {`optimizer "sgd" is unknown`, "adam or adamw"},
		"train.precision=[1]":              {"a list is not a word", "configs/"},
		"pairs.batch=5000":                 {"pairs.batch is 5000", "from 1 to 4096"},
		"pairs.rows=1":                     {"pairs.rows is 1", "from 2"},
		"pairs.rows=1607":                  {"pairs.rows is 1607, train.validation.rows 1600 and train.batch 8", "1608"},
		"train.validation.every=0":         {"train.validation.every is 0", "at least 1"},
		"train.validation={rows: 0}":       {"train.validation.rows is 0", "at least 1"},
		"mapper.width=0":                   {"width is 0", "from 1"},
		"mapper.dropout=1":                 {"dropout is 1", "below 1"},
		"mapper.arch=sparse":               {`arch "sparse" is unknown`, "dense, baseline or prior"},
		`domain=""`:                        {"domain is missing", "YAML file"},
		"mapper={width: 8192, blocks: 64}": {"width is 8192", "smaller"},
	} {
		_, err := OpenRun("paper", []string{assignment})
		expectMistake(t, assignment, err, want[0], want[1])
	}
}

func TestFileMistakes(t *testing.T) {
	stage := "train:\n  stages:\n    - losses: {l1: 1}\n      schedule: {kind: cosine, steps: 5, learning_rate: 1e-3}\n"
	for text, want := range map[string][2]string{
		"":                      {"run.yaml: the file is empty", "configs/"},
		"seed: 1\n---\nseed: 2": {"second YAML document", "one document"},
		"seed: 1\nseed: 2":      {"run.yaml: line 2: key \"seed\" is already defined at line 1", "keep one"},
		"\n\nsede: 1":           {`run.yaml: line 3: unknown key "sede"`, "did you mean seed?"},
		"seed: [":               {"run.yaml: ", "configs/"},
		"train: {stages: []}":   {"train.stages is empty", "at least one"},
		"train: {stages: 3}":    {`line 1: "3" is not a list`, "configs/"},
		strings.Replace(stage, "steps", "step", 1): {`line 4: unknown key "step"`,
			"did you mean steps?"},
		strings.Replace(stage, "cosine", "sine", 1): {
			`run.yaml: line 4: train.stages[0].schedule.kind: schedule kind "sine" is unknown`, "cosine or constant"},
		strings.Replace(stage, "steps: 5", "steps: 0", 1): {"schedule.steps is 0", "at least 1"},
		strings.Replace(stage, "learning_rate: 1e-3", "learning_rate: -1", 1): {
			"schedule.learning_rate is -1", "learning_rate"},
		strings.Replace(stage, "{l1: 1}", "{l1: 0}", 1):  {"all weights are 0", "at least one"},
		strings.Replace(stage, "{l1: 1}", "{l1: -1}", 1): {"losses.l1 is -1", "0 or more"},
		strings.Replace(stage, "{l1: 1}", "{l2: 1}", 1):  {`unknown key "l2"`, "did you mean l1?"},
		stage + strings.TrimPrefix(stage, "train:\n  stages:\n"): {`train.stages[1].name is ""`,
			"another than that of stage 0"},
		"seed: [" + strings.Repeat("1,", 30_000) + "]":      {"run.yaml: it has more than 20000 keys and values", "at most"},
		strings.Repeat("[", 100) + strings.Repeat("]", 100): {"run.yaml: line 1: it nests more than 32 deep", "depth of 32"},
		"seed: &a [*a]": {"run.yaml: line 1: *a stands within what it names", "write the value out"},
	} {
		_, err := OpenRun(writeFile(t, "run.yaml", text), nil)
		expectMistake(t, text, err, want[0], want[1])
	}
	if _, err := OpenRun("none.yaml", nil); err == nil || fault.IsUsage(err) ||
		!strings.Contains(fault.HintOf(err), "paper") {
		t.Errorf("a missing file: %v, hint %q", err, fault.HintOf(err))
	}
	_, err := OpenRun("lorelai", nil)
	expectMistake(t, "name", err, `run "lorelai" is unknown`, "did you mean lorelei?")
	_, err = OpenRun("xyzzy", nil)
	expectMistake(t, "name", err, `run "xyzzy" is unknown`, "lorelei, paper")
}

// A run's domain that does not exist is named with its file.
func TestCheckDomain(t *testing.T) {
	t.Chdir(t.TempDir())
	writeTo(t, "mine/spots.yaml", "")
	for domain, missing := range map[string]bool{"lorelei": false, "mine/spots.yaml": false, "spots.yaml": true} {
		err := Run{Domain: domain}.CheckDomain("mine/run.yaml")
		if (err != nil) != missing || err != nil && (!strings.Contains(fault.HintOf(err), "relative to the file's folder") ||
			err.Error() != `mine/run.yaml: domain: "spots.yaml" does not exist`) {
			t.Errorf("%s: %v: %s", domain, err, fault.HintOf(err))
		}
	}
}

// Paths in files are relative to their folders; those that older versions wrote into runs, as seen from the working
// directory, are found too.
func TestPathsOfFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	writeTo(t, "mine/spots.yaml", "")
	writeTo(t, "mine/texts.txt", "a spot")
	writeTo(t, "mine/first/mapper-last/config.json", "{}")
	writeTo(t, "mine/run.yaml", "domain: spots.yaml\ninit: first/mapper-last\n")
	writeTo(t, "runs/old/config.yaml", "domain: mine/spots.yaml\ninit: mine/first/mapper-last\n")
	writeTo(t, "runs/new/config.yaml", "domain: ../../mine/spots.yaml\ninit: ../../mine/first/mapper-last\n")
	for _, ref := range []string{"mine/run.yaml", "runs/old/config.yaml", "runs/new/config.yaml",
		filepath.Join(here, "mine/run.yaml")} {
		run, err := OpenRun(ref, nil)
		if err != nil || run.Domain != "mine/spots.yaml" || run.Init != "mine/first/mapper-last" {
			t.Errorf("%s: domain %q, init %q, %v", ref, run.Domain, run.Init, err)
		}
		in, err := run.In("runs/third")
		if err != nil || in.Domain != "../../mine/spots.yaml" || in.Init != "../../mine/first/mapper-last" {
			t.Errorf("%s in runs/third: domain %q, init %q, %v", ref, in.Domain, in.Init, err)
		}
	}
	absolute := Run{Domain: "/far/spots.yaml", Init: "embedded:lorelei/mapper"}
	if in, err := absolute.In("runs/third"); err != nil || in.Domain != absolute.Domain || in.Init != absolute.Init {
		t.Errorf("absolute paths: %q, %q, %v", in.Domain, in.Init, err)
	}
	run, err := OpenRun("mine/run.yaml", []string{"init=second"})
	if err != nil || run.Init != "second" {
		t.Errorf("--set init: %q, %v", run.Init, err)
	}
	study := strings.NewReplacer("base: lorelei", "base: run.yaml\ntexts: texts.txt", "shared_stages: 1\n", "")
	writeTo(t, "mine/study.yaml", study.Replace(smallStudy))
	s, err := OpenStudy("mine/study.yaml", "", nil)
	if err != nil || s.Base != "mine/run.yaml" || s.Texts != "mine/texts.txt" {
		t.Errorf("study: %+v, %v", s, err)
	}
}

// writeTo writes a file and makes its folder.
func writeTo(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
