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

// Open opens the gallery in a folder, which is made where it is missing, or one in memory if folder is "". Other files
// in the folder are left alone.
func Open(folder string, limits Limits, log *slog.Logger) (*Gallery, error) {
	g := &Gallery{limits: limits, folder: folder, log: log, byID: map[string]*item{}}
	if folder == "" {
		return g, nil
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fault.Hint(fmt.Errorf("open gallery: %w", err), "name a folder that you can write to")
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("open gallery: %w", err)
	}
	for _, e := range entries {
		id, isPNG := strings.CutSuffix(e.Name(), ".png")
		made, isID := timeOf(id)
		if g.removeDeleted(e.Name()) {
			continue
		}
		if !isPNG || !isID || !e.Type().IsRegular() {
			continue
		}
		g.last = max(g.last, made)
		it, err := readItem(filepath.Join(folder, e.Name()), id)
		if err != nil {
			log.Warn("a picture of the gallery is left out", "error", err)
			continue
		}
		g.add(it)
	}
	g.readFavourites()
	g.forget()
	return g, nil
}

// readItem reads what a picture's file says of itself.
func readItem(path, id string) (*item, error) {
	meta, err := pictures.ReadPNGMeta(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(meta, func(m pictures.Meta) bool { return m.Key == metaKey })
	if at < 0 {
		return nil, fmt.Errorf("%q has no text %q", path, metaKey)
	}
	var s stored
	if err := json.Unmarshal([]byte(meta[at].Value), &s); err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	if s.ID != id {
		return nil, fmt.Errorf("%q holds picture %q", path, s.ID)
	}
	s.Record.Seen = s.Seen
	if s.Record.ImageEmbed, err = unpack(s.ImageEmbed); err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	if s.Record.Offset, err = unpack(s.Offset); err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	if s.Similarity != nil && s.Score == nil {
		s.Score = &draw.Score{CLIPSimilarity: *s.Similarity}
	}
	return newItem(s.Record, info.Size()), nil
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

func pack(values []float32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func unpack(text string) ([]float32, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 || len(raw) == 0 {
		return nil, err
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		if v := float64(values[i]); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("value %d is %g", i, v)
		}
	}
	return values, nil
}

func (g *Gallery) path(id string) string { return filepath.Join(g.folder, id+".png") }

func (g *Gallery) write(id string, file []byte) error {
	return files.WriteFile(g.path(id), file, 0o666)
}

// read reads a file that may have been removed by hand.
func (g *Gallery) read(id string) ([]byte, error) {
	file, err := os.ReadFile(g.path(id))
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
