package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/storybook"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

type illustrateOptions struct {
	mapperOptions
	drawFlags
	cartoonOptions
	domain, out, format, title, character, language string
	sameSeed, asJSON                                bool

	story    storybook.Story
	pictures []storyPicture // one of each paragraph
}

func newIllustrateCommand(opts *globalOptions) *cobra.Command {
	var i illustrateOptions
	cmd := &cobra.Command{
		Use:   "illustrate STORY",
		Short: "Draw a picture for each paragraph of a story, and lay out a page",
		Long: `Reads a story, plain text with empty lines between paragraphs or Markdown (.md; headings are title and chapters; pictures,
code and tables are left out), draws one picture for each paragraph, and lays out story.html, one file that needs no other,
or story.pdf. story.json says what each picture was asked for.

A picture is asked for by the first sentences of its paragraph, as many as fit into CLIP's context; of a first sentence
that does not fit, its first words. --character goes before each of them, and keeps one person in all pictures. Each
paragraph takes the next of --seeds, from the beginning again after the last; --same-seed gives all the first, and with it
the same noise. With --inject-index K the layers below K then have one random style in all pictures: what coarse layers draw
stays the same, and follows the text less.

The same command draws nothing again, and after Ctrl-C or a crash it goes on with the pictures that are missing. Where the
story, a seed, the mapper or an option has changed, the pictures that the change concerns are drawn anew, and the pages are
laid out again; a paragraph put in between moves numbers and seeds of those after it, which are drawn anew too. Pictures that
the story no longer has stay in the folder.`,
		Example: `  illustrator illustrate story.txt --out story
  illustrator illustrate story.md --character "a woman with red hair" --same-seed --inject-index 2 --cartoon comic --cartoon-scale 8 --format both`,
		Args: terminal.ExactArgs(1, "one story, a text or Markdown file"),
		RunE: func(cmd *cobra.Command, args []string) error { return runIllustrate(cmd, opts, i, args[0]) },
	}
	addDomainFlag(cmd, &i.domain)
	i.mapperOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&i.out, "out", "o", "story", "folder to write")
	flags.StringVar(&i.format, "format", "html", "page to lay out: html, pdf or both")
	flags.StringVar(&i.title, "title", "", "title (default Markdown's first heading, else the file's name)")
	flags.StringVar(&i.language, "language", "en", "the story's language, such as de, for hyphens and screen readers")
	flags.StringVar(&i.character, "character", "", `who or what every picture shows, such as "a woman with red hair"`)
	flags.BoolVar(&i.sameSeed, "same-seed", false, "draw all pictures with the first seed")
	flags.BoolVar(&i.asJSON, "json", false, "print the summary as JSON")
	i.drawFlags.addFlags(cmd, "0-499")
	i.cartoonOptions.addFlags(cmd)
	i.addKeepPlainFlag(cmd)
	return cmd
}

func runIllustrate(cmd *cobra.Command, opts *globalOptions, i illustrateOptions, path string) (err error) {
	if !slices.Contains([]string{"html", "pdf", "both"}, i.format) {
		return fault.Usage(fmt.Errorf("--format %q is unknown", i.format), "the formats are html, pdf and both")
	}
	if i.story, err = storybook.Read(path); err != nil {
		return err
	}
	if i.title == "" {
		i.title = i.story.Title
	}
	if i.title == "" {
		i.title = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	if i.domain, err = i.domainOf(cmd, i.domain); err != nil {
		return err
	}
	s, err := opts.readDomain(i.domain)
	if err != nil {
		return err
	}
	plan, err := i.drawFlags.plan(cmd, s.model())
	if err != nil {
		return err
	}
	if err := i.ask(s); err != nil {
		return err
	}
	summary, err := opts.illustrate(cmd.Context(), s, i, plan)
	if err != nil {
		return err
	}
	if i.asJSON {
		return jsonfile.Print(opts.stdout, summary)
	}
	_, err = fmt.Fprintf(opts.stdout, "%d pictures, CLIP similarity %.3f\n%s\n", len(summary.Paragraphs), summary.CLIPSimilarity, strings.Join(summary.Pages, "\n"))
	return err
}

// ask decides what each picture is asked for.
func (i *illustrateOptions) ask(s *session) error {
	before := ""
	if character := strings.Join(strings.Fields(i.character), " "); character != "" {
		before = strings.TrimRight(character, ".,; ") + ". "
	}
	fits := func(text string) bool { return s.networks.Tokenizer.Encode(before+text).Lost == "" }
	if !fits("") || before != "" && !fits("a") {
		return fault.Usage(fmt.Errorf("--character fills CLIP's %d tokens by itself", s.networks.Tokenizer.Context()), "describe the character in fewer words")
	}
	for n, p := range i.story.Paragraphs {
		kept, left := storybook.Reduce(p.Text, fits)
		text, err := texts.New(before + kept)
		if err != nil {
			return fmt.Errorf("paragraph %d: %w", n+1, err)
		}
		i.pictures = append(i.pictures, storyPicture{text: text, left: left})
	}
	return nil
}

// storySummary is story.json.
type storySummary struct {
	Title          string           `json:"title"`
	Pages          []string         `json:"pages"`
	CLIPSimilarity float64          `json:"clip_similarity"` // mean; of the pictures before a cartoon
	Paragraphs     []storyParagraph `json:"paragraphs"`
	// Asked is a hash of all that pages and pictures follow from.
	Asked string `json:"asked_sha256"`
}

type storyParagraph struct {
	Chapter        string  `json:"chapter,omitempty"`
	Text           string  `json:"text"`
	Asked          string  `json:"asked"`              // of the picture
	LeftOut        string  `json:"left_out,omitempty"` // of the text: it does not fit into CLIP's context
	Seed           uint64  `json:"seed"`
	Picture        string  `json:"picture"` // in the same folder
	CLIPSimilarity float64 `json:"clip_similarity"`
}

// illustrate draws the pictures and lays out the pages, unless that was done.
func (o *globalOptions) illustrate(ctx context.Context, s *session, i illustrateOptions, plan draw.Plan) (storySummary, error) {
	if err := terminal.CheckOutputFolder(i.out); err != nil {
		return storySummary{}, err
	}
	if err := o.openCartoon(&i.cartoonOptions, s); err != nil {
		return storySummary{}, err
	}
	model, err := s.loadModel(i.mapperOptions, plan.NoProjection)
	if err != nil {
		return storySummary{}, err
	}
	summary := storySummary{Title: i.title}
	if summary.Asked, err = i.order(model, plan); err != nil {
		return summary, err
	}
	if before, done := i.done(summary.Asked); done {
		o.log.Info("nothing to draw: the story was illustrated by the same command")
		return before, nil
	}
	if err := i.begin(); err != nil {
		return summary, err
	}
	if err := o.drawStory(ctx, s, i, model, plan); err != nil {
		return summary, err
	}
	book, err := i.book(ctx, s, &summary)
	if err != nil {
		return summary, err
	}
	if i.format != "html" {
		missing, err := book.Unprintable()
		if err != nil {
			return summary, err
		}
		if missing != "" {
			o.log.Warn(fmt.Sprintf("the PDF's font has no letter for %q; the HTML page leaves fonts to its reader", missing))
		}
	}
	if summary.Pages, err = i.writePages(book); err != nil {
		return summary, err
	}
	return summary, jsonfile.Write(i.summaryFile(), summary)
}
