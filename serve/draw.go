package serve

import (
	"image"
	"math"
	"net/http"
	"time"

	"illustrator/data"
	"illustrator/data/cartoon"
	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

// plan is a picture that a request asks for: what to draw, and the record that it is kept with.
type plan struct {
	draw    queue.Picture
	record  gallery.Record
	preview bool
	style   *cartoon.Style // nil leaves the picture as it is
	cut     string         // the end of the text, which did not fit into CLIP's context
}

// answered is a picture as an answer describes it.
type answered struct {
	gallery.Record
	// Index is the place of the picture among those that were asked for.
	Index int    `json:"index"`
	PNG   string `json:"png"`
	Cut   string `json:"cut,omitempty"`
}

func pngPath(id string) string { return "/api/v1/pictures/" + id + "/png" }

// accepted is the event that says that work was queued.
type accepted struct {
	Pictures int   `json:"pictures"`
	Ahead    int   `json:"ahead"`
	Story    *told `json:"story,omitempty"`
}

// result is the answer in JSON, and the event that ends the others, which has no pictures again.
type result struct {
	Pictures []answered `json:"pictures,omitempty"`
	Count    int        `json:"count"`
	Seconds  float64    `json:"seconds"`
}

// aliveEvery is the time between signs of life on a connection whose pictures wait.
const aliveEvery = 15 * time.Second

// draw draws the plans and answers.
func (s *Server) draw(w http.ResponseWriter, r *http.Request, plans []plan, story *told) {
	began, st := time.Now(), newStream(w, r)
	pictures, err := s.drawAll(st, r, plans, story)
	done := result{Count: len(pictures), Seconds: math.Round(1000*time.Since(began).Seconds()) / 1000}
	if !st.events {
		done.Pictures = pictures
	}
	s.end(st, r, done, err)
}

// drawAll draws the plans, keeps the pictures, and sends each when it is done. They are returned in the plans' order.
func (s *Server) drawAll(st *stream, r *http.Request, plans []plan, story *told) ([]answered, error) {
	pictures := make([]queue.Picture, len(plans))
	for i, p := range plans {
		pictures[i] = p.draw
	}
	job, err := s.queue.Add(r.Context(), pictures)
	if err != nil {
		return nil, err
	}
	st.send("accepted", accepted{len(plans), job.Ahead, story})
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	done := make([]answered, len(plans))
	for left := len(plans); left > 0; {
		drawn, ok, err := job.Next(alive.C)
		if err != nil {
			return nil, err
		}
		if !ok {
			st.alive()
			continue
		}
		left--
		a, err := s.keep(r, plans[drawn.Index], drawn)
		if err != nil {
			return nil, err
		}
		done[drawn.Index] = a
		if st.send("picture", a); st.written != nil {
			return nil, st.written
		}
	}
	return done, nil
}

// keep puts a drawn picture into the gallery, redrawn where a style is asked for.
func (s *Server) keep(r *http.Request, p plan, drawn queue.Drawn) (answered, error) {
	s.drawing <- struct{}{}
	defer func() { <-s.drawing }()
	m := s.Models[p.draw.Model]
	pictures, err := data.SplitPictures(drawn.Pixels, m.Generator.Size, m.Generator.Size)
	if err != nil {
		return answered{}, err
	}
	var img image.Image = pictures[0].Image()
	if p.style != nil {
		if img, err = redraw(r.Context(), p.style, img); err != nil {
			return answered{}, err
		}
	}
	p.record.ImageEmbed = drawn.ImageEmbed
	if p.draw.Score {
		p.record.Similarity = &drawn.Similarity
	}
	kept := s.gallery
	if p.preview {
		kept = s.previews
	}
	record, err := kept.Put(p.record, img, s.Software, m.Hashes)
	return answered{Record: record, Index: drawn.Index, PNG: pngPath(record.ID), Cut: p.cut}, err
}
