package main

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
	"illustrator/refine"
)

// drawing is a picture on its way to a file.
type drawing struct {
	text  texts.Text
	place int // of the text in the command's list
	seed  uint64

	textEmbed, target []float32 // [E] of the text, and after eq. 3
	z                 []float32 // [Z] that it was drawn from
	pixels            []float32 // [3,Size,Size]
	imageEmbed        []float32 // [E]
	score             eval.Score

	candidates []candidate // all of its text, with --best-of
	refined    *refined
}

// candidate is a picture that --best-of chose from.
type candidate struct {
	Seed           uint64  `json:"seed"`
	CLIPSimilarity float64 `json:"clip_similarity"`
}

// refined is what --refine did to a picture.
type refined struct {
	Steps          int         `json:"steps"`
	CLIPSimilarity float64     `json:"clip_similarity_before"`
	Before         refine.Loss `json:"losses_before"`
	After          refine.Loss `json:"losses_after"`
}

// look gives the drawings their pictures [N,3,Size,Size], with embeddings and scores.
func look(ctx context.Context, s *session, drawn []*drawing, images []float32) error {
	size, dim := s.networks.Generator.Size, s.networks.CLIP.ProjectionDim
	pictures, err := pictures.Split(images, size, size)
	if err != nil {
		return err
	}
	embeds, err := s.networks.EmbedImages(ctx, images, size, size)
	if err != nil {
		return err
	}
	var texts []texts.Text
	var textEmbeds []float32
	for _, d := range drawn {
		texts, textEmbeds = append(texts, d.text), append(textEmbeds, d.textEmbed...)
	}
	scores, err := eval.Scores(ctx, s.networks, texts, textEmbeds, embeds, images)
	if err != nil {
		return err
	}
	for i, d := range drawn {
		d.pixels, d.imageEmbed, d.score = pictures[i].Pixels, embeds[i*dim:(i+1)*dim], scores[i]
	}
	return nil
}

// pictureInfo is the JSON beside a picture.
type pictureInfo struct {
	texts.Text                      // with its kind and labels, where they are known
	Seed          uint64            `json:"seed"`
	Alpha         *float64          `json:"alpha"` // null without projection
	NoiseMode     string            `json:"noise_mode"`
	TruncationPsi float64           `json:"truncation_psi"`
	InjectIndex   int               `json:"inject_index"`
	Spread        float64           `json:"spread,omitempty"`
	Domain        string            `json:"domain"`
	Networks      map[string]string `json:"networks_sha256"`
	Score         eval.Score        `json:"score"` // of the picture before a cartoon
	cartoonInfo
	Candidates []candidate  `json:"candidates,omitempty"` // in the order they were drawn
	Refined    *refined     `json:"refined,omitempty"`
	Story      *storyRecord `json:"story,omitempty"`
}

func (d *drawing) info(s *session, g generateOptions, request pipeline.Request) pictureInfo {
	info := pictureInfo{
		Text: d.text, Seed: d.seed, NoiseMode: g.noiseMode, TruncationPsi: g.truncationPsi, InjectIndex: g.injectIndex, Spread: request.Spread,
		Domain: s.domain.Name, Networks: s.networks.Hashes, Score: d.score, Candidates: d.candidates, Refined: d.refined,
		cartoonInfo: g.cartoonInfo(),
	}
	if request.Prompts != nil {
		info.Alpha = &request.Alpha
	}
	return info
}

// write writes a picture with its metadata, and the same as JSON beside it.
func (p pictureInfo) write(base string, img image.Image) error {
	if err := p.writePicture(base, img); err != nil {
		return err
	}
	return jsonfile.Write(base+".json", p)
}

// writePicture writes a picture with its metadata.
func (p pictureInfo) writePicture(base string, img image.Image) error {
	meta := []pictures.Meta{
		{Key: "Description", Value: p.Text.Text}, {Key: "Software", Value: version.Program()},
		{Key: "Seed", Value: fmt.Sprint(p.Seed)}, {Key: "Domain", Value: p.Domain},
	}
	if p.Alpha != nil {
		meta = append(meta, pictures.Meta{Key: "Alpha", Value: fmt.Sprint(*p.Alpha)})
	}
	if p.Spread > 0 {
		meta = append(meta, pictures.Meta{Key: "Spread", Value: fmt.Sprint(p.Spread)})
	}
	if p.Refined != nil {
		meta = append(meta, pictures.Meta{Key: "Refine", Value: fmt.Sprint(p.Refined.Steps)})
	}
	meta = append(append(meta, hashesOf(p.Networks)...), p.cartoonInfo.meta()...)
	return pictures.WritePNG(base+".png", img, meta)
}

// hashesOf are the hashes of networks as metadata.
func hashesOf(networks map[string]string) (meta []pictures.Meta) {
	for _, name := range sortedKeys(networks) {
		meta = append(meta, pictures.Meta{Key: name + "-SHA256", Value: networks[name]})
	}
	return meta
}

// choice collects drawings and keeps for each text the best: all of them without --best-of.
type choice struct {
	keep   int // of each text; 0 keeps all
	texts  []int
	best   map[int][]*drawing
	ranked map[int][]candidate
}

func newChoice(g generateOptions) *choice {
	c := &choice{best: map[int][]*drawing{}, ranked: map[int][]candidate{}}
	if g.bestOf > 1 {
		c.keep = g.count
	}
	return c
}

func (c *choice) add(drawn []*drawing) {
	for _, d := range drawn {
		if c.best[d.place] == nil {
			c.texts = append(c.texts, d.place)
		}
		best := append(c.best[d.place], d)
		if c.keep > 0 {
			c.ranked[d.place] = append(c.ranked[d.place], candidate{d.seed, d.score.CLIPSimilarity})
			slices.SortStableFunc(best, func(a, b *drawing) int { return cmp.Compare(b.score.CLIPSimilarity, a.score.CLIPSimilarity) })
			if best = best[:min(len(best), c.keep)]; slices.Contains(best, d) {
				d.pixels = slices.Clone(d.pixels) // not to hold the whole batch in memory
			}
		}
		c.best[d.place] = best
	}
}

// take returns what is kept, text by text and the best of each first, and begins anew.
func (c *choice) take() []*drawing {
	var all []*drawing
	for _, text := range c.texts {
		for _, d := range c.best[text] {
			d.candidates = c.ranked[text]
			all = append(all, d)
		}
	}
	c.texts, c.best, c.ranked = nil, map[int][]*drawing{}, map[int][]candidate{}
	return all
}
