package serve

import (
	"context"
	"fmt"
	"image"
	"math"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/serve/gallery"
)

const (
	defaultPage = 60
	maxPage     = 200
	maxQuery    = 50 // characters
)

// found is a page of the gallery.
type pictureList struct {
	Pictures []pictureAnswer `json:"pictures"`
	Total    int             `json:"total"` // that match the filters
	gallery.Facets
}

func answer(ctx context.Context, r gallery.Record, i int) pictureAnswer {
	return pictureAnswer{Record: r, Index: i, PNG: pngPath(ctx, r.ID)}
}

// findPictures lists the gallery.
func (s *studio) findPictures(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	query, limit := values.Get("query"), defaultPage
	if n := len([]rune(query)); n > maxQuery {
		s.fail(w, r, badField("query", fmt.Sprintf("it has %d characters", n),
			fmt.Sprintf("search for at most %d", maxQuery)))
		return
	}
	if given := values.Get("limit"); values.Has("limit") {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxPage {
			s.fail(w, r, badField("limit", fmt.Sprintf("it is %q", given),
				fmt.Sprintf("give a whole number from 1 to %d", maxPage)))
			return
		}
		limit = n
	}
	filter := gallery.Filter{
		Query: query, Domain: values.Get("domain"), Run: values.Get("run"), Look: values.Get("look"),
		Favourites: values.Has("favourites"),
	}
	records, total := s.gallery.Find(filter, values.Get("before"), limit)
	page := pictureList{Pictures: make([]pictureAnswer, len(records)), Total: total}
	page.Facets = s.gallery.Facets(filter.Domain)
	for i, record := range records {
		page.Pictures[i] = answer(r.Context(), record, i)
	}
	writeJSON(w, http.StatusOK, page)
}

// find returns a picture of the gallery, or one that is a preview.
func (s *studio) find(id string) (*gallery.Gallery, gallery.Record, error) {
	if record, err := s.gallery.Get(id); err == nil {
		return s.gallery, record, nil
	}
	record, err := s.previews.Get(id)
	return s.previews, record, err
}

func (s *studio) getPicture(w http.ResponseWriter, r *http.Request) {
	_, record, err := s.find(r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer(r.Context(), record, 0))
}

