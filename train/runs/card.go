package runs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"illustrator/configs"
)

// card writes the model card of a packed run: what it is, how to use it, how it was trained, what was measured.
func (p *packer) card() (string, error) {
	figures, err := p.figures()
	if err != nil {
		return "", err
	}
	settings, err := unlikePaper(p.run.Config())
	if err != nil {
		return "", err
	}
	settings = slices.DeleteFunc(settings, configs.Setting.IsPath) // the title names the domain; init is not packed
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("---\nlibrary_name: illustrator\npipeline_tag: text-to-image\ntags: [text-to-image, stylegan2, clip]\n---")
	line("# %s, a mapper for the domain %s\n", p.run.name(), p.domain.Name)
	line("A mapper from CLIP's image embeddings to a StyleGAN2's Z, as in \"AI Illustrator\" (ACM MM 2022), with the")
	line("prompts of its projection. %s\n", strings.TrimSpace(p.domain.About))
	line("## Use\n")
	line("    illustrator generate \"%s\" --run hf-hub:ORGANISATION/NAME@REVISION --out pictures\n", p.domain.TextPrompt)
	if len(p.domain.Published()) > 0 {
		line("The domain's networks are fetched first: `illustrator fetch FOLDER/%s` shows their licences.\n", domainFile)
	}
	line("## Training\n")
	line("%d of %d steps, %s. Pairs: %s.\n", p.run.Info.Step, p.run.Info.Steps, p.run.Info.Status, p.run.Info.Pairs)
	line("Settings that differ from the paper's:\n")
	for _, s := range inWords(settings) {
		line("- %s", s)
	}
	line("\nNetworks that it was trained with, and draws with:\n")
	for _, name := range slices.Sorted(maps.Keys(p.run.Info.Networks)) {
		line("- %s, SHA-256 `%s`", name, p.run.Info.Networks[name])
	}
	line("\n## Figures\n")
	b.WriteString(figureTable(figures))
	line("\n## Limits\n")
	b.WriteString(limits)
	return b.String(), nil
}

const limits = `It draws what its domain's generator draws and nothing else: a text of other things gives a picture of
the domain. Its similarity is measured by the CLIP that it was trained with, which flatters it. What the generator and
CLIP have learnt of people and their looks, prejudice included, is in the pictures. The licences of both networks hold
for pictures too.
`

// figureTable lists figures with their intervals, or says that there are none.
func figureTable(figures []figure) string {
	if len(figures) == 0 {
		return "Not measured: the run was not evaluated before it was packed.\n"
	}
	var b strings.Builder
	b.WriteString("| metric | value | 95 % interval | samples | better | caveat |\n|---|---|---|---|---|---|\n")
	for _, f := range figures {
		interval := "none"
		if f.Interval != nil {
			interval = fmt.Sprintf("%.4g to %.4g", f.Interval.Low, f.Interval.High)
		}
		fmt.Fprintf(&b, "| %s | %.4g | %s | %d | %s | %s |\n", f.Name, f.Value, interval, f.N, f.Better, f.Caveat)
	}
	return b.String()
}
