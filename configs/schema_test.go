package configs

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"illustrator/data/pairs"
	"illustrator/eval/ablation"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/train"
)

var updateSchemas = flag.Bool("schemas", false, "write the schemas of configurations, and docs/configuration.md")

// ranges are the least and the most values of numbers, by their keys; TestRanges holds them against the types' own
// checks.
var ranges = map[string]map[string][2]any{
	"run": {
		"pairs.rows": {2, pairs.MaxRows}, "pairs.batch": {0, MaxPairsBatch},
		"train.batch": {2, train.MaxBatch}, "train.validation.every": {1, nil}, "train.validation.rows": {1, nil},
		"train.checkpoint.every": {1, nil}, "train.checkpoint.keep": {1, 10_000}, "train.nan_limit": {0, nil},
		"train.log_every": {1, nil}, "mapper.dropout": {0, nil}, "mapper.width": {1, 8192},
		"train.optimizer.accumulate": {1, 1 << 16}, "train.optimizer.clip_norm": {0, nil},
		"train.optimizer.weight_decay": {0, 10}, "mapper.prior.steps": {1, 256}, "mapper.prior.guidance": {0, 20},
		"mapper.prior.condition_noise": {0, 10}, "mapper.prior.condition_dropout": {0, nil},
	},
	"study": {
		"pictures": {1, 1000}, "shared_stages": {0, nil}, "reference_samples": {0, nil},
		"groups.variants.draw.alpha": {0, pipeline.MaxAlpha}, "groups.variants.draw.inject_index": {0, nil},
		"groups.variants.draw.truncation_psi": {0, 2}, "groups.variants.draw.best_of": {1, 1000},
		"groups.variants.draw.refine": {0, 10_000}, "groups.variants.draw.retrieval.pairs": {0, pairs.MaxRows},
		"groups.variants.draw.optimization.steps": {1, 10_000}, "groups.variants.draw.optimization.l2": {0, 1000},
	},
	"domain": {"alpha": {0, pipeline.MaxAlpha}, "size": {0, nil}, "z_dim": {0, nil}, "embed_dim": {0, nil}},
}

// required are the keys that a file may not leave out.
var required = map[string][]string{
	"domain": {"name", "generator", "clip", "text_prompt", "alpha"},
	"study":  {"title", "base", "seeds", "reference", "groups"},
}

// schemaTypes are the types of files, and the values of the keys that a file leaves out.
var schemaTypes = map[string]struct {
	title    string
	defaults any
}{
	"run":    {"A run: pairs, mapper and training", ptr(Defaults())},
	"domain": {"A domain: networks, prompts and test descriptions", &Domain{}},
	"study":  {"A study: a comparison of variants of a run", &ablation.Study{Pictures: 1}},
}

