package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/storybook"
	"illustrator/draw"
	"illustrator/draw/story"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
)

type illustrateOptions struct {
	artistOptions
	drawFlags
	out, format, title, character, language string
	sameSeed, asJSON                        bool
}

func newIllustrateCommand(opts *terminal.Options) *cobra.Command {
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
	i.artistOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&i.out, "out", "o", "story", "folder to write")
	flags.StringVar(&i.format, "format", "html", "page to lay out: html, pdf or both")
	flags.StringVar(&i.title, "title", "", "title (default Markdown's first heading, else the file's name)")
	flags.StringVar(&i.language, "language", "en", "the story's language, such as de, for hyphens and screen readers")
	flags.StringVar(&i.character, "character", "", `who or what every picture shows, such as "a woman with red hair"`)
	flags.BoolVar(&i.sameSeed, "same-seed", false, "draw all pictures with the first seed")
	flags.BoolVar(&i.asJSON, "json", false, "print the summary as JSON")
	i.drawFlags.addFlags(cmd, "0-499")
	i.addKeepPlainFlag(cmd)
	return cmd
}

func runIllustrate(cmd *cobra.Command, opts *terminal.Options, i illustrateOptions, path string) (err error) {
	if !slices.Contains(story.Formats, story.Format(i.format)) {
		return fault.Usage(fmt.Errorf("--format %q is unknown", i.format), "the formats are html, pdf and both")
	}
	written, err := storybook.Read(path)
	if err != nil {
		return err
	}
	title := cmp.Or(i.title, written.Title, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	job := &story.Job{
		Env: opts.Env(), Story: written, Title: title, Language: i.language, SameSeed: i.sameSeed, Format: story.Format(i.format), Out: i.out,
	}
	a, err := i.open(cmd, opts, i.spec.NoProjection, func(m draw.Model) (err error) {
		job.Model = m
		if job.Plan, err = i.drawFlags.plan(cmd, m); err != nil {
			return err
		}
		if err := job.Ask(i.character); err != nil {
			return err
		}
		return terminal.CheckOutputFolder(i.out)
	})
	if err != nil {
		return err
	}
	job.Model, job.Redraw = a.Model, a.Redraw
	summary, err := job.Illustrate(cmd.Context())
	if err != nil {
		return err
	}
	if i.asJSON {
		return jsonfile.Print(opts.Stdout, summary)
	}
	_, err = fmt.Fprintf(opts.Stdout, "%d pictures, CLIP similarity %.3f\n%s\n", len(summary.Paragraphs), summary.CLIPSimilarity, strings.Join(summary.Pages, "\n"))
	return err
}
