package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
	"illustrator/models/classifier"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

func TestEmbeddedDomainsOpen(t *testing.T) {
	for _, name := range Names("domains") {
		d, err := OpenDomain(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Published()) > 0 {
			continue
		}
		networks, err := pipeline.Open(nil, d.Locations())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.CheckNetworks(networks); err != nil {
			t.Error(err)
		}
		if d.PromptsPath() != "" {
			t.Errorf("%s is embedded, but its prompts would be written to %q", name, d.PromptsPath())
		}
		if d.Descriptions == "" {
			continue
		}
		file, raw, err := d.ReadDescriptions()
		if err != nil {
			t.Fatal(err)
		}
		texts, err := texts.Parse(file, raw)
		if err != nil {
			t.Fatal(err)
		}
		if networks.Classifier != nil {
			if err := draw.CheckTexts(*networks.Classifier, texts); err != nil {
				t.Error(err)
			}
		}
	}
}

// A domain of other networks and sizes, in a folder anywhere, is a YAML file and no code.
func TestAnotherDomain(t *testing.T) {
	dir := t.TempDir()
	path, err := pipelinetest.Write(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	d, err := OpenDomain(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "generator"); d.Locations().Generator != want {
		t.Errorf("generator %q, want %q", d.Locations().Generator, want)
	}
	if want := filepath.Join(dir, "tiny.prompts.safetensors"); d.PromptsPath() != want {
		t.Errorf("prompts %q, want %q", d.PromptsPath(), want)
	}
	if d.MapperLocation() != "" || d.Locations().Classifier != "" {
		t.Errorf("%+v", d)
	}
	if _, _, err := d.ReadPrompts(); fault.CodeOf(err) != NoPrompts {
		t.Errorf("prompts that are not there: %v", err)
	}
	_, _, err = d.ReadDescriptions()
	expectMistake(t, "descriptions", err, "domain tiny has no descriptions", "give texts")
	networks, err := pipeline.Open(nntest.Backend(t), d.Locations())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckNetworks(networks); err != nil {
		t.Fatal(err)
	}
	embeds, err := networks.RenderAndEmbed(t.Context(), seeds.Z(7, networks.Generator.StyleDim),
		pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, Keys: []uint64{7}})
	if err != nil {
		t.Fatal(err)
	}
	if len(embeds) != pipelinetest.EmbedDim {
		t.Errorf("%d values of embedding, want %d", len(embeds), pipelinetest.EmbedDim)
	}
}

func TestPathsOfADomain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cats.yaml")
	text := "name: cats\ngenerator: nets/g\nclip: /abs/clip\nclassifier: embedded:lorelei/classifier\n" +
		"mapper: ../m\ntext_prompt: A Cat.\nalpha: 1\nprompts: p/cats.safetensors\ndescriptions: d.txt\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d.txt"), []byte("a cat\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDomain(path)
	if err != nil {
		t.Fatal(err)
	}
	l := d.Locations()
	for got, want := range map[string]string{
		l.Generator: filepath.Join(dir, "nets/g"), l.CLIP: "/abs/clip", l.Classifier: "embedded:lorelei/classifier",
		d.MapperLocation(): filepath.Join(dir, "../m"), d.PromptsPath(): filepath.Join(dir, "p/cats.safetensors"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if name, raw, err := d.ReadDescriptions(); err != nil || name != "d.txt" || string(raw) != "a cat\n" {
		t.Errorf("descriptions %q %q %v", name, raw, err)
	}
}

func TestDomainMistakes(t *testing.T) {
	good := "name: cats\ngenerator: g\nclip: c\ntext_prompt: A Cat.\nalpha: 1.75\n"
	if _, err := OpenDomain(writeFile(t, "cats.yaml", good)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][2]string{
		strings.Replace(good, "name: cats", "about: x", 1):   {"name is missing", "the domain's name"},
		strings.Replace(good, "generator: g", "about: x", 1): {"generator is missing", "converted StyleGAN2"},
		strings.Replace(good, "clip: c", "about: x", 1):      {"clip is missing", "converted CLIP"},
		strings.Replace(good, "A Cat.", "' '", 1):            {"text_prompt is missing", "description"},
		strings.Replace(good, "alpha: 1.75\n", "", 1):        {"alpha is missing", "a number from 0 to 10"},
		strings.Replace(good, "1.75", "-1", 1):               {"alpha is -1", "from 0 to 10"},
		strings.Replace(good, "1.75", ".nan", 1):             {"alpha is NaN", "from 0 to 10"},
		strings.Replace(good, "1.75", "101", 1):              {"alpha is 101", "from 0 to 10"},
		strings.Replace(good, "generator: g", "genertor: g", 1): {`line 2: unknown key "genertor"`,
			"did you mean generator?"},
		good + "size: large\n": {`line 6: "large" is not a whole number`, "configs/"},
	} {
		_, err := OpenDomain(writeFile(t, "cats.yaml", text))
		expectMistake(t, text, err, want[0], want[1])
	}
	_, err := OpenDomain("lorlei")
	expectMistake(t, "name", err, `domain "lorlei" is unknown`, "did you mean lorelei?")
}

func TestCheckNetworksNamesTheField(t *testing.T) {
	networks, err := pipeline.Open(nil, pipeline.Locations{Generator: "embedded:lorelei/generator",
		CLIP: "embedded:lorelei/clip"})
	if err != nil {
		t.Fatal(err)
	}
	for field, d := range map[string]Domain{"size": {Size: 256}, "z_dim": {ZDim: 512}, "embed_dim": {EmbedDim: 512}} {
		expectMistake(t, field, d.CheckNetworks(networks), field+" is ", "correct "+field)
	}
	networks.Classifier = &classifier.Config{ImageSize: 32}
	expectMistake(t, "classifier", (&Domain{}).CheckNetworks(networks),
		"the classifier sees pictures of 32 pixels, but the generator's have 64", "or none")
	networks.Classifier = nil
	if err := (&Domain{}).CheckNetworks(networks); err != nil {
		t.Errorf("sizes that are left out: %v", err)
	}
}

// A file that is too long is a mistake of the user's, and the hint gives the limit, not the names of other files.
func TestDomainFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.yaml")
	filestest.Write(t, path, make([]byte, 2<<20))
	_, err := OpenDomain(path)
	if !fault.IsUsage(err) || !strings.Contains(err.Error(), "2097152 bytes") ||
		!strings.Contains(fault.HintOf(err), "at most 1048576 bytes") {
		t.Errorf("%v; hint %q", err, fault.HintOf(err))
	}
}