// meanings are those of keys whose fields share a comment with the field before, or need none in Go.
var meanings = map[string]string{
	"seed":   "Seed of the mapper's first weights, of the order of the pairs, and of the noise.",
	"pairs":  "How many pairs of z and image embedding are sampled, and how.",
	"mapper": "The network that is trained.",
	"mapper.blocks": "Number of dense blocks, 1 to 64 (5 in the paper), or of a prior's blocks of two layers. The " +
		"baseline has none, and does not read it.",
	"mapper.layers": "Number of layers in each dense block, 1 to 64 (5 in the paper), or of all layers of the " +
		"baseline, 2 to 512 (54 in the paper). A prior does not read it.",
	"mapper.dropout": "Probability that an output unit of a dense block is dropped in training, below 1 (0.1 in the " +
		"paper). Other architectures do not read it.",
	"train":                   "The training.",
	"train.optimizer":         "The optimizer, fresh in each stage.",
	"train.optimizer.beta1":   "Decay per step of the mean of gradients, below 1; 0.9 in the release.",
	"train.optimizer.beta2":   "Decay per step of the mean of squared gradients, below 1; 0.999 in the release.",
	"train.optimizer.epsilon": "Added to the root of that mean; 1e-8 in the release.",
	"train.validation":        "Losses on pairs that are never trained on.",
	"train.checkpoint":        "When the training's state is written.",
	"train.nan_limit":         "With on_nan: skip, the most steps of the training that are left out.",
	"train.stages.name":       "Name of the stage in metrics and charts; each stage has another.",
	"train.stages.losses":     "Weights of the losses; 0 leaves a loss out.",
	"train.stages.losses.l1":  "Weight of the distance between predicted and true z (L1, eq. 8).",
	"train.stages.losses.semantic": "Weight of the distance between the drawn picture's embedding and the pair's " +
		"(eq. 9).",
	"train.stages.losses.regularization": "Weight of the distances of z's mean from 0 and of its deviation from 1 " +
		"(eq. 10).",
	"train.stages.schedule":       "Length of the stage, and the learning rate over it.",
	"train.stages.schedule.steps": "Length of the stage in steps; give steps or epochs.",
	"train.stages.schedule.epochs": "Length of the stage as the number of times that each training row is seen, " +
		"rounded up to steps; in place of steps.",
	"train.stages.schedule.learning_rate":     "The highest learning rate, at most 10; 1e-4 in the release.",
	"train.stages.schedule.min_learning_rate": "The learning rate at the end of a cosine; 1e-7 in the release.",
	"name":                     "Name of the domain in pairs, pictures and messages.",
	"about":                    "What the pictures show, and who made the networks.",
	"clip":                     "Folder of the CLIP, in the same forms.",
	"classifier":               "Folder of a classifier of attributes; optional.",
	"z_dim":                    "Width of z that the generator must have; 0 checks nothing.",
	"embed_dim":                "Width of embeddings that the CLIP must have; 0 checks nothing.",
	"sources.generator":        "Published forms of the generator.",
	"sources.clip":             "Published forms of the CLIP.",
	"sources.clip.color_order": "Left out: only a generator has one.",
	"title":                    "Title of the study's report.",
	"base": "The run that all variants change: the name of an embedded one, or the path of a YAML file, relative to " +
		"the folder of the study's file.",
	"set": "Overrides of all variants, as of --set.",
	"texts": "File of the texts that are drawn, relative to the folder of the study's file. Without it, the " +
		"domain's descriptions.",
	"kinds":        "Kinds of texts to keep; without it, all.",
	"columns":      "Figures that tables show, such as \"attribute_accuracy (limited)\"; without it, all metrics.",
	"groups":       "Parts of the study, each with a table and a chart.",
	"groups.name":  "Heading of the group in the report.",
	"groups.about": "Paragraphs of the report below the heading.",
	"groups.axis": "Name of the variants' x, such as \"α\": the chart then has lines over it. Without it, variants " +
		"stand side by side.",
	"groups.log_axis":             "Spaces x by its logarithm.",
	"groups.variants":             "The sides of the comparison.",
	"groups.variants.name":        "Name of the variant. A name alone shows a variant of a group before again.",
	"groups.variants.set":         "Overrides of the base run, as of --set.",
	"groups.variants.draw":        "Settings of drawing; those that are left out are the domain's.",
	"groups.variants.draw.spread": "Mixes each picture's random z into the predicted one, above 0 and at most 1.",
	"claims":                      "Statements on two variants that a figure speaks for or against.",
	"claims.text":                 "The statement.",
	"claims.better":               "The variant that should do better.",
	"claims.than":                 "The variant that should do worse.",
	"claims.metric":               "The figure that decides.",
	"claims.because":              "Explanations of the verdicts; the report has that of its verdict.",
	"claims.because.holds":        "Why the claim holds.",
	"claims.because.opposite":     "Why its opposite does.",
	"claims.because.undecided":    "Why the study shows neither.",
	"sources.generator.files":     "Addresses of the files, with size and SHA-256.",
	"sources.clip.files":          "Addresses of the files, with size and SHA-256.",
}

