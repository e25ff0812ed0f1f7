package runs

import (
	"context"
	"fmt"
	"os"

	"illustrator/data/embeddings"
	"illustrator/data/pairs"
	"illustrator/data/pictures"
	"illustrator/internal/files"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// makePrompts computes the run's prompts where they are missing.
func (j *Job) makePrompts(ctx context.Context, set *pairs.Set) error {
	if _, err := os.Stat(j.Folder.Prompts()); err == nil {
		return nil
	}
	image, err := set.ImagePrompt(ctx)
	if err != nil {
		return err
	}
	return WritePrompts(ctx, j.Env, j.Networks, j.Folder.Prompts(), j.Domain.TextPrompt,
		ImagePrompt{Embed: image, Source: pairsSource(set)})
}

// pairsSource names the pairs that something is made from, in words.
func pairsSource(p *pairs.Set) string {
	return fmt.Sprintf("%d pairs of domain %s from seed %d", p.Len(), p.Meta.Domain, p.Meta.Seed)
}

// ImagePrompt is the mean embedding [E] of pictures.
type ImagePrompt struct {
	Embed   []float32
	Source  string // names the pictures in words
	Partial error  // says how many files could not be read; nil if all could
}

// PairsPrompt returns the image prompt of the pairs in a folder.
func PairsPrompt(ctx context.Context, _ host.Env, n *pipeline.Networks, folder string) (image ImagePrompt, err error) {
	set, err := pairs.Open(folder)
	if err != nil {
		return image, err
	}
	defer set.Close()
	if err := set.Check(pairs.Meta{CLIPSHA256: n.Hashes["clip"], EmbedDim: n.CLIP.ProjectionDim}); err != nil {
		return image, err
	}
	image.Source = pairsSource(set)
	image.Embed, err = set.ImagePrompt(ctx)
	return image, err
}

// PicturesPrompt returns the image prompt of the picture files in a folder.
func PicturesPrompt(ctx context.Context, env host.Env, n *pipeline.Networks,
	folder string) (image ImagePrompt, err error) {
	embeds, skipped, err := embeddings.Sources(ctx, env, n, folder)
	if err != nil {
		return image, err
	}
	count := len(embeds) / n.CLIP.ProjectionDim
	image.Source, image.Partial = fmt.Sprintf("%d pictures", count), pictures.Partial(count, skipped)
	image.Embed, err = pairs.ImagePrompt(embeds, n.CLIP.ProjectionDim)
	return image, err
}

// WritePrompts computes the text prompt and stores it with the image prompt.
func WritePrompts(ctx context.Context, env host.Env, n *pipeline.Networks, path, text string,
	image ImagePrompt) error {
	embed, err := embed(ctx, env, n, []string{text})
	if err != nil {
		return fmt.Errorf("text prompt: %w", err)
	}
	return pipeline.WritePrompts(path, pipeline.PromptFile{
		Prompts:    pipeline.Prompts{Text: embed, Image: image.Embed},
		TextPrompt: text, Source: image.Source, CLIPSHA256: n.Hashes["clip"],
	})
}

// maxPrompts bounds the bytes of a run's prompts.
const maxPrompts = 64 << 20

// readPrompts reads the prompts of a run.
func readPrompts(folder train.Folder, n *pipeline.Networks) (pipeline.PromptFile, error) {
	raw, err := files.ReadFile(folder.Prompts(), maxPrompts)
	if err != nil {
		return pipeline.PromptFile{}, notARun(err)
	}
	return pipeline.ParsePrompts(folder.Prompts(), raw, n, "")
}

// embed embeds texts [N,E], and warns of those that are cut.
func embed(ctx context.Context, env host.Env, n *pipeline.Networks, texts []string) ([]float32, error) {
	tokens, err := n.Tokenize(texts)
	if err != nil {
		return nil, err
	}
	env.WarnCut(n, tokens.Cut())
	if err := env.Start(n); err != nil {
		return nil, err
	}
	return n.EmbedTokens(ctx, tokens)
}

func (j *Job) embed(ctx context.Context, texts []string) ([]float32, error) {
	return embed(ctx, j.Env, j.Networks, texts)
}
