package pairs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// A set of pairs is a folder: manifest.json and shards, Arrow IPC files of shard_rows rows each (the last may have
// fewer).
const (
	manifestFile   = "manifest.json"
	shardTemporary = ".shard.tmp"

	maxManifest = 64 << 20
	maxShards   = 100_000

	// DefaultShardRows is the usual number of rows of a shard: 200 MB at 512 + 512 values.
	DefaultShardRows = 50_000
	// MaxShardRows is the largest number of rows of a shard.
	MaxShardRows = 10_000_000
)

// manifest lists what a set holds. What it does not list is not part of the set.
type manifest struct {
	FormatVersion string  `json:"format_version"`
	Meta          Meta    `json:"meta"`
	ShardRows     int     `json:"shard_rows"`
	Rows          int     `json:"rows"`
	Shards        []shard `json:"shards"` // in the order of their seeds
}

// shard is one file of a set: Rows rows of successive seeds.
type shard struct {
	File      string `json:"file"`
	FirstSeed uint64 `json:"first_seed"`
	Rows      int    `json:"rows"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
}

func (s shard) last() uint64 { return s.FirstSeed + uint64(s.Rows-1) }

// shardName names a shard by its first and last row, seed - Meta.Seed, so that a longer shard has another name
// than the shorter one that it replaces.
func shardName(first, last uint64) string { return fmt.Sprintf("rows-%010d-%010d.arrow", first, last) }

// readManifest reads and checks the manifest of the set in folder.
func readManifest(folder string) (*manifest, []byte, error) {
	raw, err := readManifestBytes(folder)
	if err != nil {
		return nil, nil, err
	}
	m := new(manifest)
	if err = jsonfile.Decode(raw, m); err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, nil, fault.WithCode(fault.Hint(fmt.Errorf("%s: %w", manifestFile, err),
			"the manifest was made by another version or is damaged: make the pairs again"), InvalidManifest)
	}
	return m, raw, nil
}

func notASet(err error) error {
	return fault.WithCode(fault.Hint(err, "name the folder of a set of pairs"), NotASet)
}

func readManifestBytes(folder string) ([]byte, error) {
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, notASet(errors.New("it is a file; pairs are a folder"))
	} else if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.WithCode(fault.Hint(fault.Missing("the folder does not exist"), "sample it first"), NoSet)
	}
	f, size, err := files.Open(filepath.Join(folder, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notASet(fault.Missing("it has no " + manifestFile))
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxManifest {
		return nil, fmt.Errorf("%s has %d bytes; expected at most %d", manifestFile, size, maxManifest)
	}
	return io.ReadAll(io.LimitReader(f, maxManifest))
}

// check returns an error unless m can be the manifest of a set.
func (m *manifest) check() error {
	switch {
	case m.FormatVersion != formatVersion:
		return fmt.Errorf("format_version is %q; this program reads %q", m.FormatVersion, formatVersion)
	case m.ShardRows < 1 || m.ShardRows > MaxShardRows:
		return fmt.Errorf("shard_rows is %d; expected 1 to %d", m.ShardRows, MaxShardRows)
	case len(m.Shards) > maxShards:
		return fmt.Errorf("%d shards; expected at most %d", len(m.Shards), maxShards)
	}
	if err := m.Meta.checkWidths(); err != nil {
		return err
	}
	rows := 0
	for i, s := range m.Shards {
		if err := m.checkShard(s); err != nil {
			return fmt.Errorf("shard %d (%q): %w", i, s.File, err)
		}
		if i > 0 && s.FirstSeed <= m.Shards[i-1].last() {
			return fmt.Errorf("shard %d (%q): first_seed is %d; the shard before ends at %d", i, s.File, s.FirstSeed,
				m.Shards[i-1].last())
		}
		rows += s.Rows
	}
	if rows != m.Rows || rows > MaxRows {
		return fmt.Errorf("rows is %d; the shards have %d, and at most %d are expected", m.Rows, rows, MaxRows)
	}
	return nil
}

func (m *manifest) checkShard(s shard) error {
	first, room := s.FirstSeed-m.Meta.Seed, uint64(m.ShardRows)
	switch {
	case s.FirstSeed < m.Meta.Seed:
		return fmt.Errorf("first_seed is %d; the set begins at %d", s.FirstSeed, m.Meta.Seed)
	case s.Rows < 1 || uint64(s.Rows) > room-first%room || uint64(s.Rows-1) > math.MaxUint64-s.FirstSeed:
		return fmt.Errorf("rows is %d from seed %d on; a shard has 1 to %d rows up to the next multiple", s.Rows, s.FirstSeed,
			m.ShardRows)
	case s.File != shardName(first, first+uint64(s.Rows-1)):
		return fmt.Errorf("file must be %q", shardName(first, first+uint64(s.Rows-1)))
	case s.Bytes < 1:
		return fmt.Errorf("bytes is %d", s.Bytes)
	}
	if sum, err := hex.DecodeString(s.SHA256); err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("sha256 is %q; expected 64 hexadecimal digits", s.SHA256)
	}
	return nil
}

// bytes is the size of all shards.
func (m *manifest) bytes() int64 {
	sum := int64(0)
	for _, s := range m.Shards {
		sum += s.Bytes
	}
	return sum
}

// write replaces the manifest in folder.
func (m *manifest) write(folder string) error {
	err := files.Write(filepath.Join(folder, manifestFile), func(f io.Writer) error {
		e := json.NewEncoder(f)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
	if err != nil {
		return err
	}
	return checkpoints.SyncFolder(folder)
}

// wrap names the set in err, with a hint if there is none yet.
func wrap(action, folder string, err error) error {
	if err == nil {
		return nil
	}
	if fault.HintOf(err) == "" && strings.HasPrefix(action, "read") {
		err = fault.WithCode(fault.Hint(err, "verify every shard, remove the damaged ones and sample them again"), Damaged,
			folder)
	}
	return fmt.Errorf("%s pairs %q: %w", action, folder, err)
}