// ofKind are the meanings of keys that other kinds of files have too, or whose comment is about several.
var ofKind = map[string]map[string]string{
	"domain": {
		"mapper": "Folder of the domain's own mapper; optional.",
		"generator": "Folder of the generator, as `illustrator convert` writes it, relative to the domain's file; " +
			"or embedded:NAME within the program, or weights:NAME in the folder of fetched networks.",
		"size": "Pixels of the pictures' side that the generator must have; 0 checks nothing.",
	},
	"study": {
		"about":   "The comparison and its reason, in paragraphs that the report shows.",
		"train":   "Trains a mapper for each variant and seed; false draws with one that is there.",
		"metrics": "Metrics to measure, as of illustrator eval --metrics.",
	},
}

// subject is the Go name that a comment begins with.
var subject = regexp.MustCompile(`^[A-Z]\w*(?:, [A-Z]\w*)*(?: and [A-Z]\w*)? (?:is|are) (["\w])`)

// inYAML are Go names within comments, and what a file calls them.
var inYAML = strings.NewReplacer("AllDevices", "all", "NaNLimit", "nan_limit", "MinLearningRate", "min_learning_rate",
	"LearningRate", "learning_rate", "Warmup", "warmup", " Steps", " steps", " Epochs", " epochs")

// meaning words the comment of a field for a key.
func meaning(key, comment string) string {
	if m, ok := meanings[key]; ok {
		return m
	}
	comment = strings.Join(strings.Fields(comment), " ")
	name := key[strings.LastIndex(key, ".")+1:]
	if m := subject.FindStringSubmatchIndex(comment); m != nil {
		comment = comment[m[2]:]
	} else if word, rest, _ := strings.Cut(comment, " "); strings.EqualFold(word, strings.ReplaceAll(name, "_", "")) &&
		!strings.HasPrefix(rest, "of ") {
		comment = rest
	}
	if comment != "" {
		comment = strings.ToUpper(comment[:1]) + comment[1:]
	}
	return inYAML.Replace(comment)
}

func ptr[T any](v T) *T { return &v }

// oneOf finds the names in the hint of an enum.
var oneOf = regexp.MustCompile(`^use (.+)$`)

// mapType gives types that read themselves from text their schema.
func mapType(t reflect.Type) *jsonschema.Schema {
	if t == reflect.TypeFor[train.DeviceCount]() {
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Const: "all"}}}
	}
	read, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	if !ok || t.Kind() != reflect.String {
		return nil
	}
	s := &jsonschema.Schema{Type: "string"}
	if m := oneOf.FindStringSubmatch(fault.HintOf(read.UnmarshalText([]byte("?")))); m != nil {
		for _, name := range strings.Split(strings.ReplaceAll(m[1], " or ", ", "), ", ") {
			s.Enum = append(s.Enum, name)
		}
	}
	return s
}

// schemaOf builds the schema of a kind of file from its Go type, with the comments of the fields.
func schemaOf(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	r := jsonschema.Reflector{FieldNameTag: "yaml", DoNotReference: true, Anonymous: true, Mapper: mapType,
		RequiredFromJSONSchemaTags: true}
	for _, folder := range []string{"configs", "train", "losses", "models/mapper", "eval/ablation", "eval/methods",
		"checkpoints/fetch"} {
		if err := r.AddGoComments("illustrator", folder, jsonschema.WithFullComment()); err != nil {
			t.Fatal(err)
		}
	}
	of := schemaTypes[kind]
	s := r.Reflect(of.defaults)
	s.Title, s.Description, s.Required = of.title, "", required[kind]
	text, err := yaml.Marshal(of.defaults)
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(text, &defaults); err != nil {
		t.Fatal(err)
	}
	complete(s, "", defaults, ranges[kind])
	for key, meaning := range ofKind[kind] {
		of, ok := s.Properties.Get(key)
		if !ok {
			t.Fatalf("a %s has no key %q", kind, key)
		}
		of.Description = meaning
	}
	return s
}

