package main

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/eval"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

type generateOptions struct {
	mapperOptions
	domain, textsFile, seeds, noiseMode, out string
	alpha, truncationPsi                     float64
	noProjection, strict, asJSON             bool
	injectIndex                              int
	texts                                    []data.Text
}

func newGenerateCommand(opts *globalOptions) *cobra.Command {
	var g generateOptions
	cmd := &cobra.Command{
		Use:   "generate TEXT...",
		Short: "Turn descriptions into pictures",
		Long: `Draws one picture for each text and seed, with a JSON beside it, a labelled grid (grid.png) and a summary of how well
pictures match texts (summary.json). Every picture carries text, seed, alpha and the networks' SHA-256 in its metadata.
--texts takes one text a line, or a JSON list of {"text", "attributes"}; named attributes are then looked for by the
domain's classifier. A seed decides the generator's noise, and with --inject-index K the styles of the layers below K.`,
		Example: `  illustrator generate "a wizard with round glasses" --out wizard
  illustrator generate "a punk rocker" --seeds 0-7 --inject-index 3 --run runs/demo --out punk
  illustrator generate --texts descriptions.json --alpha 1.75 --out pictures`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if g.texts, err = readTextArguments(args, g.textsFile); err != nil {
				return err
			}
			if len(g.texts) == 0 {
				return fault.Usage(fmt.Errorf("no text is given"), `write one, such as illustrator generate "a wizard with round glasses", or give --texts FILE`)
			}
			s, err := opts.openDomain(g.domain)
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
				return printJSON(opts.stdout, summary)
			}
			return summary.print(opts, g.out)
		},
	}
	addDomainFlag(cmd, &g.domain)
	g.mapperOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&g.textsFile, "texts", "", "file of texts")
	flags.StringVar(&g.seeds, "seeds", "0", "seeds, such as 0,1,4-6")
	flags.Float64Var(&g.alpha, "alpha", 0, "distinctiveness of the prompt projection, eq. 3 (default the domain's)")
	flags.BoolVar(&g.noProjection, "no-projection", false, "use the text embedding as it is, without prompts")
	flags.IntVar(&g.injectIndex, "inject-index", 0, "layers below take the seed's random style, the others the predicted one")
	flags.StringVarP(&g.out, "out", "o", "pictures", "folder to write")
	flags.BoolVar(&g.asJSON, "json", false, "print the summary as JSON")
	addSynthesisFlags(cmd, &g.noiseMode, &g.truncationPsi, stylegan2.NoiseRandom)
	addStrictFlag(cmd, &g.strict)
	return cmd
}

// generateSummary is summary.json.
type generateSummary struct {
	eval.Summary
	Seconds float64 `json:"seconds"`
	Grid    string  `json:"grid"`
}

func (s generateSummary) print(opts *globalOptions, out string) error {
	line := fmt.Sprintf("%d pictures in %s, grid %s\nCLIP similarity %.3f", s.Pictures, out, s.Grid, s.CLIPSimilarity)
	if s.AttributeAccuracy != nil {
		line += fmt.Sprintf(", named attributes found %.1f %%", 100**s.AttributeAccuracy)
		for _, kind := range sortedKeys(s.ByKind) {
			line += fmt.Sprintf(" (%s %.1f %%)", kind, 100*s.ByKind[kind])
		}
	}
	_, err := fmt.Fprintln(opts.stdout, line)
	return err
}

// generate draws and writes the pictures of all texts, grid and summary.
func (o *globalOptions) generate(ctx context.Context, s *session, g generateOptions) (generateSummary, error) {
	began := time.Now()
	request, err := g.request(s)
	if err != nil {
		return generateSummary{}, err
	}
	if s.networks.Classifier != nil {
		if err := eval.CheckTexts(*s.networks.Classifier, g.texts); err != nil {
			return generateSummary{}, err
		}
	}
	if err := s.loadMapper(g.mapperOptions); err != nil {
		return generateSummary{}, err
	}
	if !g.noProjection {
		prompts, err := s.loadPrompts(g.run)
		if err != nil {
			return generateSummary{}, err
		}
		request.Prompts = &prompts.Prompts
	}
	embeds, err := o.embedTexts(ctx, s, g.texts, g.strict)
	if err != nil {
		return generateSummary{}, err
	}
	if err := createFolder(g.out); err != nil {
		return generateSummary{}, err
	}
	album, err := o.drawTexts(ctx, s, g, request, embeds)
	if err != nil {
		return generateSummary{}, err
	}
	summary := generateSummary{Summary: eval.Summarize(album.texts, album.scores), Grid: filepath.Join(g.out, "grid.png")}
	if err := album.writeGrid(summary.Grid, len(request.Seeds), summary.Summary); err != nil {
		return generateSummary{}, err
	}
	summary.Seconds = time.Since(began).Seconds()
	return summary, writeJSON(filepath.Join(g.out, "summary.json"), summary)
}

// request checks the options and turns them into the pipeline's.
func (g generateOptions) request(s *session) (pipeline.Request, error) {
	synthesis, err := parseSynthesis(g.noiseMode, g.truncationPsi)
	if err != nil {
		return pipeline.Request{}, err
	}
	if err := configs.CheckAlpha("--alpha", g.alpha); err != nil {
		return pipeline.Request{}, err
	}
	seeds, err := data.ParseSeeds(g.seeds)
	if err != nil {
		return pipeline.Request{}, err
	}
	if layers := s.networks.Generator.NumLayers(); g.injectIndex < 0 || g.injectIndex > layers {
		return pipeline.Request{}, fault.Usage(fmt.Errorf("--inject-index is %d", g.injectIndex), "this generator has layers 0 to %d; 0 leaves all styles as predicted", layers)
	}
	r := pipeline.Request{Alpha: g.alpha, Seeds: seeds, InjectIndex: g.injectIndex, Synthesis: synthesis}
	for _, seed := range seeds {
		r.RandomZ = append(r.RandomZ, data.Z(seed, s.networks.Generator.StyleDim)...)
	}
	return r, nil
}

