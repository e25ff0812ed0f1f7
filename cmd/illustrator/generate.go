package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

type generateOptions struct {
	mapperOptions
	drawOptions
	diversityOptions
	cartoonOptions
	domain, textsFile, out string
	strict, asJSON         bool
	texts                  []texts.Text
}

// drawOptions say how texts become pictures.
type drawOptions struct {
	seeds, noiseMode     string
	alpha, truncationPsi float64
	noProjection         bool
	injectIndex          int
}

func (d *drawOptions) addFlags(cmd *cobra.Command, seeds string) {
	flags := cmd.Flags()
	flags.StringVar(&d.seeds, "seeds", seeds, "seeds, such as 0,1,4-6")
	flags.Float64Var(&d.alpha, "alpha", 0, "distinctiveness of the prompt projection, eq. 3 (default the domain's)")
	flags.BoolVar(&d.noProjection, "no-projection", false, "use the text embedding as it is, without prompts")
	flags.IntVar(&d.injectIndex, "inject-index", 0, "layers below take the seed's random style, the others the predicted one")
	addSynthesisFlags(cmd, &d.noiseMode, &d.truncationPsi, stylegan2.NoiseRandom)
}

const generateLong = `Draws one picture for each text and seed, with a JSON beside it, a labelled grid (grid.png) and a summary of how well
pictures match texts (summary.json). Every picture carries text, seed, alpha and the networks' SHA-256 in its metadata.
--texts takes one text a line, or a JSON list of {"text", "attributes"}; named attributes are then looked for by the
domain's classifier. The mapper is that of a run (illustrator demo makes one in runs/demo), or the domain's own.

--count draws several pictures of each text, and measures how different they are: the mean cosine distance of two of their
embeddings. They differ, by their seeds, in what --diversity says:
  noise  the generator's noise
  style  the styles of the layers below --inject-index too, which are the seed's (default 1, as in the release)
  z      z too: √(1-s²) times the predicted one and s times a random one of the same length, where s is --spread
On the embedded domain z with its default spread is three times as diverse as style, with 96 % of the named attributes
found instead of 98.

--best-of N draws N candidates for each picture and keeps those whose embeddings are closest to the text's; the JSON lists
all. --refine moves z after the mapper by Adam, down the gradient of eq. 9 (the picture's embedding against the text's after
eq. 3, as in training) plus 0.3 times eq. 10, and keeps the best z it met. Both say what they gained and cost. The CLIP that
chooses and leads is the one that judges: its similarity flatters, a classifier's judgement does not.

--cartoon redraws what is written; scores are of the pictures before.`

func newGenerateCommand(opts *globalOptions) *cobra.Command {
	var g generateOptions
	cmd := &cobra.Command{
		Use:   "generate TEXT...",
		Short: "Turn descriptions into pictures",
		Long:  generateLong,
		Example: `  illustrator generate "a wizard with round glasses" --out wizard
  illustrator generate "a punk rocker" --count 8 --out punk
  illustrator generate --texts texts.txt --alpha 1.75 --run runs/demo --best-of 4 --out pictures`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runGenerate(cmd, opts, g, args) },
	}
	addDomainFlag(cmd, &g.domain)
	g.mapperOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&g.textsFile, "texts", "", "file of texts")
	flags.StringVarP(&g.out, "out", "o", "pictures", "folder to write")
	flags.BoolVar(&g.asJSON, "json", false, "print the summary as JSON")
	g.drawOptions.addFlags(cmd, "0")
	g.diversityOptions.addFlags(cmd)
	g.cartoonOptions.addFlags(cmd)
	g.addKeepPlainFlag(cmd)
	addStrictFlag(cmd, &g.strict)
	return cmd
}

func runGenerate(cmd *cobra.Command, opts *globalOptions, g generateOptions, args []string) (err error) {
	if g.texts, err = readTextArguments(args, g.textsFile); err != nil {
		return err
	}
	if len(g.texts) == 0 {
		return fault.Usage(fmt.Errorf("no text is given"), `write one, such as illustrator generate "a wizard with round glasses", or give --texts FILE`)
	}
	if err := g.resolve(cmd, &g.drawOptions); err != nil {
		return err
	}
	if g.domain, err = g.domainOf(cmd, g.domain); err != nil {
		return err
	}
	s, err := opts.readDomain(g.domain)
	if err != nil {
		return err
	}
	if !cmd.Flags().Changed("alpha") {
		g.alpha = s.domain.Alpha
	}
	summary, err := opts.generate(cmd.Context(), s, g)
	if err != nil {
		return err
	}
	if g.asJSON {
		return jsonfile.Print(opts.stdout, summary)
	}
	return summary.print(opts, g.out)
}