// complete adds defaults and ranges to a schema's properties, and puts each comment on one line.
func complete(s *jsonschema.Schema, path string, defaults map[string]any, ranges map[string][2]any) {
	if s.Properties == nil {
		if s.Items != nil {
			complete(s.Items, path, nil, ranges)
		}
		return
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		key, inner := strings.TrimPrefix(path+"."+p.Key, "."), p.Value
		inner.Description = meaning(key, inner.Description)
		if least := ranges[key][0]; least != nil {
			inner.Minimum = json.Number(fmt.Sprint(least))
		}
		if most := ranges[key][1]; most != nil {
			inner.Maximum = json.Number(fmt.Sprint(most))
		}
		value, given := defaults[p.Key]
		below, isMap := value.(map[string]any)
		list, isList := value.([]any)
		given = given && !slices.Contains(s.Required, p.Key)
		if given && !isMap && (!isList || len(list) == 0) && value != nil && value != "" {
			inner.Default = value
		}
		complete(inner, key, below, ranges)
	}
}

// checkGenerated compares a generated file with the one that is there, or writes it.
func checkGenerated(t *testing.T, path string, want []byte) {
	t.Helper()
	if *updateSchemas {
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what the types say: `make schemas` writes it\n%s", path, cmp.Diff(string(have), string(want)))
	}
}

// TestSchemas holds the schemas and the reference of all keys against the types.
func TestSchemas(t *testing.T) {
	t.Chdir("..")
	var doc strings.Builder
	doc.WriteString(configurationHead)
	for _, kind := range []string{"run", "domain", "study"} {
		s := schemaOf(t, kind)
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(s); err != nil {
			t.Fatal(err)
		}
		checkGenerated(t, filepath.Join("configs/schemas", kind+".schema.json"), text.Bytes())
		fmt.Fprintf(&doc, "\n## %s\n\n| key | meaning | type | default | range |\n|---|---|---|---|---|\n", s.Title)
		var missing []string
		if writeKeys(&doc, s, "", &missing); len(missing) > 0 {
			t.Errorf("%s: keys without a meaning: %s", kind, strings.Join(missing, ", "))
		}
	}
	checkGenerated(t, "docs/configuration.md", []byte(doc.String()))
}

// configurationHead begins docs/configuration.md; ' stands for the marks of code.
var configurationHead = strings.ReplaceAll(`# Configuration files

Every key of the YAML files of runs, domains and studies. 'make schemas' generates this page and the JSON Schemas in
'configs/schemas' from the Go types; a test compares them. Keys that a file leaves out have the default. An unknown key
is an error. Relative paths start at the folder of the file that names them. If nothing is there, a path in a run or
study may start at the working directory, as in files of earlier versions.

An editor with a YAML language server completes and checks a file that begins with

    # yaml-language-server: $schema=PATH/configs/schemas/run.schema.json

'illustrator schema run' prints the schema without a checkout. '--set' names a key of a run by its path, such as
'train.batch=16', and a stage by its number, such as 'train.stages.0.schedule.steps=300'. Numbers count what their
meaning says: steps, rows, pictures. Losses and rates have no unit.
`, "'", "`")

// writeKeys writes a row for each key below s.
func writeKeys(doc *strings.Builder, s *jsonschema.Schema, path string, missing *[]string) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		key, of := strings.TrimPrefix(path+"."+p.Key, "."), p.Value
		kind, rest := of.Type, ""
		if of.Description == "" {
			*missing = append(*missing, key)
		}
		switch {
		case len(of.OneOf) > 0:
			kind = "integer or all"
		case len(of.Enum) > 0:
			kind, rest = "word", strings.Trim(strings.ReplaceAll(fmt.Sprint(of.Enum), " ", ", "), "[]")
		case of.Type == "array" && of.Items != nil:
			kind = "list of " + of.Items.Type + "s"
		case of.Type == "object":
			kind = "mapping"
		}
		switch {
		case of.Minimum != "" && of.Maximum != "":
			rest = fmt.Sprintf("%s to %s", of.Minimum, of.Maximum)
		case of.Minimum != "":
			rest = fmt.Sprintf("%s or more", of.Minimum)
		}
		value := ""
		if of.Default != nil {
			value = fmt.Sprintf("`%v`", of.Default)
		} else if slices.Contains(s.Required, p.Key) {
			value = "required"
		}
		meaning := strings.ReplaceAll(of.Description, "|", "\\|")
		fmt.Fprintf(doc, "| `%s` | %s | %s | %s | %s |\n", key, meaning, kind, value, rest)
		if of.Type == "array" && of.Items != nil {
			of, key = of.Items, key+"[]"
		}
		if of.Properties != nil {
			writeKeys(doc, of, key, missing)
		}
	}
}