// getPNG answers with a picture's file; ?download names it for the disk, and of an animation ?still is the first
// picture alone.
func (s *studio) getPNG(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	of, record, err := s.find(id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	size, err := factor(r, record)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	still := record.Frames > 1 && r.URL.Query().Has("still")
	var file []byte
	switch {
	case still:
		file, err = s.still(r.Context(), of, id, size)
	case size > 1:
		file, err = s.enlarged(r.Context(), of, record, size)
	default:
		file, err = of.PNG(id)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	extension := ".png"
	if record.Frames > 1 && !still {
		extension = ".apng"
	}
	s.sendFile(w, r, "image/png", fileName(record, extension), file)
}

// still is the first picture of an animation.
func (s *studio) still(ctx context.Context, of *gallery.Gallery, id string, factor int) ([]byte, error) {
	release, err := s.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	img, err := of.Picture(id)
	if err != nil {
		return nil, err
	}
	frames := []image.Image{img}
	meta := enlarge(frames, factor, nil)
	return pictures.EncodePNG(frames[0], meta)
}

// sendFile answers with a file of a picture.
func (s *studio) sendFile(w http.ResponseWriter, r *http.Request, contentType, name string, file []byte) {
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable") // an id's picture never changes
	if values := r.URL.Query(); values.Has("download") {
		if n, _ := strconv.Atoi(values.Get("scale")); n > 1 { // beside the picture as it is drawn
			extension := path.Ext(name)
			name = fmt.Sprintf("%s-%dx%s", strings.TrimSuffix(name, extension), n, extension)
		}
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
	}
	writeBytes(w, contentType, file)
}

// fileName is a name in plain ASCII for a picture on somebody's disk.
func fileName(r gallery.Record, extension string) string {
	plain := strings.Map(func(c rune) rune {
		if c < 128 {
			return c
		}
		return ' '
	}, r.Text.Text)
	name := texts.Slug(plain)
	if name == "" {
		name = texts.Slug(r.Domain)
	}
	return strings.Trim(fmt.Sprintf("%s-seed%d-%s", name, r.Seed, r.ID[len(r.ID)-4:]), "-") + extension
}

func (s *studio) deletePicture(w http.ResponseWriter, r *http.Request) {
	if err := s.gallery.Delete(r.PathValue("id")); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// restorePicture brings a deleted picture back.
func (s *studio) restorePicture(w http.ResponseWriter, r *http.Request) {
	record, err := s.gallery.Restore(r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer(r.Context(), record, 0))
}

// upload takes a picture as the origin of a manipulation. It keeps a square of it in the generator's size: the central
// one, unless the request gives another position.
func (s *studio) upload(w http.ResponseWriter, r *http.Request) {
	text := texts.Text{Text: s.Domain.TextPrompt}
	if r.URL.Query().Has("text") {
		given, p := s.checkText("text", r.URL.Query().Get("text"))
		if p != nil {
			s.fail(w, r, p)
			return
		}
		text = given
	}
	at, err := s.position(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	img, err := s.readUpload(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	kept, seen, err := s.fitted(squareAt(img, at))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	record, err := s.gallery.Put(gallery.Record{
		Kind: gallery.Uploaded, Seen: seen, Record: draw.Record{Text: text, Domain: s.Domain.Name, NoiseMode: warmNoise,
			TruncationPsi: 1},
	}, kept, s.Software)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, answer(r.Context(), record, 0))
}

// uploadTypes are the types of the files that are taken.
var uploadTypes = []string{"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff"}

func (s *studio) readUpload(w http.ResponseWriter, r *http.Request) (*image.NRGBA, error) {
	if !slices.Contains(uploadTypes, r.Header.Get("Content-Type")) {
		return nil, &problem{status: http.StatusUnsupportedMediaType, Message: "the upload is not a picture",
			Hint: "send a PNG, JPEG, WebP, GIF, BMP or TIFF file, with its type as Content-Type"}
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return nil, &problem{status: http.StatusTooManyRequests, retry: time.Second,
			Message: "too many pictures are being uploaded", Hint: "try again a little later"}
	}
	file, err := readBody(w, r, s.Limits.UploadBytes)
	if err != nil {
		return nil, err
	}
	select { // one at a time: a picture of many pixels takes much memory
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	img, err := pictures.Decode(r.Context(), file, s.Limits.UploadPixels)
	if err != nil {
		if !fault.IsUsage(err) { // a decoder's error is about the file too
			err = &problem{status: http.StatusBadRequest, Message: "the picture is damaged: " + err.Error(),
				Hint: "save it again as PNG"}
		}
		return nil, err
	}
	return img, nil
}

const centre = 0.5 // of the longer side

// position is that of the square which is kept of an upload: from 0, the left or upper end, to 1, the right or lower
// one.
func (s *studio) position(r *http.Request) (float64, error) {
	values := r.URL.Query()
	if !values.Has("position") {
		return centre, nil
	}
	at, err := strconv.ParseFloat(values.Get("position"), 64)
	switch {
	case err != nil || !(at >= 0 && at <= 1):
		return 0, badField("position", fmt.Sprintf("it is %q", values.Get("position")), "give a number from 0 to 1")
	case at != centre && s.Models[0].Preprocessor.Pad:
		return 0, badField("position", "this server keeps the whole picture", "leave it out")
	}
	return at, nil
}

// squareAt returns the square of a picture at a position, and the whole picture at the centre, which is cropped after
// it is scaled.
func squareAt(img *image.NRGBA, at float64) image.Image {
	if at == centre {
		return img
	}
	b := img.Bounds()
	side := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt(int(math.Round(at*float64(b.Dx()-side))), int(math.Round(at*float64(b.Dy()-side)))))
	return img.SubImage(image.Rectangle{corner, corner.Add(image.Pt(side, side))})
}

// maxSeen bounds what is kept of an upload for CLIP, as a PNG file; beyond it CLIP sees the picture that is kept.
const maxSeen = 512 << 10

// fitted returns an upload in the size of the domain's pictures, and as CLIP sees it, both as the CLIP's preprocessor
// says.
func (s *studio) fitted(img image.Image) (kept image.Image, seen []byte, err error) {
	m := s.Models[0]
	if seen, err = pictures.EncodePNG(m.Preprocessor.FitImage(img, m.Preprocessor.Size), nil); len(seen) > maxSeen {
		seen = nil
	}
	return m.Preprocessor.FitImage(img, m.Generator.Size), seen, err
}
