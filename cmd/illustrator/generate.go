package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/album"
	"illustrator/internal/fault"
)

type generateOptions struct {
	artistOptions
	drawFlags
	textsFile, out string
	asJSON, arrays bool
	replace        bool
	batch          int
	alphas         []float64
}

const generateLong = `Draws one picture for each text and seed, with a JSON beside it, a labelled grid (grid.png) and
a summary of how well pictures match texts (summary.json). Every picture carries text, seed, alpha and the networks'
SHA-256 in its metadata. --texts takes one text a line, or a .json, .jsonl, .csv or .tsv file, whose columns seed,
alpha and style hold for a text in place of the flags. Attributes that a JSON file's entry {"text", "attributes"}
names are looked for by the domain's classifier. The mapper is that of a run (illustrator demo makes one in
runs/demo), or the domain's own.

--count draws several pictures of each text, and measures how different they are: the mean cosine distance of two of
their embeddings. They differ, by their seeds, in what --diversity says:
  noise  the generator's noise
  style  the styles of the layers below --inject-index too, which are the seed's (default 1, as in the release)
  z      z too: √(1-s²) times the predicted one and s times a random one of the same length, where s is --spread
On the domain lorelei, with its first CLIP, z with its default spread is three times as diverse as style, with 96 % of
the named attributes found instead of 98.

--best-of N draws N candidates for each picture and keeps those whose embeddings are closest to the text's; the JSON
lists all. --refine moves z after the mapper by Adam, down the gradient of eq. 9 (the picture's embedding against the
text's after eq. 3, as in training) plus 0.3 times eq. 10, and keeps the best z it met. Both say what they gained and
cost. The CLIP that chooses and leads also judges: its similarity flatters, a classifier's judgement does not.

--alphas 0.5,0.9,1.3 draws the seeds once with each strength of eq. 3, and writes them as a sheet to grid.png.

A warning names a text that lies far from the domain's descriptions; its picture shows something else.

--cartoon redraws what is written; scores are of the pictures before.`

func newGenerateCommand(opts *terminal.Options) *cobra.Command {
	var g generateOptions
	cmd := &cobra.Command{
		Use:   "generate TEXT...",
		Short: "Turn descriptions into pictures",
		Long:  generateLong,
		Example: `  illustrator generate "a wizard with round glasses" --out wizard
  illustrator generate "a punk rocker" --count 8 --out punk
  illustrator generate "a punk rocker" --count 4 --alphas 0.5,0.9,1.3 --out sheet
  illustrator generate --texts examples/texts.txt --alpha 1.75 --run examples/runs/first --best-of 4 --out pictures`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runGenerate(cmd, opts, g, args) },
	}
	g.artistOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&g.textsFile, "texts", "", "file of texts")
	flags.StringVarP(&g.out, "out", "o", "pictures",
		"folder to write; without --out pictures, or pictures-2 and so on where that holds others")
	flags.BoolVar(&g.replace, "replace", false,
		"remove pictures of earlier calls from the folder, which are refused otherwise")
	flags.BoolVar(&g.asJSON, "json", false, "print the summary as JSON")
	g.drawFlags.addFlags(cmd, "0")
	g.addVariety(cmd)
	flags.Float64SliceVar(&g.alphas, "alphas", nil,
		"in place of --alpha: draw a sheet, a row for each of these `numbers` and a column for each seed")
	flags.Lookup("alphas").DefValue = ""
	flags.IntVar(&g.batch, "batch", draw.AtOnce,
		"pictures drawn at once, on which their last digits depend: with 1 no picture depends on others")
	g.addKeepPlainFlag(cmd)
	flags.BoolVar(&g.arrays, "arrays", false,
		"write z.npy [N,Z], w.npy [N,L,Z] and the pictures as float32, images.npy [N,3,H,W], too")
	addStrictFlag(cmd, &g.strict)
	opts.AddPrecisionFlag(flags)
	return cmd
}

func runGenerate(cmd *cobra.Command, opts *terminal.Options, g generateOptions, args []string) error {
	descriptions, err := texts.Gather(args, g.textsFile)
	if err != nil {
		return err
	}
	if err := g.check(cmd, len(descriptions)); err != nil {
		return err
	}
	a, err := g.read(cmd, opts)
	if err != nil {
		return err
	}
	of := album.Album{AtOnce: g.batch, Out: g.out, Arrays: g.arrays, Replace: g.replace, Sheet: len(g.alphas) > 0}
	of.Requests, err = a.Requests(g.spec, g.alphas, draw.DefaultLimits(), descriptions...)
	if err != nil {
		return err
	}
	if err := terminal.CheckOutputFolder(of.Out); err != nil {
		return err
	}
	if err := of.OwnFolder(cmd.Flags().Changed("out")); err != nil {
		return err
	}
	if err := a.load(cmd.Context(), g.spec.NoProjection); err != nil {
		return err
	}
	summary, err := a.album(cmd.Context(), of)
	if err != nil {
		return err
	}
	return opts.PrintResult(g.asJSON, summary, summary.Text(of.Out))
}

// check checks what needs no domain, and reads the seeds.
func (g *generateOptions) check(cmd *cobra.Command, texts int) error {
	if texts == 0 {
		return fault.Usage(fmt.Errorf("no text is given"),
			`write one, such as illustrator generate "a wizard with round glasses", or give --texts FILE`)
	}
	if g.batch < 1 || g.batch > 4096 {
		return fault.Field("--batch", g.batch, "from 1 to 4096")
	}
	return g.parseSeeds(cmd)
}
