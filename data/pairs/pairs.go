// Package pairs reads and writes sets of pairs of Z and image embedding: folders of Arrow files with a manifest. It
// merges, verifies and exports them, and computes the image prompt of their rows. It imports no graph library.
//
// Sizes found in a file are checked against the file's own size before memory is allocated for them.
package pairs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"illustrator/internal/fault"
	"illustrator/internal/noise"
)

// Columns of pairs and the version of their layout, of manifest and shards alike.
const (
	zColumn     = "z"
	embedColumn = "image_embeds"
	seedColumn  = "seed"

	formatVersion = "2"

	// batchRows is the number of rows of each record batch but the last: fixed, so that the same rows give the same
	// bytes however they were handed to Append. 1,000 rows of 512 + 512 values are 4 MB.
	batchRows = 1000

	// maxWidth bounds the widths of z and embedding against nonsense in a file.
	maxWidth = 1 << 16
)

// MaxRows is the largest number of rows in one set.
const MaxRows = 1 << 30

// Meta says how the pairs were made. It stands in the set's manifest and in the metadata of each shard's schema.
type Meta struct {
	Domain          string     `json:"domain"`
	Seed            uint64     `json:"seed"` // the set's first seed; in a shard's schema, the shard's
	GeneratorSHA256 string     `json:"generator_sha256"`
	CLIPSHA256      string     `json:"clip_sha256"`
	NoiseMode       noise.Mode `json:"noise_mode"`
	Preprocessing   string     `json:"preprocessing"` // picture → CLIP's input, such as "area-64-clip"
	DType           string     `json:"dtype"`         // what generator and CLIP were computed in, such as "float32"
	Batch           int        `json:"batch"`         // pictures computed at once: float32's last digits depend on it
	ZDim            int        `json:"z_dim"`
	EmbedDim        int        `json:"embed_dim"`
	// program and version that began the set; no date, so that equal runs give equal bytes
	CreatedBy string `json:"created_by"`
}

// metaField is one field of Meta under its name in files.
type metaField struct{ name, value string }

func (m Meta) fields() []metaField {
	return []metaField{
		{"domain", m.Domain}, {"seed", strconv.FormatUint(m.Seed, 10)},
		{"generator_sha256", m.GeneratorSHA256}, {"clip_sha256", m.CLIPSHA256},
		{"noise_mode", string(m.NoiseMode)}, {"preprocessing", m.Preprocessing}, {"dtype", m.DType},
		{"batch", strconv.Itoa(m.Batch)},
		{"z_dim", strconv.Itoa(m.ZDim)}, {"embed_dim", strconv.Itoa(m.EmbedDim)}, {"created_by", m.CreatedBy},
	}
}

// checkWidths bounds the two widths.
func (m Meta) checkWidths() error {
	if m.ZDim < 1 || m.ZDim > maxWidth || m.EmbedDim < 1 || m.EmbedDim > maxWidth {
		return fmt.Errorf("z_dim is %d and embed_dim %d; expected 1 to %d", m.ZDim, m.EmbedDim, maxWidth)
	}
	return nil
}

// schema is the Arrow schema of the pairs with m in its metadata.
func (m Meta) schema() *arrow.Schema {
	keys, values := []string{"format_version"}, []string{formatVersion}
	for _, f := range m.fields() {
		keys, values = append(keys, f.name), append(values, f.value)
	}
	meta := arrow.NewMetadata(keys, values)
	return arrow.NewSchema([]arrow.Field{
		{Name: zColumn, Type: arrow.FixedSizeListOf(int32(m.ZDim), arrow.PrimitiveTypes.Float32)},
		{Name: embedColumn, Type: arrow.FixedSizeListOf(int32(m.EmbedDim), arrow.PrimitiveTypes.Float32)},
		{Name: seedColumn, Type: arrow.PrimitiveTypes.Uint64},
	}, &meta)
}

// differences lists how other differs from m, as "seed is 0 there, 7 here" with m there; CreatedBy and the names in
// without are not compared.
func (m Meta) differences(other Meta, without ...string) []string {
	var list []string
	here := other.fields()
	for i, there := range m.fields() {
		if there.value != here[i].value && there.name != "created_by" && !slices.Contains(without, there.name) {
			list = append(list, fmt.Sprintf("%s is %s there, %s here", there.name, there.value, here[i].value))
		}
	}
	return list
}

// Check returns an error that names the first difference between how the pairs were made and what is wanted. Empty
// fields of want are not compared, nor are Seed, DType, Batch and CreatedBy.
func (p *Set) Check(want Meta) error {
	have := p.Meta.fields()
	for i, f := range want.fields() {
		if f.value == "" || f.value == "0" || f.value == have[i].value ||
			slices.Contains([]string{"seed", "dtype", "batch", "created_by"}, f.name) {
			continue
		}
		err := fault.Hint(fmt.Errorf("pairs %q: %s is %q; this domain has %q", p.Source, f.name, have[i].value, f.value),
			"the pairs were made for domain %q with other networks or settings: make them again, or name the set that fits",
			p.Meta.Domain)
		return fault.WithCode(err, OtherMeta, p.Meta.Domain)
	}
	return nil
}

// SeedRange is a range of seeds, both ends included.
type SeedRange struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

func (r SeedRange) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }

// seedRanges joins the shards' seeds to as few ranges as there are.
func seedRanges(shards []shard) []SeedRange {
	var ranges []SeedRange
	for _, s := range shards {
		if n := len(ranges); n > 0 && ranges[n-1].Last+1 == s.FirstSeed {
			ranges[n-1].Last = s.last()
		} else {
			ranges = append(ranges, SeedRange{s.FirstSeed, s.last()})
		}
	}
	return ranges
}

// overlap returns the first seeds that two ascending lists of ranges share.
func overlap(a, b []SeedRange) (SeedRange, bool) {
	for len(a) > 0 && len(b) > 0 {
		shared := SeedRange{max(a[0].First, b[0].First), min(a[0].Last, b[0].Last)}
		switch {
		case shared.First <= shared.Last:
			return shared, true
		case a[0].Last < b[0].Last:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return SeedRange{}, false
}

// Disjoint returns an error that names the first seeds that the set shares with the pairs called other, if there are
// any: rows of one seed are the same pair, which must not be both trained on and validated with.
func (p *Set) Disjoint(other string, seeds []SeedRange) error {
	shared, overlaps := overlap(seeds, p.SeedRanges())
	if !overlaps {
		return nil
	}
	return fault.WithCode(fault.Usage(fmt.Errorf("pairs %q and %q share the seeds %v", other, p.Source, shared),
		"sample one of them from seeds that the other does not have"), SharedSeeds)
}

// rangesText lists ranges for a message.
func rangesText(ranges []SeedRange) string {
	const most = 4
	var text []string
	for _, r := range ranges[:min(len(ranges), most)] {
		text = append(text, r.String())
	}
	if n := len(ranges) - most; n > 0 {
		text = append(text, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(text, ", ")
}