// generateSummary is summary.json.
type generateSummary struct {
	eval.Summary
	// Diversity is the mean cosine distance between the embeddings of two pictures of one text, mean over texts; left out
	// where texts have one picture each.
	Diversity *float64     `json:"diversity,omitempty"`
	BestOf    *improvement `json:"best_of,omitempty"`
	Refined   *improvement `json:"refined,omitempty"`
	Seconds   float64      `json:"seconds"`
	Grid      string       `json:"grid"`
}

func (s generateSummary) print(opts *globalOptions, out string) error {
	pictures := fmt.Sprintf("%d pictures", s.Pictures)
	if s.Pictures == 1 {
		pictures = "1 picture"
	}
	line := fmt.Sprintf("%s in %s, grid %s\nCLIP similarity %.3f", pictures, out, s.Grid, s.CLIPSimilarity)
	if s.AttributeAccuracy != nil {
		line += fmt.Sprintf(", named attributes found %.1f %%", 100**s.AttributeAccuracy)
		for _, kind := range sortedKeys(s.ByKind) {
			line += fmt.Sprintf(" (%s %.1f %%)", kind, 100*s.ByKind[kind])
		}
	}
	if s.Diversity != nil {
		line += fmt.Sprintf(", diversity %.3f", *s.Diversity)
	}
	if s.BestOf != nil {
		line += "\n" + s.BestOf.line(fmt.Sprintf("Best of %d", s.BestOf.Of))
	}
	if s.Refined != nil {
		line += "\n" + s.Refined.line(fmt.Sprintf("Refined by %d steps", s.Refined.Of))
	}
	_, err := fmt.Fprintln(opts.stdout, line)
	return err
}

// generate draws and writes the pictures of all texts, grid and summary. All that g names is checked before a device starts.
func (o *globalOptions) generate(ctx context.Context, s *session, g generateOptions) (generateSummary, error) {
	began := time.Now()
	request, err := g.request(s)
	if err != nil {
		return generateSummary{}, err
	}
	request.Spread = g.spread
	if s.networks.Classifier != nil {
		if err := eval.CheckTexts(*s.networks.Classifier, g.texts); err != nil {
			return generateSummary{}, err
		}
	}
	if err := terminal.CheckOutputFolder(g.out); err != nil {
		return generateSummary{}, err
	}
	if err := o.openCartoon(&g.cartoonOptions, s); err != nil {
		return generateSummary{}, err
	}
	if request.Prompts, err = s.loadMapperAndPrompts(g.mapperOptions, g.noProjection); err != nil {
		return generateSummary{}, err
	}
	embeds, err := o.embedTexts(ctx, s, g.texts, g.strict)
	if err != nil {
		return generateSummary{}, err
	}
	if err := terminal.CreateFolder(g.out); err != nil {
		return generateSummary{}, err
	}
	album, err := o.drawTexts(ctx, s, g, request, embeds)
	if err != nil {
		return generateSummary{}, err
	}
	if len(album.pictures) < len(album.scores) {
		o.log.Warn(fmt.Sprintf("the grid shows the first %d of %d pictures", len(album.pictures), len(album.scores)))
	}
	summary, err := album.summarize(s.networks.CLIP.ProjectionDim)
	if err != nil {
		return generateSummary{}, err
	}
	summary.Grid = filepath.Join(g.out, "grid.png")
	if err := album.writeGrid(summary.Grid, len(album.scores)/len(g.texts), summary); err != nil {
		return generateSummary{}, err
	}
	summary.Seconds = time.Since(began).Seconds()
	return summary, jsonfile.Write(filepath.Join(g.out, "summary.json"), summary)
}

func (a *album) summarize(embedDim int) (generateSummary, error) {
	diversity, err := a.diversity(embedDim)
	a.bestOf.summarize()
	a.refined.summarize()
	return generateSummary{Summary: eval.Summarize(a.texts, a.scores), Diversity: diversity, BestOf: a.bestOf, Refined: a.refined}, err
}

// request checks the options and turns them into the pipeline's, without random z.
func (d drawOptions) request(s *session) (pipeline.Request, error) {
	synthesis, err := parseSynthesis(d.noiseMode, d.truncationPsi)
	if err != nil {
		return pipeline.Request{}, err
	}
	if err := configs.CheckAlpha("--alpha", d.alpha); err != nil {
		return pipeline.Request{}, err
	}
	seeds, err := seeds.Parse(d.seeds)
	if err != nil {
		return pipeline.Request{}, fmt.Errorf("--%w", err)
	}
	if layers := s.networks.Generator.NumLayers(); d.injectIndex < 0 || d.injectIndex > layers {
		return pipeline.Request{}, fault.Usage(fmt.Errorf("--inject-index is %d", d.injectIndex), "this generator has layers 0 to %d; 0 leaves all styles as predicted", layers)
	}
	return pipeline.Request{Alpha: d.alpha, Seeds: seeds, InjectIndex: d.injectIndex, Synthesis: synthesis}, nil
}
