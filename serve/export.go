package serve

import (
	"archive/zip"
	"context"
	"fmt"
	"image"
	"net/http"
	"slices"
	"strconv"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/serve/gallery"
)

const (
	maxFiles = 200  // pictures of a ZIP file or a sheet
	mostSide = 4096 // of an enlarged picture, in pixels
)

// mostScale is the largest factor that the domain's pictures are enlarged by.
func (s *studio) mostScale() int { return max(1, min(16, mostSide/s.Models[0].Generator.Size)) }

// factor returns the factor that a request enlarges a picture by, 1 where it gives none. All frames of an animation
// together have at most as many pixels as a gallery's picture may have.
func factor(r *http.Request, record gallery.Record) (int, error) {
	values := r.URL.Query()
	if !values.Has("scale") {
		return 1, nil
	}
	most := max(1, min(16, mostSide/max(record.Width, record.Height)))
	for most > 1 && most*most*record.Width*record.Height*max(1, record.Frames) > gallery.MaxPixels {
		most--
	}
	n, err := strconv.Atoi(values.Get("scale"))
	if err != nil || n < 1 || n > most {
		return 0, badField("scale", fmt.Sprintf("it is %q", values.Get("scale")),
			fmt.Sprintf("give a whole number from 1 to %d", most))
	}
	return n, nil
}

// enlarge enlarges frames, and names the filter in the texts of the file.
func enlarge(frames []image.Image, factor int, meta []pictures.Meta) []pictures.Meta {
	if factor == 1 {
		return meta
	}
	for i := range frames {
		frames[i] = pictures.Enlarge(frames[i], factor)
	}
	return append(meta, pictures.Meta{Key: "Enlarged", Value: fmt.Sprintf("%d × (Lanczos)", factor)})
}

// enlarged returns the file of a picture or an animation at a factor.
func (s *studio) enlarged(
	ctx context.Context, of *gallery.Gallery, record gallery.Record, factor int,
) ([]byte, error) {
	release, err := s.conversion(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if record.Frames > 1 {
		frames, err := of.Animation(record.ID)
		if err != nil {
			return nil, err
		}
		meta := enlarge(frames, factor, record.Meta(s.Software))
		return pictures.EncodeAnimation(".apng", frames, record.Delay(), meta)
	}
	img, err := of.Picture(record.ID)
	if err != nil {
		return nil, err
	}
	frames := []image.Image{img}
	meta := enlarge(frames, factor, record.Meta(s.Software))
	return pictures.EncodePNG(frames[0], meta)
}

// setFavourite answers requests that mark a picture as a favourite, or take the mark away.
func (s *studio) setFavourite(favourite bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		record, err := s.gallery.SetFavourite(r.PathValue("id"), favourite)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, answer(r.Context(), record, 0))
	}
}

// picturesRequest names pictures of the gallery.
type picturesRequest struct {
	Pictures []string `json:"pictures"`
}

// chosen returns the records of the named pictures.
func (s *studio) chosen(w http.ResponseWriter, r *http.Request) ([]gallery.Record, error) {
	var q picturesRequest
	if err := readJSON(w, r, &q); err != nil {
		return nil, err
	}
	if n := len(q.Pictures); n < 1 || n > maxFiles {
		return nil, badField("pictures", fmt.Sprintf("it has %d ids", n), fmt.Sprintf("name 1 to %d pictures", maxFiles))
	}
	records := make([]gallery.Record, len(q.Pictures))
	for i, id := range q.Pictures {
		var err error
		if records[i], err = s.gallery.Get(id); err != nil {
			return nil, problemOf(err).at(fmt.Sprintf("pictures[%d]", i))
		}
	}
	return records, nil
}

// zip answers with a ZIP file of pictures.
func (s *studio) zip(w http.ResponseWriter, r *http.Request) {
	records, err := s.chosen(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="pictures.zip"`)
	out := zip.NewWriter(w)
	for _, record := range records {
		file, err := s.gallery.PNG(record.ID)
		if err == nil {
			err = addFile(out, pictureFile(record), file)
		}
		if err != nil { // the answer has begun: a file without its end is an error to every reader
			s.Log.Warn("a ZIP file was not finished", "error", err)
			return
		}
	}
	_ = out.Close() // a client that left needs no answer
}

func pictureFile(record gallery.Record) string {
	if record.Frames > 1 {
		return fileName(record, ".apng")
	}
	return fileName(record, ".png")
}

// addFile adds a file that is compressed already.
func addFile(out *zip.Writer, name string, file []byte) error {
	w, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err == nil {
		_, err = w.Write(file)
	}
	return err
}

// sheet answers with the pictures of one text on a sheet: a row for each strength, a column for each seed.
func (s *studio) sheet(w http.ResponseWriter, r *http.Request) {
	records, err := s.chosen(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if pixels := pixelsOf(records); pixels > gallery.MaxPixels {
		s.fail(w, r, badField("pictures", fmt.Sprintf("they have %d pixels", pixels),
			fmt.Sprintf("name pictures of at most %d pixels together", gallery.MaxPixels)))
		return
	}
	rows, seeds, places := axes(records)
	if len(places) != len(rows)*len(seeds) || len(places) != len(records) {
		s.fail(w, r, badField("pictures", "they are not one for each strength and seed",
			"name the pictures of a request with alphas"))
		return
	}
	release, err := s.conversion(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer release()
	var images []image.Image
	for _, row := range rows {
		for _, seed := range seeds {
			img, err := s.gallery.Picture(places[place{row.Text, *row.Alpha, seed}])
			if err != nil {
				s.fail(w, r, err)
				return
			}
			images = append(images, img)
		}
	}
	first := records[0]
	img, err := draw.Sheet(images, rows, seeds, first.Text.Text, "strength (α) by seed, domain "+first.Domain)
	var file []byte
	if err == nil {
		file, err = pictures.EncodePNG(img, []pictures.Meta{{Key: "Description", Value: first.Text.Text},
			{Key: "Software", Value: s.Software}, {Key: "Domain", Value: first.Domain}})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeBytes(w, "image/png", file)
}

// place is that of a picture on a sheet.
type place struct {
	text  string
	alpha float64
	seed  uint64
}

// pixelsOf returns the number of pixels of all pictures together.
func pixelsOf(records []gallery.Record) (n int) {
	for _, r := range records {
		n += r.Width * r.Height
	}
	return n
}

// axes are the rows and columns of a sheet of pictures, and the id of the picture at each place.
func axes(records []gallery.Record) (rows []texts.Text, seeds []uint64, places map[place]string) {
	places = map[place]string{}
	for _, r := range records {
		if r.Alpha == nil || r.Frames > 1 {
			continue
		}
		row := r.Text
		row.Alpha = r.Alpha
		if !slices.ContainsFunc(rows, func(t texts.Text) bool { return t.Text == row.Text && *t.Alpha == *row.Alpha }) {
			rows = append(rows, row)
		}
		if !slices.Contains(seeds, r.Seed) {
			seeds = append(seeds, r.Seed)
		}
		places[place{row.Text, *row.Alpha, r.Seed}] = r.ID
	}
	return rows, seeds, places
}
