// Package gallery keeps the pictures that were drawn, with what they were drawn from, in memory or in a folder of PNG
// files whose metadata hold it. It keeps a limited number and removes the oldest.
package gallery

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/files"
)

// ErrNotFound is returned for a picture that is not, or no longer, in the gallery.
var ErrNotFound = errors.New("the gallery does not have this picture")

// ErrDamaged is returned for a picture whose file was changed since the gallery was opened, or cannot be decoded.
var ErrDamaged = errors.New("the file of this picture is damaged")

// Kind says how a picture came about.
type Kind string

// The kinds of pictures.
const (
	Generated    Kind = "generated"
	Manipulated  Kind = "manipulated"
	Story        Kind = "story"
	Uploaded     Kind = "uploaded"
	Interpolated Kind = "interpolated" // an animation
)

// Record is the record of a picture's drawing, and how it came into the gallery.
type Record struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Kind    Kind      `json:"kind"`
	Run     string    `json:"run,omitempty"`
	draw.Record
	// Origin is the picture that was manipulated, and OriginText what it showed.
	Origin     string `json:"origin,omitempty"`
	OriginText string `json:"origin_text,omitempty"`
	// Of an animation, Origin and OriginText are where it begins, Target and TargetText where it ends.
	Target     string  `json:"target,omitempty"`
	TargetText string  `json:"target_text,omitempty"`
	Frames     int     `json:"frames,omitempty"`
	FPS        float64 `json:"fps,omitempty"`
	Favourite  bool    `json:"favourite,omitempty"`
	Width      int     `json:"width"`
	Height     int     `json:"height"`

	// ImageEmbed [E] is what a manipulation begins with; an uploaded picture has none. Offset [Z] is added to W: what a
	// refinement changed.
	ImageEmbed []float32 `json:"-"`
	// Seen is an uploaded picture as CLIP's preprocessor makes it of the whole upload, a PNG file: the one that is kept
	// is smaller.
	Seen   []byte    `json:"-"`
	Offset []float32 `json:"-"`
}

// Delay returns the time of a frame in an animation.
func (r Record) Delay() time.Duration {
	return time.Duration(float64(time.Second) / min(max(r.FPS, 0.1), 50))
}

// Limits bound a gallery: the oldest pictures make room for new ones.
type Limits struct {
	Pictures int
	Bytes    int64 // of all PNG files
	// Trim lets Open remove the oldest pictures of a folder that holds more. Without it that is an error.
	Trim bool
}

// Gallery keeps pictures. Its methods may be called by any goroutine.
type Gallery struct {
	limits Limits
	folder string      // "" keeps pictures in memory
	lock   *files.Lock // of the folder
	log    *slog.Logger

	mu     sync.RWMutex
	items  []*item // the oldest first
	byID   map[string]*item
	bytes  int64
	trash  []*item  // deleted, the first deleted one first
	absent []string // favourites whose pictures were left out
	last   uint64   // of the milliseconds in ids
}

// item is a picture of a gallery.
type item struct {
	Record
	words string // what a search looks at
	size  int64
	file  []byte // in memory, else nil
}

func newItem(r Record, size int64) *item {
	return &item{Record: r, size: size,
		words: strings.ToLower(strings.Join([]string{r.Text.Text, r.OriginText, r.Run, r.Cartoon.Style, string(r.Kind),
			fmt.Sprint("seed", r.Seed)}, " "))}
}

// ids are 48 bits of milliseconds and 32 random ones, in lower case, so that names sort by time.
var ids = base32.HexEncoding.WithPadding(base32.NoPadding)

const idLength = 16

// maxTime bounds the milliseconds that new ids follow, in the year 2248: 48 bits hold those of all that come behind.
const maxTime = 1 << 43

// newID returns an id behind all others that are not after maxTime. The lock is held.
func (g *Gallery) newID(now time.Time) string {
	g.last = max(g.last+1, uint64(now.UnixMilli()))
	var raw [10]byte
	binary.BigEndian.PutUint64(raw[:8], g.last<<16)
	_, _ = rand.Read(raw[6:]) // it never fails
	return strings.ToLower(ids.EncodeToString(raw[:]))
}

// timeOf is the milliseconds in an id; false where s is none.
func timeOf(s string) (uint64, bool) {
	if len(s) != idLength || s != strings.ToLower(s) {
		return 0, false
	}
	raw, err := ids.DecodeString(strings.ToUpper(s))
	if err != nil {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw[:8]) >> 16, true
}

