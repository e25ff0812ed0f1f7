package texts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

func readTextsFrom(t testing.TB, name, content string) ([]Text, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	filestest.Write(t, path, []byte(content))
	return Read(path)
}

func TestReadTexts(t *testing.T) {
	wizard := []Text{{Text: "a wizard"}, {Text: "a girl with grüne hair"}}
	for name, c := range map[string]struct {
		file, content string
		want          []Text
	}{
		"lines":         {"t.txt", "a wizard\na girl with grüne hair\n", wizard},
		"no final line": {"t.txt", "a wizard\na girl with grüne hair", wizard},
		"Windows":       {"t.txt", "\uFEFFa wizard\r\n\r\n  a girl with grüne hair \r\n", wizard},
		"no extension":  {"texts", "a wizard\n\n\na girl with grüne hair", wizard},
		"JSON":          {"t.json", `[{"text": "a wizard"}, {"text": " a girl with grüne hair "}]`, wizard},
		"JSON with BOM": {"t.JSON", "\uFEFF" + `[{"text": "a wizard"}, {"text": "a girl with gr\u00fcne hair"}]`, wizard},
		"JSON labels": {"t.json",
			`[{"text": "a red hat", "kind": "limited", "attributes": {"hat": ["red", "pink"], "skin": []}}]`,
			[]Text{{Text: "a red hat", Kind: "limited", Attributes: map[string][]string{"hat": {"red", "pink"}, "skin": {}}}}},
	} {
		got, err := readTextsFrom(t, c.file, c.content)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
}

// Texts in the forms that others publish them in.
func TestReadForms(t *testing.T) {
	number := func(v uint64) *uint64 { return &v }
	real := func(v float64) *float64 { return &v }
	wizard, punk := Text{Text: "a wizard"}, Text{Text: "a punk"}
	for name, c := range map[string]struct {
		file, content string
		want          []Text
	}{
		"strings":       {"t.json", `["a wizard", " a punk"]`, []Text{wizard, punk}},
		"lines of JSON": {"t.jsonl", `{"text":"a wizard"}` + "\n\n" + `"a punk"` + "\n", []Text{wizard, punk}},
		"CSV":           {"t.csv", "id,text\n1,\"a wizard, old\"\n2,a punk\n", []Text{{Text: "a wizard, old"}, punk}},
		"CSV of Excel":  {"t.CSV", "\uFEFFid;Text\r\n1;a wizard\r\n\r\n2;a punk\r\n", []Text{wizard, punk}},
		"one column":    {"t.csv", "caption\na wizard\na punk\n", []Text{wizard, punk}},
		"settings": {"t.csv", "seed,alpha,style,kind,file,prompt\n7,1.5,comic,limited,a.png,a wizard\n,,,,,a punk\n",
			[]Text{{Text: "a wizard", Kind: "limited", File: "a.png", Seed: number(7), Alpha: real(1.5), Style: "comic"}, punk}},
		"PartiPrompts": {"t.tsv", "Prompt\tCategory\tChallenge\tNote\nbond\tAbstract\tBasic\tx\n" +
			"a sign that says \"Hi\"\tArts\tBasic\t\n\"\"\"Hi\"\" he said\"\tArts\t\t\n",
			[]Text{
				{Text: "bond", Kind: "Abstract"},
				{Text: `a sign that says "Hi"`, Kind: "Arts"}, {Text: `"Hi" he said`, Kind: "Arts"},
			}},
		"DrawBench": {"t.csv", "Prompts,Category\nA red colored car.,Colors\n",
			[]Text{{Text: "A red colored car.", Kind: "Colors"}}},
		"GenEval": {"t.jsonl",
			`{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}`,
			[]Text{{Text: "a photo of a bench", Kind: "single_object"}}},
		"COCO": {"t.json", `{"info": {}, "images": [{"id": 9, "file_name": "x9.jpg", "width": 3}], "annotations": [
			{"image_id": 9, "id": 1, "caption": "A cat. "}, {"image_id": 9, "id": 2, "caption": "Cats."}]}`,
			[]Text{{Text: "A cat.", File: "x9.jpg"}, {Text: "Cats.", File: "x9.jpg"}}},
		"a map": {"t.json", `{"b.png": "a wizard", "a.png": ["a punk", "a clown"]}`, []Text{
			{Text: "a wizard", File: "b.png"}, {Text: "a punk", File: "a.png"}, {Text: "a clown", File: "a.png"},
		}},
		"a map with settings": {"t.json", `{"a.png": {"text": "a wizard", "seed": 7}, "A.png": ["a punk"]}`,
			[]Text{{Text: "a wizard", File: "a.png", Seed: number(7)}, {Text: "a punk", File: "A.png"}}},
		"CSV with tabs": {"t.csv", "id\ttext\n1\ta wizard\n2\ta punk\t\n", []Text{wizard, punk}},
		"semicolons":    {"t.csv", "\"id, text\";text\n1;a wizard\n2;a punk;\n", []Text{wizard, punk}},
		"a field of lines": {"t.csv", "text\n\"a wizard\r\nwith \"\"a hat\"\"\"\n",
			[]Text{{Text: "a wizard\nwith \"a hat\""}}},
		"words of tables": {"t.txt", "prompt, a punk\nimage, text",
			[]Text{{Text: "prompt, a punk"}, {Text: "image, text"}}},
		"lines of old Macs":   {"t.txt", "a wizard\ra punk", []Text{wizard, punk}},
		"a table of old Macs": {"t.csv", "text\ra wizard\ra punk", []Text{wizard, punk}},
		"settings, JSON": {"t.json", `[{"text": "a wizard", "seed": 7, "alpha": 0.5, "file": "a"},
			{"Prompt": "a punk", "seed": 8, "id": 3}]`, []Text{
			{Text: "a wizard", Seed: number(7), Alpha: real(0.5), File: "a"}, {Text: "a punk", Seed: number(8)},
		}},
	} {
		got, err := readTextsFrom(t, c.file, c.content)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	for name, c := range map[string]struct{ file, content, want string }{
		"YAML":            {"t.yaml", "a: b", "end in .yaml are not read"},
		"JSON as text":    {"t.txt", `{"text":"a wizard"}` + "\n" + `{"text":"a punk"}`, "its first line is JSON"},
		"a table as text": {"t.txt", "id;Prompt\n1;a wizard\n", "names a table's columns"},
		"tabs as text":    {"t.txt", "caption\tseed\r\na wizard\t1\r\n", "names a table's columns"},
		"a web page":      {"t.txt", " <!DOCTYPE html>\n<html>404</html>", "a web page or XML"},
		"a pointer":       {"t.csv", "version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"},
		"XML":             {"t.txt", "<?xml version=\"1.0\"?>\n<a/>", "a web page or XML"},
		"no column":       {"t.csv", "id,txt\n1,a wizard\n", `its columns are ["id" "txt"]`},
		"no header":       {"t.tsv", "a wizard\ta hat\n", "names no column of texts"},
		"no text":         {"t.csv", "id,text\n1,a\n2\n", "line 3: the text is empty"},
		"a seed":          {"t.csv", "seed,text\n1,a\n-2,b\n", `line 3: seed is "-2"`},
		"an alpha":        {"t.csv", "alpha,text\nNaN,a\n", `line 2: alpha is "NaN"`},
		"quotes":          {"t.csv", "text,seed\nx,1\n\"a wizard,1\na punk,2\n", "line 3: a field's quotes are not closed"},
		"quotes, last":    {"t.csv", "text,seed\na wizard,1\n\"a punk", "line 3: a field's quotes are not closed"},
		"after quotes":    {"t.csv", "text\n\"a punk\" x\n", "line 2: a field's quotes are not closed, or something follows"},
		"bare quotes":     {"t.csv", "text\na \"nice\" hat\n", "line 2, column 3: a quote within a field"},
		"TSV quotes":      {"t.tsv", "text\tseed\n\"a wizard\nwith a hat\"\t1\n", "line 2: field 1 opens a quote"},
		"more fields":     {"t.csv", "text\na wizard, old\n", "line 2 has 2 fields; the first line names 1"},
		"two columns":     {"t.csv", "Text,id,text\na,1,b\n", `columns 1 and 3 are both named "text"`},
		"a key twice":     {"t.json", "[\n{\"text\": \"a\", \"text\": \"b\"}]", `line 2: the key "text" occurs twice`},
		"a file twice":    {"t.json", "{\"a\": \"x\",\n\"a\": \"y\"}", `line 2: the key "a" occurs twice`},
		"deep twice": {"t.json", `[{"text": "a", "attributes": {"hat": ["red"], "hat": ["blue"]}}]`,
			`line 1: the key "hat" occurs twice`},
		"lines twice": {"t.jsonl", "\"a\"\n{\"prompt\": \"a\", \"prompt\": \"b\"}", `line 2: the key "prompt"`},
		"cases":       {"t.jsonl", `{"Prompt": "a", "prompt": "b"}`, `line 1: the keys "Prompt" and "prompt" are the same`},
		"own cases":   {"t.json", `[{"text": "a", "Text": "b"}]`, `entry 1: the keys "Text" and "text" are the same`},
		"an object":   {"t.jsonl", `{"prompt": {"a": 1}}`, `line 1: "prompt" is {"a": 1}; expected a string`},
		"a list":      {"t.jsonl", `{"captions": ["a", "b"]}`, `line 1: "captions" is ["a", "b"]; expected a string`},
		"COCO ids": {"t.json", `{"images": [{"id": 1}, {"id": 1}], "annotations": [{"image_id": 1, "caption": "a"}]}`,
			"two images have the id 1"},
		"COCO's orphan": {"t.json", `{"images": [{"id": 1}], "annotations": [{"image_id": 2, "caption": "a"}]}`,
			"annotation 1: image_id 2 is the id of no image"},
		"JSONL":        {"t.jsonl", "\"a\"\na wizard\n", "line 2: it is a wizard; expected an object or a string"},
		"a map's hole": {"t.json", `{"a.png": "x", "b.png": 3}`, `"b.png": it is 3`},
	} {
		got, err := readTextsFrom(t, c.file, c.content)
		if err == nil || !strings.Contains(err.Error(), c.want) || !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, %v; want %q and a hint", name, got, err, c.want)
		}
	}
}

func TestReadTextsRefuses(t *testing.T) {
	long := strings.Repeat("a", maxTextBytes+1)
	for name, c := range map[string]struct{ file, content, want string }{
		"empty":        {"t.txt", "", "no texts"},
		"only blank":   {"t.txt", "\n \n", "no texts"},
		"invisible":    {"t.txt", "a\n\u200b\u202e\n", `line 2: the text "\u200b\u202e" has no visible character`},
		"not UTF-8":    {"t.txt", "good\n\nb\xffd\n", "line 3 is not UTF-8"},
		"NUL":          {"t.txt", "good\nb\x00d", "line 2: the text holds a NUL"},
		"long":         {"t.txt", "good\n" + long, "line 2: the text has 10001 bytes"},
		"JSON empty":   {"t.json", "[]", "no texts"},
		"JSON no list": {"t.json", `{"text": "a"}`, "it is one entry"},
		"JSON nothing": {"t.json", ``, "not a JSON list"},
		"JSON number":  {"t.json", `["a wizard", 7]`, "entry 2: it is 7; expected an object or a string"},
		"JSON key": {"t.json", `[{"text": "a"}, {"text": "b", "txet": 1}]`,
			`entry 2: unknown field "txet"`},
		"JSON empty text": {"t.json", `[{"text": "a"}, {"kind": "limited"}]`, "entry 2: the text is empty"},
		"JSON attribute": {"t.json", `[{"text": "a", "attributes": {"hair": "red"}}]`,
			`entry 1: "attributes" is a string`},
		"JSON long":                    {"t.json", `[{"text": "` + long + `"}]`, "entry 1: the text has 10001 bytes"},
		"JSON cut":                     {"t.json", `[{"text": "a"}`, "after entry 1"},
		"JSON tail":                    {"t.json", `[{"text": "a"}] x`, "something follows the list of 1 entries"},
		"half of a character":          {"t.json", "[\n\"caf\\ud83d\"]", `line 2: \ud83d is half of a character`},
		"half of a character in lines": {"t.jsonl", "\"a\"\n\"\\ude00\"", `line 2: \ude00 is half of a character`},
		"UTF-16":                       {"t.txt", "\xff\xfea\x00", "the file is UTF-16 or UTF-32"},
		"UTF-16 without a mark":        {"t.csv", "\x00t\x00e\x00x\x00t", "the file is UTF-16 or UTF-32"},
		"JSON not UTF-8":               {"t.json", "[\n{\"text\": \"a\xff\"}]", "line 2 is not UTF-8"},
	} {
		texts, err := readTextsFrom(t, c.file, c.content)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) ||
			!fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, %v; want a usage error with %q, the file and a hint", name, texts, err, c.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.txt")); err == nil || !strings.Contains(err.Error(), "none.txt") {
		t.Errorf("missing file: %v", err)
	}
	huge := filepath.Join(t.TempDir(), "huge.txt")
	filestest.Write(t, huge, nil)
	if err := os.Truncate(huge, 1<<40); err != nil {
		t.Skip("the file system has no sparse files")
	}
	if _, err := Read(huge); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a terabyte: %v", err)
	}
}

