package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/storybook"
	"illustrator/draw"
	"illustrator/draw/story"
	"illustrator/internal/fault"
)

type illustrateOptions struct {
	artistOptions
	drawFlags
	out, title, character, language string
	format                          story.Format
	sameSeed, asJSON                bool
}

func newIllustrateCommand(opts *terminal.Options) *cobra.Command {
	var i illustrateOptions
	cmd := &cobra.Command{
		Use:   "illustrate STORY",
		Short: "Draw a picture for each paragraph of a story, and lay out a page",
		Long: `Reads a story, draws one picture for each paragraph, and lays out story.html, which needs no other file, or
story.pdf. The story is plain text with empty lines between paragraphs, or Markdown (.md; headings are title and
chapters; pictures, code and tables are omitted). story.json records the text of each picture.

The first sentences of a paragraph that fit into CLIP's context describe its picture; of a longer first sentence, its
first words. --character precedes each description, and keeps one person in all pictures. Each paragraph takes the next
of --seeds, and the first again after the last. --same-seed gives all the first seed, and so the same noise. With
--inject-index K the layers below K then have one random style in all pictures: the coarse structure stays the same, and
follows the text less. A warning names a paragraph that lies far from the domain's descriptions.

The same command skips finished pictures, and after Ctrl-C or a crash it draws the missing ones. If the story, a seed,
the mapper or an option has changed, it redraws the affected pictures and the pages. An inserted paragraph changes the
numbers and seeds of all later ones, which are redrawn. Pictures of removed paragraphs stay in the folder.`,
		Example: `  illustrator illustrate examples/story.txt --format both --out story
  illustrator illustrate examples/story.txt --character "a woman in a red shirt" --same-seed --inject-index 2`,
		Args: terminal.ExactArgs(1, "one story, a text or Markdown file"),
		RunE: func(cmd *cobra.Command, args []string) error { return runIllustrate(cmd, opts, i, args[0]) },
	}
	i.artistOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&i.out, "out", "o", "story", "folder to write")
	i.format = story.HTML
	terminal.Enum(flags, &i.format, "format", "page to lay out: html, pdf or both")
	flags.StringVar(&i.title, "title", "", "title (default Markdown's first heading, else the file's name)")
	flags.StringVar(&i.language, "language", "en", "the story's language (BCP 47), such as de or pt-BR, for hyphens")
	flags.StringVar(&i.character, "character", "", `who or what every picture shows, such as "a woman in a red shirt"`)
	flags.BoolVar(&i.sameSeed, "same-seed", false, "draw all pictures with the first seed")
	flags.BoolVar(&i.asJSON, "json", false, "print the summary as JSON")
	i.drawFlags.addFlags(cmd, "0-499")
	i.addKeepPlainFlag(cmd)
	return cmd
}

// checkUTF8 refuses the value of a flag of words that is in another encoding, which would be drawn as U+FFFD.
func checkUTF8(flag, words string) error {
	if utf8.ValidString(words) {
		return nil
	}
	return fault.Usage(fmt.Errorf("--%s is %q, which is not UTF-8", flag, words), "type it in UTF-8")
}

// ask checks the options against the model, and has the job describe its pictures.
func (i illustrateOptions) ask(cmd *cobra.Command, m draw.Model, job *story.Job) (err error) {
	job.Model = m
	if job.Plan, err = i.plan(cmd, m); err != nil {
		return err
	}
	if err := job.Ask(i.character); err != nil {
		return err
	}
	return terminal.CheckOutputFolder(i.out)
}

func runIllustrate(cmd *cobra.Command, opts *terminal.Options, i illustrateOptions, path string) (err error) {
	if err := cmp.Or(storybook.CheckLanguage(i.language), checkUTF8("title", i.title),
		checkUTF8("character", i.character)); err != nil {
		return err
	}
	written, err := storybook.Read(path)
	if err != nil {
		return err
	}
	title := cmp.Or(i.title, written.Title, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	job := &story.Job{
		Env: opts.Env(), Story: written, Title: title, Language: i.language, SameSeed: i.sameSeed,
		Format: i.format, Out: i.out,
	}
	a, err := i.read(cmd, opts)
	if err != nil {
		return err
	}
	if err := i.ask(cmd, a.Model, job); err != nil {
		return err
	}
	if err := a.load(cmd.Context(), i.spec.NoProjection); err != nil {
		return err
	}
	job.Model, job.Redraw = a.Model, a.Redraw
	summary, err := job.Illustrate(cmd.Context())
	if err != nil {
		return err
	}
	return opts.PrintResult(i.asJSON, summary, fmt.Sprintf("%d pictures, CLIP similarity %.3f\n%s",
		len(summary.Paragraphs), summary.CLIPSimilarity, strings.Join(summary.Pages, "\n")))
}
