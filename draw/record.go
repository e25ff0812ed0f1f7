package draw

import (
	"fmt"
	"maps"
	"slices"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/models/pipeline"
)

// Record says what a picture was drawn from and how well it matches: the JSON beside a picture, and what a gallery
// keeps.
type Record struct {
	texts.Text          // with its kind and labels, where they are known
	Seed       uint64   `json:"seed"`
	Alpha      *float64 `json:"alpha"` // null without projection

	NoiseMode     NoiseMode `json:"noise_mode"`
	TruncationPsi float64   `json:"truncation_psi"`
	Diversity     Diversity `json:"diversity,omitempty"`
	InjectIndex   int       `json:"inject_index"`
	Spread        float64   `json:"spread,omitempty"`
	// Precision is "bfloat16" where pictures are drawn in it.
	Precision pipeline.Precision `json:"precision,omitempty"`

	Domain   string            `json:"domain"`
	Networks map[string]string `json:"networks_sha256,omitempty"`
	// Score is of the picture before a cartoon, where it was asked for.
	Score *Score `json:"score,omitempty"`

	Cartoon

	Candidates []Candidate `json:"candidates,omitempty"` // in the order they were drawn
	Refined    *Refined    `json:"refined,omitempty"`
}

// Record returns the record of a recipe before it is drawn.
func (m Model) Record(r Recipe) Record {
	record := Record{
		Text: r.Text, Seed: r.Seed, NoiseMode: r.noise(), TruncationPsi: r.TruncationPsi,
		Diversity: r.Diversity, InjectIndex: r.InjectIndex, Spread: r.Spread, Domain: m.Domain, Networks: m.Hashes,
		Precision: m.Precision.Narrow(),
	}
	if !r.NoProjection {
		alpha := r.Alpha
		record.Alpha = &alpha
	}
	return record
}

// With returns the record with the scores, candidates and refinement of its picture.
func (r Record) With(p *Picture) Record {
	r.Score, r.Candidates, r.Refined = p.Score, p.Candidates, p.Refined
	return r
}

// Meta is the record as a picture's metadata. software names the program.
func (r Record) Meta(software string) []pictures.Meta {
	meta := []pictures.Meta{
		{Key: "Description", Value: r.Text.Text}, {Key: "Software", Value: software},
		{Key: "Seed", Value: fmt.Sprint(r.Seed)}, {Key: "Domain", Value: r.Domain},
	}
	if r.Alpha != nil {
		meta = append(meta, pictures.Meta{Key: "Alpha", Value: fmt.Sprint(*r.Alpha)})
	}
	if r.Spread > 0 {
		meta = append(meta, pictures.Meta{Key: "Spread", Value: fmt.Sprint(r.Spread)})
	}
	if len(r.Candidates) > 0 {
		meta = append(meta, pictures.Meta{Key: "Best-Of", Value: fmt.Sprint(len(r.Candidates))})
	}
	if r.Refined != nil {
		meta = append(meta, pictures.Meta{Key: "Refine", Value: fmt.Sprint(r.Refined.Steps)})
	}
	return slices.Concat(meta, PrecisionMeta(r.Precision), HashMeta(r.Networks), r.Cartoon.Meta())
}

// PrecisionMeta is the precision of a drawn picture as metadata, none for float32.
func PrecisionMeta(p pipeline.Precision) []pictures.Meta {
	if p = p.Narrow(); p == "" {
		return nil
	}
	return []pictures.Meta{{Key: "Precision", Value: p.String()}}
}

// HashMeta is the SHA-256 of networks as metadata.
func HashMeta(networks map[string]string) (meta []pictures.Meta) {
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		meta = append(meta, pictures.Meta{Key: name + "-SHA256", Value: networks[name]})
	}
	return meta
}

// Cartoon names the style that a picture was redrawn in; it is empty where it was not.
type Cartoon struct {
	Style  string `json:"cartoon,omitempty"`
	SHA256 string `json:"cartoon_sha256,omitempty"` // of a network
}

// Meta is the style as a picture's metadata.
func (c Cartoon) Meta() (meta []pictures.Meta) {
	if c.Style != "" {
		meta = append(meta, pictures.Meta{Key: "Cartoon", Value: c.Style})
	}
	if c.SHA256 != "" {
		meta = append(meta, pictures.Meta{Key: "cartoon-SHA256", Value: c.SHA256})
	}
	return meta
}

// FileName returns the file name, without extension, of the picture of text number i.
func FileName(i int, text string, seed uint64) string {
	if text = texts.Slug(text); text != "" {
		text = "-" + text
	}
	return fmt.Sprintf("%04d%s-seed%d", i+1, text, seed)
}
