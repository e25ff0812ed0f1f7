package data

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"

	"illustrator/internal/fault"
)

// Columns of a pairs file and the version of its layout.
const (
	zColumn     = "z"
	embedColumn = "image_embeds"
	seedColumn  = "seed"

	pairsVersion = "1"

	// pairsBatch is the number of rows of each record batch but the last: fixed, so that the same rows give the same
	// bytes however they were handed to Append. 1,000 rows of 512 + 512 values are 4 MB.
	pairsBatch = 1000

	// maxWidth bounds the widths of z and embedding against nonsense in a file.
	maxWidth = 1 << 16
)

// PairsMeta says how the pairs were made. It is stored in the Arrow schema's metadata and in the manifest beside the file.
type PairsMeta struct {
	Domain          string `json:"domain"`
	Seed            uint64 `json:"seed"` // the set's first seed; row i was drawn from Seed + i
	GeneratorSHA256 string `json:"generator_sha256"`
	CLIPSHA256      string `json:"clip_sha256"`
	NoiseMode       string `json:"noise_mode"`    // "const", "random" or "none"
	Preprocessing   string `json:"preprocessing"` // picture → CLIP's input, such as "area-64-clip"
	DType           string `json:"dtype"`         // what generator and CLIP were computed in, such as "float32"
	ZDim            int    `json:"z_dim"`
	EmbedDim        int    `json:"embed_dim"`
	CreatedBy       string `json:"created_by"` // program and version; no date, so that equal runs give equal bytes
}

// schema is the Arrow schema of the pairs with m in its metadata.
func (m PairsMeta) schema() *arrow.Schema {
	keys, values := []string{"format_version"}, []string{pairsVersion}
	add := func(key, value string) { keys, values = append(keys, key), append(values, value) }
	add("domain", m.Domain)
	add("seed", strconv.FormatUint(m.Seed, 10))
	add("generator_sha256", m.GeneratorSHA256)
	add("clip_sha256", m.CLIPSHA256)
	add("noise_mode", m.NoiseMode)
	add("preprocessing", m.Preprocessing)
	add("dtype", m.DType)
	add("z_dim", strconv.Itoa(m.ZDim))
	add("embed_dim", strconv.Itoa(m.EmbedDim))
	add("created_by", m.CreatedBy)
	meta := arrow.NewMetadata(keys, values)
	return arrow.NewSchema([]arrow.Field{
		{Name: zColumn, Type: arrow.FixedSizeListOf(int32(m.ZDim), arrow.PrimitiveTypes.Float32)},
		{Name: embedColumn, Type: arrow.FixedSizeListOf(int32(m.EmbedDim), arrow.PrimitiveTypes.Float32)},
		{Name: seedColumn, Type: arrow.PrimitiveTypes.Uint64},
	}, &meta)
}

// Pairs are the rows of a pairs file: ZValues is [Len, Meta.ZDim], ImageEmbeds [Len, Meta.EmbedDim], row-major.
type Pairs struct {
	Meta        PairsMeta
	Source      string // the file, for messages
	ZValues     []float32
	ImageEmbeds []float32
	Seeds       []uint64
}

// Len is the number of rows.
func (p *Pairs) Len() int { return len(p.Seeds) }

// Z returns row i's z [Meta.ZDim], sharing memory with p.
func (p *Pairs) Z(i int) []float32 { return row(p.ZValues, i, p.Meta.ZDim) }

// Read copies rows into z [len(rows),Meta.ZDim] and imageEmbeds [len(rows),Meta.EmbedDim].
func (p *Pairs) Read(rows []int, z, imageEmbeds []float32) error {
	for i, row := range rows {
		copy(z[i*p.Meta.ZDim:], p.Z(row))
		copy(imageEmbeds[i*p.Meta.EmbedDim:], p.ImageEmbed(row))
	}
	return nil
}

// ImageEmbed returns row i's image embedding [Meta.EmbedDim], sharing memory with p.
func (p *Pairs) ImageEmbed(i int) []float32 { return row(p.ImageEmbeds, i, p.Meta.EmbedDim) }

func row(values []float32, i, width int) []float32 {
	return slices.Clip(values[i*width : (i+1)*width])
}

// Check returns an error that names the first difference between how the pairs were made and what is wanted. Empty
// fields of want are not compared, nor are Seed, DType and CreatedBy.
func (p *Pairs) Check(want PairsMeta) error {
	for _, f := range []struct{ name, have, want string }{
		{"generator_sha256", p.Meta.GeneratorSHA256, want.GeneratorSHA256},
		{"clip_sha256", p.Meta.CLIPSHA256, want.CLIPSHA256},
		{"z_dim", strconv.Itoa(p.Meta.ZDim), nonZero(want.ZDim)},
		{"embed_dim", strconv.Itoa(p.Meta.EmbedDim), nonZero(want.EmbedDim)},
		{"noise_mode", p.Meta.NoiseMode, want.NoiseMode},
		{"preprocessing", p.Meta.Preprocessing, want.Preprocessing},
		{"domain", p.Meta.Domain, want.Domain},
	} {
		if f.want != "" && f.have != f.want {
			return fault.Hint(fmt.Errorf("pairs %q: %s is %q; this domain has %q", p.Source, f.name, f.have, f.want),
				"the pairs were made for domain %q with other networks or settings: make them again with `illustrator pairs`, or name the file that fits", p.Meta.Domain)
		}
	}
	return nil
}

func nonZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