// The descriptions of the embedded domain: 100 of limited words and 40 open-world ones, all with attributes.
func TestReadLoreleiDescriptions(t *testing.T) {
	texts, err := Read("../../configs/domains/lorelei/descriptions.json")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, x := range texts {
		kinds[x.Kind]++
		if len(x.Attributes) == 0 {
			t.Errorf("%q has no attributes", x.Text)
		}
	}
	if d := cmp.Diff(map[string]int{"limited": 100, "open-world": 40}, kinds); d != "" {
		t.Error(d)
	}
}

// Lines written are lines read, whatever line ends and blank lines are among them.
func TestReadTextsRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[a-zäöß日本я.,"\[{]{1,12}( [a-z]{1,5}){0,3}`)
		want := rapid.SliceOfN(word, 1, 8).Draw(rt, "texts")
		var b strings.Builder
		for _, s := range want {
			b.WriteString(s + rapid.SampledFrom([]string{"\n", "\r\n", "\n\n", " \n\t\n"}).Draw(rt, "end"))
		}
		got, err := readTextsFrom(t, "t.txt", b.String())
		if err != nil || len(got) != len(want) {
			rt.Fatalf("%d texts, %v; want %d", len(got), err, len(want))
		}
		for i := range want {
			if got[i].Text != want[i] {
				rt.Fatalf("text %d is %q; want %q", i, got[i].Text, want[i])
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	names := []string{"t.txt", "t.json", "t.jsonl", "t.csv", "t.tsv"}
	f.Add([]byte("a wizard\r\n\na girl"), uint8(0))
	f.Add([]byte(`[{"text": "a", "kind": "limited", "attributes": {"hair": ["red"]}}]`), uint8(1))
	f.Add([]byte(`{"a.png": "x", "b.png": ["y"]}`), uint8(1))
	f.Add([]byte(`{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "caption": "c"}]}`), uint8(1))
	f.Add([]byte("{\"prompt\": \"a\", \"seed\": 3}\n\"b\"\n"), uint8(2))
	f.Add([]byte("id,text,seed\n1,\"a, b\",4\n"), uint8(3))
	f.Add([]byte("Prompt\tCategory\n\"a \"\"b\"\"\"\tx\n"), uint8(4))
	f.Fuzz(func(t *testing.T, raw []byte, form uint8) {
		name := names[int(form)%len(names)]
		texts, err := Parse(name, raw)
		if (err == nil) != (len(texts) > 0) {
			t.Errorf("%d texts with error %v", len(texts), err)
		}
		for _, x := range texts {
			if x.Text == "" || len(x.Text) > maxTextBytes || !utf8.ValidString(x.Text) {
				t.Errorf("text %q", x.Text)
			}
		}
	})
}

func TestNewText(t *testing.T) {
	if text, err := New(" a wizard\n"); err != nil || text.Text != "a wizard" {
		t.Errorf("%+v, %v", text, err)
	}
	for _, s := range []string{"", " \t\n", "a\xff", "a\x00b", strings.Repeat("x", maxTextBytes+1)} {
		if _, err := New(s); err == nil || !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%.20q: %v", s, err)
		}
	}
}