// album is what was drawn, a picture for each text and seed.
type album struct {
	texts    []data.Text
	pictures []image.Image
	scores   []eval.Score
}

// pictureInfo is the JSON beside a picture.
type pictureInfo struct {
	Text     string            `json:"text"`
	Seed     uint64            `json:"seed"`
	Alpha    *float64          `json:"alpha"` // null without projection
	Domain   string            `json:"domain"`
	Networks map[string]string `json:"networks_sha256"`
	Score    eval.Score        `json:"score"`
}

// drawTexts draws text by text, so that little memory is held, and writes each picture when it is done.
func (o *globalOptions) drawTexts(ctx context.Context, s *session, g generateOptions, request pipeline.Request, embeds []float32) (*album, error) {
	var a album
	dim, size := s.networks.CLIP.ProjectionDim, s.networks.Generator.Size
	bar := o.newProgress("Drawing pictures", len(g.texts)*len(request.Seeds))
	defer bar.Done()
	chunk := max(1, 32/len(request.Seeds)) // of texts, to fill a batch
	for from := 0; from < len(g.texts); from += chunk {
		to := min(from+chunk, len(g.texts))
		request.TextEmbeds = embeds[from*dim : to*dim]
		generated, err := s.networks.Generate(ctx, request)
		if err != nil {
			return nil, err
		}
		pictures, err := data.SplitPictures(generated.Images, size, size)
		if err != nil {
			return nil, err
		}
		var texts []data.Text
		var textEmbeds []float32
		for i := range pictures {
			text := from + i/len(request.Seeds)
			texts = append(texts, g.texts[text])
			textEmbeds = append(textEmbeds, embeds[text*dim:(text+1)*dim]...)
		}
		scores, err := eval.Pictures(ctx, s.networks, texts, textEmbeds, generated.Images)
		if err != nil {
			return nil, err
		}
		for i, p := range pictures {
			seed := request.Seeds[i%len(request.Seeds)]
			a.pictures = append(a.pictures, p.Image())
			name := fmt.Sprintf("%04d-%s-seed%d", from+i/len(request.Seeds)+1, slug(texts[i].Text), seed)
			info := pictureInfo{Text: texts[i].Text, Seed: seed, Domain: s.domain.Name, Networks: s.networks.Hashes, Score: scores[i]}
			if request.Prompts != nil {
				info.Alpha = &request.Alpha
			}
			if err := info.write(filepath.Join(g.out, name), a.pictures[len(a.pictures)-1]); err != nil {
				return nil, err
			}
		}
		a.texts, a.scores = append(a.texts, texts...), append(a.scores, scores...)
		bar.Set(len(a.pictures), "")
	}
	return &a, nil
}

// write writes a picture with its metadata, and the same as JSON beside it.
func (p pictureInfo) write(base string, img image.Image) error {
	meta := []data.Meta{
		{Key: "Description", Value: p.Text}, {Key: "Software", Value: createdBy()},
		{Key: "Seed", Value: fmt.Sprint(p.Seed)}, {Key: "Domain", Value: p.Domain},
	}
	if p.Alpha != nil {
		meta = append(meta, data.Meta{Key: "Alpha", Value: fmt.Sprint(*p.Alpha)})
	}
	for _, name := range sortedKeys(p.Networks) {
		meta = append(meta, data.Meta{Key: name + "-SHA256", Value: p.Networks[name]})
	}
	if err := data.WritePNG(base+".png", img, meta); err != nil {
		return err
	}
	return writeJSON(base+".json", p)
}

// writeGrid writes all pictures on one labelled sheet: a row for each text where there are several seeds.
func (a *album) writeGrid(path string, seeds int, summary eval.Summary) error {
	columns, labels, notes := min(10, len(a.pictures)), make([]string, len(a.pictures)), make([]string, len(a.pictures))
	if seeds > 1 {
		columns = min(seeds, 12)
	}
	for i, score := range a.scores {
		labels[i] = a.texts[i].Text
		notes[i] = fmt.Sprintf("cos %.2f", score.CLIPSimilarity)
		if score.Named > 0 {
			notes[i] = fmt.Sprintf("%d/%d attributes, %s", score.Found, score.Named, notes[i])
		}
	}
	subtitle := fmt.Sprintf("CLIP similarity %.3f", summary.CLIPSimilarity)
	if summary.AttributeAccuracy != nil {
		subtitle += fmt.Sprintf(", named attributes found %.1f %%", 100**summary.AttributeAccuracy)
	}
	img, err := data.Grid(a.pictures, labels, columns, data.GridOptions{Title: fmt.Sprintf("%d pictures", len(a.pictures)), Subtitle: subtitle, Notes: notes})
	if err != nil {
		return err
	}
	return data.WritePNG(path, img, []data.Meta{{Key: "Software", Value: createdBy()}})
}

var notPlain = regexp.MustCompile(`[^\pL\pN]+`)

// slug turns a text into a short part of a file name.
func slug(text string) string {
	runes := []rune(strings.Trim(notPlain.ReplaceAllString(strings.ToLower(text), "-"), "-"))
	if len(runes) > 40 {
		runes = runes[:40]
	}
	return strings.Trim(string(runes), "-")
}
