package pairs

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"sort"
	"sync"

	"illustrator/internal/fault"
	"illustrator/internal/machine"
)

// maxOpenShards bounds the files that a set keeps open, well below the usual limit of 1,024 for a process.
const maxOpenShards = 256

// Set reads the rows of a set from its files when they are asked for: memory does not grow with the set. Its methods
// may be called from several goroutines.
type Set struct {
	Meta   Meta
	Source string // the folder, for messages

	manifest *manifest
	sum      string
	starts   []int // number of each shard's first row

	mu   sync.Mutex
	open map[int]*shardFile
	used []int // the open shards, the one used last at the end
}

// Open opens the set in folder and checks its manifest and each shard's size, schema and headers: 65 ms for ten
// million rows. The values are checked by Verify.
func Open(folder string) (*Set, error) {
	p, err := open(folder)
	if err != nil {
		return nil, wrap("read", folder, err)
	}
	return p, nil
}

func open(folder string) (*Set, error) {
	m, raw, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	if m.Rows == 0 {
		return nil, fault.WithCode(fault.Hint(fmt.Errorf("the set has no rows yet"), "what began it continues it"), Empty)
	}
	p := &Set{Meta: m.Meta, Source: folder, manifest: m, sum: fmt.Sprintf("%x", sha256.Sum256(raw)),
		open: map[int]*shardFile{}}
	rows := 0
	for i, s := range m.Shards {
		p.starts = append(p.starts, rows)
		rows += s.Rows
		if _, err := p.shard(i); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Len is the number of rows.
func (p *Set) Len() int { return p.manifest.Rows }

// Bytes is the size of the shards together.
func (p *Set) Bytes() int64 { return p.manifest.bytes() }

// SHA256 is that of the manifest, and so of all rows and of how they were made, in hexadecimal.
func (p *Set) SHA256() string { return p.sum }

// SeedRanges are the seeds of the rows, in the order of the rows.
func (p *Set) SeedRanges() []SeedRange { return seedRanges(p.manifest.Shards) }

// Info describes a set for people and programs.
type Info struct {
	Rows      int         `json:"rows"`
	Seeds     []SeedRange `json:"seeds"`
	Shards    int         `json:"shards"`
	ShardRows int         `json:"shard_rows"`
	Bytes     int64       `json:"bytes"`
	Meta      Meta        `json:"meta"`
	SHA256    string      `json:"sha256"` // of the manifest
}

// Info describes the set.
func (p *Set) Info() Info {
	return Info{
		Rows: p.Len(), Seeds: p.SeedRanges(), Shards: len(p.manifest.Shards), ShardRows: p.manifest.ShardRows,
		Bytes: p.Bytes(), Meta: p.Meta, SHA256: p.sum,
	}
}

// Table describes the set in rows of a name and a text.
func (info Info) Table() (rows [][]string) {
	line := func(name, format string, args ...any) {
		rows = append(rows, []string{name, fmt.Sprintf(format, args...)})
	}
	line("rows", "%d", info.Rows)
	for _, r := range info.Seeds {
		line("seeds", "%v", r)
	}
	line("files", "%d of at most %d rows, %s together", info.Shards, info.ShardRows, machine.ByteSize(info.Bytes))
	m := info.Meta
	line("domain", "%s", m.Domain)
	line("z", "%d × %s", m.ZDim, m.DType)
	line("image_embeds", "%d × %s", m.EmbedDim, m.DType)
	line("noise mode", "%s", m.NoiseMode)
	line("preprocessing", "%s", m.Preprocessing)
	line("batch", "%d", m.Batch)
	line("generator", "%s", m.GeneratorSHA256)
	line("clip", "%s", m.CLIPSHA256)
	line("created by", "%s", m.CreatedBy)
	line("manifest", "%s", info.SHA256)
	return rows
}

// shard returns shard i, opened. The caller holds mu or is alone.
func (p *Set) shard(i int) (*shardFile, error) {
	if f := p.open[i]; f != nil {
		for k, used := range p.used {
			if used == i {
				copy(p.used[k:], p.used[k+1:])
				p.used[len(p.used)-1] = i
				break
			}
		}
		return f, nil
	}
	s := p.manifest.Shards[i]
	f, err := openShard(p.Source, p.Meta, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	if len(p.used) == maxOpenShards {
		p.open[p.used[0]].Close()
		delete(p.open, p.used[0])
		p.used = p.used[1:]
	}
	p.open[i], p.used = f, append(p.used, i)
	return f, nil
}

// Read copies rows into z [len(rows),Meta.ZDim] and imageEmbeds [len(rows),Meta.EmbedDim].
func (p *Set) Read(rows []int, z, imageEmbeds []float32) error {
	return wrap("read", p.Source, p.read(rows, z, imageEmbeds))
}

func (p *Set) read(rows []int, z, embeds []float32) error {
	zd, ed := p.Meta.ZDim, p.Meta.EmbedDim
	if len(z) < len(rows)*zd || len(embeds) < len(rows)*ed {
		return fmt.Errorf("%d rows of %d and %d values into slices of %d and %d", len(rows), zd, ed, len(z), len(embeds))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, row := range rows {
		if row < 0 || row >= p.Len() {
			return fmt.Errorf("row %d does not exist: the set has %d", row, p.Len())
		}
		k := sort.SearchInts(p.starts, row+1) - 1
		f, err := p.shard(k)
		if err != nil {
			return err
		}
		if err := f.readRow(row-p.starts[k], z[i*zd:(i+1)*zd], embeds[i*ed:(i+1)*ed]); err != nil {
			return fmt.Errorf("row %d in %s: %w", row, p.manifest.Shards[k].File, err)
		}
	}
	return nil
}

// Batches reads all rows in order, at most 1,000 at a time. The slices of one batch are used for the next.
func (p *Set) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for _, s := range p.manifest.Shards {
			f, err := openShard(p.Source, p.Meta, s)
			if err != nil {
				yield(Batch{}, wrap("read", p.Source, fmt.Errorf("%s: %w", s.File, err)))
				return
			}
			for batch, err := range f.batchesOf() {
				if err != nil {
					err = wrap("read", p.Source, fmt.Errorf("%s: %w", s.File, err))
				}
				if !yield(batch, err) || err != nil {
					f.Close()
					return
				}
			}
			f.Close()
		}
	}
}

// Close closes the files.
func (p *Set) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.open {
		f.Close()
		delete(p.open, i)
	}
	p.used = nil
	return nil
}