// TestRanges sets numbers to the ends of their ranges, and beyond them.
func TestRanges(t *testing.T) {
	for key, r := range ranges["run"] {
		base := "paper"
		if strings.HasPrefix(key, "mapper.prior.") {
			base = "lorelei-prior"
		}
		checkRange(t, key, r, func(value int) error {
			_, err := OpenRun(base, []string{fmt.Sprintf("%s=%v", key, value)})
			return err
		})
	}
	for key, r := range ranges["study"] {
		checkRange(t, key, r, func(value int) error {
			text := fmt.Sprintf("%s: %d\n", key, value) + strings.Replace(smallStudy, "shared_stages: 1\n", "", 1)
			if of, ok := strings.CutPrefix(key, "groups.variants.draw."); ok {
				setting := strings.ReplaceAll(of, ".", ": {") + fmt.Sprintf(": %d", value) +
					strings.Repeat("}", strings.Count(of, "."))
				if strings.HasPrefix(of, "optimization.") {
					setting = strings.Replace(setting, "{", "{space: w, learning_rate: 0.1, steps: 1, ", 1)
					setting = strings.Replace(setting, "steps: 1, steps", "steps", 1)
				}
				text = strings.Replace(smallStudy, "set: [losses.semantic=0]", "draw: {"+setting+"}", 1)
			}
			_, err := OpenStudy(writeFile(t, "small.yaml", text), "", nil)
			return err
		})
	}
}

// checkRange gives a number values beyond its range, which must be mistakes.
func checkRange(t *testing.T, key string, r [2]any, at func(value int) error) {
	t.Helper()
	for i, over := range []int{-1, 1} {
		end, ok := r[i].(int)
		if !ok {
			continue
		}
		if err := at(end + over); err == nil || !strings.Contains(err.Error(), filepath.Ext("." + key)[1:]) {
			t.Errorf("%s=%d, beyond its range: %v", key, end+over, err)
		}
	}
}

// TestSchemasOfFiles validates every configuration file, and has mistakes refused.
func TestSchemasOfFiles(t *testing.T) {
	t.Chdir("..")
	schemas := map[string]*validator.Schema{}
	for kind := range schemaTypes {
		s, err := validator.NewCompiler().Compile(filepath.Join("configs/schemas", kind+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		schemas[kind] = s
	}
	files := map[string]string{"examples/run.yaml": "run", "examples/tiny/run.yaml": "run", "examples/study.yaml": "study",
		"examples/tiny/tiny.yaml": "domain"}
	for kind, folder := range map[string]string{"run": "runs", "domain": "domains", "study": "studies"} {
		for _, name := range Names(folder) {
			files[filepath.Join("configs", folder, name+".yaml")] = kind
		}
	}
	line := regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=(\S+)$`)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := yaml.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		if err := schemas[files[path]].Validate(value); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		m := line.FindSubmatch(raw)
		want := filepath.Join("configs/schemas", files[path]+".schema.json")
		if m == nil || filepath.Join(filepath.Dir(path), string(m[1])) != want {
			t.Errorf("%s names no schema, or another's: %q", path, m)
		}
	}
	for text, kind := range map[string]string{
		"train: {batch: 1}": "run", "train: {bach: 8}": "run", "mapper: {arch: wide}": "run", "pairs: {rows: many}": "run",
		"train: {devices: some}": "run", "pictures: 0": "study", "name: x": "domain", "nam: x": "domain",
	} {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if schemas[kind].Validate(value) == nil {
			t.Errorf("the schema of a %s takes %q", kind, text)
		}
	}
}