// Put keeps a picture under a new id and returns its record, with id, time and size. software names the program in the
// file's texts.
func (g *Gallery) Put(r Record, img image.Image, software string) (Record, error) {
	return g.PutAnimation(r, []image.Image{img}, software)
}

// PutAnimation is Put for several pictures of one size, which are shown one after the other: the file is an APNG.
func (g *Gallery) PutAnimation(r Record, frames []image.Image, software string) (Record, error) {
	g.mu.Lock()
	now := time.Now()
	r.ID, r.Created = g.newID(now), now.UTC().Truncate(time.Millisecond)
	g.mu.Unlock()
	r.Width, r.Height = frames[0].Bounds().Dx(), frames[0].Bounds().Dy()
	file, err := r.encode(frames, software)
	if err != nil {
		return Record{}, err
	}
	it := newItem(r, int64(len(file)))
	if g.folder == "" {
		it.file = file
	} else if err := g.write(r.ID, file); err != nil {
		return Record{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.add(it)
	g.forget()
	return r, nil
}

// add keeps an item in the order of ids. The lock is held.
func (g *Gallery) add(it *item) {
	at, _ := slices.BinarySearchFunc(g.items, it.ID, func(x *item, id string) int { return strings.Compare(x.ID, id) })
	g.items = slices.Insert(g.items, at, it)
	g.byID[it.ID] = it
	g.bytes += it.size
}

// forget removes the oldest pictures beyond the limits, favourites after all others, but never the last one. The lock
// is held.
func (g *Gallery) forget() {
	n := 0
	defer func() {
		if n > 0 && g.folder != "" {
			g.log.Info("the oldest pictures of the gallery were removed for new ones", "pictures", n)
		}
	}()
	for ; len(g.items) > 1 && (len(g.items) > g.limits.Pictures || g.bytes > g.limits.Bytes); n++ {
		i := g.eldest()
		if err := g.drop(g.items[i]); err != nil {
			g.log.Warn("an old picture could not be removed", "id", g.items[i].ID, "error", err)
		}
		g.items = slices.Delete(g.items, i, i+1)
	}
}

// drop forgets an item but for its place in items. The lock is held.
func (g *Gallery) drop(it *item) error {
	delete(g.byID, it.ID)
	g.bytes -= it.size
	if g.folder == "" {
		return nil
	}
	return g.unlink(it.ID)
}

// Get returns the record of a picture.
func (g *Gallery) Get(id string) (Record, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	it := g.byID[id]
	if it == nil {
		return Record{}, ErrNotFound
	}
	return it.Record, nil
}

// PNG returns the file of a picture.
func (g *Gallery) PNG(id string) ([]byte, error) {
	g.mu.RLock()
	it := g.byID[id]
	g.mu.RUnlock()
	switch {
	case it == nil:
		return nil, ErrNotFound
	case g.folder == "":
		return it.file, nil
	}
	return g.read(it)
}

// Find returns up to n records, the newest first, that the filter chooses and are older than the id before, if
// it is given; and the number of all such records.
func (g *Gallery) Find(f Filter, before string, n int) (records []Record, total int) {
	words := strings.Fields(strings.ToLower(f.Query))
	g.mu.RLock()
	defer g.mu.RUnlock()
	records = []Record{}
	for _, it := range slices.Backward(g.items) {
		if !f.takes(it, words) {
			continue
		}
		total++
		if len(records) < n && (before == "" || it.ID < before) {
			records = append(records, it.Record)
		}
	}
	return records, total
}

// Size returns the number of pictures and of their bytes.
func (g *Gallery) Size() (pictures int, size int64) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.items), g.bytes
}

// MaxPixels are those of a picture, or of all frames of an animation: others may have written to a folder.
const MaxPixels = 1 << 26

// Animation decodes an animation of the gallery.
func (g *Gallery) Animation(id string) ([]image.Image, error) {
	file, err := g.PNG(id)
	if err != nil {
		return nil, err
	}
	frames, err := pictures.DecodeAnimation(file, MaxPixels)
	if err == nil && len(frames) < 2 {
		err = fmt.Errorf("it has %d frames", len(frames))
	}
	return frames, damaged(err)
}

// Picture decodes a picture of the gallery, of an animation the first.
func (g *Gallery) Picture(id string) (image.Image, error) {
	file, err := g.PNG(id)
	if err != nil {
		return nil, err
	}
	img, err := pictures.Decode(context.Background(), file, MaxPixels)
	return img, damaged(err)
}

// damaged marks the error of a decoder.
func damaged(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
