package gallery

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// metaKey names the text in a PNG file that holds its record as JSON.
const metaKey = "Illustrator"

// stored is a record as its PNG file holds it.
type stored struct {
	Record
	ImageEmbed string `json:"image_embed,omitempty"` // base64 of float32, little-endian
	Offset     string `json:"w_offset,omitempty"`    // the same
	Seen       []byte `json:"seen,omitempty"`
	// Similarity holds the score in older galleries.
	Similarity *float64 `json:"clip_similarity,omitempty"`
}

// Open opens the gallery in a folder, which is made where it is missing, or one in memory if folder is "". It locks the
// folder until Close. Other files in the folder are left alone. A picture whose record is invalid, by Validate or by
// check, is left out with a warning; its file stays.
func Open(folder string, limits Limits, check func(Record) error, log *slog.Logger) (*Gallery, error) {
	g := &Gallery{limits: limits, folder: folder, log: log, byID: map[string]*item{}}
	if folder == "" {
		return g, nil
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fault.Usage(fmt.Errorf("open gallery: %w", err), "name a folder that you can write to")
	}
	var err error
	if g.lock, err = files.LockFolder(folder); errors.Is(err, files.ErrInUse) {
		return nil, fault.Hint(fmt.Errorf("open gallery: %w", err), "stop the other server, or name another folder")
	} else if err != nil {
		return nil, fmt.Errorf("open gallery: %w", err)
	}
	g.lock.Warn(log)
	if err := g.readFolder(check); err != nil {
		return nil, errors.Join(err, g.lock.Release())
	}
	return g, nil
}

// readFolder reads the pictures of the folder.
func (g *Gallery) readFolder(check func(Record) error) error {
	entries, err := os.ReadDir(g.folder)
	if err != nil {
		return fmt.Errorf("open gallery: %w", err)
	}
	for _, e := range entries {
		id, isPNG := strings.CutSuffix(e.Name(), ".png")
		made, isID := timeOf(id)
		if g.removeDeleted(e.Name()) || !isPNG || !isID || !e.Type().IsRegular() {
			continue
		}
		it, err := readItem(filepath.Join(g.folder, e.Name()), id, check)
		if err != nil {
			g.log.Warn("a picture of the gallery is left out", "error", err, "want", fault.HintOf(err))
			continue
		}
		if made <= maxTime {
			g.last = max(g.last, made)
		}
		g.add(it)
	}
	g.readFavourites()
	if err := g.fits(); err != nil {
		return err
	}
	g.forget()
	return nil
}

// fits returns an error if the folder holds more than the limits and the oldest pictures must not be removed.
func (g *Gallery) fits() error {
	n, most, bytes := len(g.items), g.limits.Pictures, g.limits.Bytes
	if g.limits.Trim || n <= most && g.bytes <= bytes {
		return nil
	}
	return fault.Usage(fmt.Errorf("the gallery %q holds %d pictures of %d bytes; at most %d of %d bytes are kept",
		g.folder, n, g.bytes, most, bytes),
		"keep them with --gallery-pictures %d --gallery-bytes %d or more, or remove the oldest with --gallery-trim",
		max(n, most), max(g.bytes, bytes))
}

// readItem reads what a picture's file says of itself, and checks it.
func readItem(path, id string, check func(Record) error) (*item, error) {
	facts, err := pictures.ReadPNGFacts(path)
	if err != nil {
		return nil, err
	}
	it, err := parseItem(facts, id)
	if err == nil {
		err = it.validate(facts)
	}
	if err == nil && check != nil {
		err = check(it.Record)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return it, nil
}

// parseItem returns the picture of a file.
func parseItem(facts pictures.PNGFacts, id string) (*item, error) {
	at := slices.IndexFunc(facts.Meta, func(m pictures.Meta) bool { return m.Key == metaKey })
	if at < 0 {
		return nil, fmt.Errorf("it has no text %q", metaKey)
	}
	var s stored
	if err := json.Unmarshal([]byte(facts.Meta[at].Value), &s); err != nil {
		return nil, err
	}
	if s.ID != id {
		return nil, fmt.Errorf("it holds picture %q", s.ID)
	}
	s.Record.Seen = s.Seen
	if s.Width == 0 && s.Height == 0 { // older galleries
		s.Width, s.Height = facts.Width, facts.Height
	}
	var err error
	if s.Record.ImageEmbed, err = unpack(s.ImageEmbed); err != nil {
		return nil, fmt.Errorf("image_embed: %w", err)
	}
	if s.Record.Offset, err = unpack(s.Offset); err != nil {
		return nil, fmt.Errorf("w_offset: %w", err)
	}
	if s.Similarity != nil && s.Score == nil {
		s.Score = &draw.Score{CLIPSimilarity: *s.Similarity}
	}
	return newItem(s.Record, facts.Bytes), nil
}

// encode returns the picture's PNG file, or of several an APNG, with its record for this program and in words for
// others.
func (r Record) encode(frames []image.Image, software string) ([]byte, error) {
	record, err := json.Marshal(stored{Record: r, ImageEmbed: pack(r.ImageEmbed), Offset: pack(r.Offset), Seen: r.Seen})
	if err != nil {
		return nil, err
	}
	meta := append(r.Meta(software), pictures.Meta{Key: metaKey, Value: string(record)})
	if r.Kind == Uploaded { // it has no seed
		meta = []pictures.Meta{{Key: "Description", Value: r.Text.Text}, {Key: "Software", Value: software},
			{Key: "Domain", Value: r.Domain}, meta[len(meta)-1]}
	}
	if len(frames) > 1 {
		return pictures.EncodeAnimation(".apng", frames, r.Delay(), meta)
	}
	return pictures.EncodePNG(frames[0], meta)
}

// maxValue bounds the values of embeddings and offsets, which are near 1.
const maxValue = 1e6

func pack(values []float32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func unpack(text string) ([]float32, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	if len(raw)%4 != 0 {
		return nil, fmt.Errorf("it has %d bytes, not 4 a value", len(raw))
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		if v := float64(values[i]); !(math.Abs(v) <= maxValue) {
			return nil, fmt.Errorf("value %d is %g", i, v)
		}
	}
	return values, nil
}

func (g *Gallery) path(id string) string { return filepath.Join(g.folder, id+".png") }

func (g *Gallery) write(id string, file []byte) error {
	return files.WriteFile(g.path(id), file, 0o666)
}

// read reads a picture's file, which others may have removed or changed.
func (g *Gallery) read(it *item) ([]byte, error) {
	path := g.path(it.ID)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	} else if err == nil && (!info.Mode().IsRegular() || info.Size() != it.size) {
		return nil, fmt.Errorf("%w: %q was changed", ErrDamaged, path)
	}
	file, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return file, err
}

func (g *Gallery) unlink(id string) error {
	if err := os.Remove(g.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
