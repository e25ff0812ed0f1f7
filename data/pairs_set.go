package data

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"sort"
	"sync"

	"illustrator/internal/fault"
)

// maxOpenShards bounds the files that a set keeps open, well below the usual limit of 1,024 for a process.
const maxOpenShards = 256

// Pairs are the rows of a set, read from its files when they are asked for: memory does not grow with the set. Its methods
// may be called from several goroutines.
type Pairs struct {
	Meta   PairsMeta
	Source string // the folder, for messages

	manifest *pairsManifest
	sum      string
	starts   []int // number of each shard's first row

	mu   sync.Mutex
	open map[int]*shardFile
	used []int // the open shards, the one used last at the end
}

// OpenPairs opens the set in folder and checks its manifest and each shard's size, schema and headers: 65 ms for ten
// million rows. The values are checked by Verify.
func OpenPairs(folder string) (*Pairs, error) {
	p, err := openPairs(folder)
	if err != nil {
		return nil, pairsError("read", folder, err)
	}
	return p, nil
}

func openPairs(folder string) (*Pairs, error) {
	m, raw, err := readPairsManifest(folder)
	if err != nil {
		return nil, err
	}
	if m.Rows == 0 {
		return nil, fault.Hint(fmt.Errorf("the set has no rows yet"), "the command that began it goes on with it: `illustrator pairs`")
	}
	p := &Pairs{Meta: m.Meta, Source: folder, manifest: m, sum: fmt.Sprintf("%x", sha256.Sum256(raw)), open: map[int]*shardFile{}}
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
func (p *Pairs) Len() int { return p.manifest.Rows }

// Bytes is the size of the shards together.
func (p *Pairs) Bytes() int64 { return p.manifest.bytes() }

// SHA256 is that of the manifest, and so of all rows and of how they were made, in hexadecimal.
func (p *Pairs) SHA256() string { return p.sum }

// SeedRanges are the seeds of the rows, in the order of the rows.
func (p *Pairs) SeedRanges() []SeedRange { return seedRanges(p.manifest.Shards) }

// PairsInfo describes a set for people and programs.
type PairsInfo struct {
	Rows      int         `json:"rows"`
	Seeds     []SeedRange `json:"seeds"`
	Shards    int         `json:"shards"`
	ShardRows int         `json:"shard_rows"`
	Bytes     int64       `json:"bytes"`
	Meta      PairsMeta   `json:"meta"`
	SHA256    string      `json:"sha256"` // of the manifest
}

// Info describes the set.
func (p *Pairs) Info() PairsInfo {
	return PairsInfo{
		Rows: p.Len(), Seeds: p.SeedRanges(), Shards: len(p.manifest.Shards), ShardRows: p.manifest.ShardRows,
		Bytes: p.Bytes(), Meta: p.Meta, SHA256: p.sum,
	}
}

// shard returns shard i, opened. The caller holds mu or is alone.
func (p *Pairs) shard(i int) (*shardFile, error) {
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
func (p *Pairs) Read(rows []int, z, imageEmbeds []float32) error {
	return pairsError("read", p.Source, p.read(rows, z, imageEmbeds))
}

func (p *Pairs) read(rows []int, z, embeds []float32) error {
	zd, ed := p.Meta.ZDim, p.Meta.EmbedDim
	if len(z) < len(rows)*zd || len(embeds) < len(rows)*ed {
		return fmt.Errorf("%d rows of %d and %d values into slices of %d and %d", len(rows), zd, ed, len(z), len(embeds))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, row := range rows {
		if row < 0 || row >= p.Len() {
			return fmt.Errorf("there is no row %d: the set has %d", row, p.Len())
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
func (p *Pairs) Batches() iter.Seq2[PairsBatch, error] {
	return func(yield func(PairsBatch, error) bool) {
		for _, s := range p.manifest.Shards {
			f, err := openShard(p.Source, p.Meta, s)
			if err != nil {
				yield(PairsBatch{}, pairsError("read", p.Source, fmt.Errorf("%s: %w", s.File, err)))
				return
			}
			for batch, err := range f.batchesOf() {
				if err != nil {
					err = pairsError("read", p.Source, fmt.Errorf("%s: %w", s.File, err))
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
func (p *Pairs) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.open {
		f.Close()
		delete(p.open, i)
	}
	p.used = nil
	return nil
}
