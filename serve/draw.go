package serve

import (
	"context"
	"image"
	"math"
	"net/http"
	"time"

	"illustrator/data/cartoon"
	"illustrator/draw"
	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

// plan is a picture that a request asks for: what to draw, and the record that it is kept with.
type plan struct {
	recipe  draw.Recipe
	record  gallery.Record
	preview bool
	style   *cartoon.Style // nil leaves the picture as it is
	cut     string         // the end of the text, which did not fit into CLIP's context
}

// work holds the pictures of a request.
type work struct {
	plans  []plan
	choice draw.Choice
	gains  *draw.Gains // nil where there are none
	story  *outline
	// animation collects the frames of an animation.
	animation *animation
	far       []draw.Novelty // texts that lie far from the domain's descriptions
}

// answered is a picture as an answer describes it.
type pictureAnswer struct {
	gallery.Record
	// Index is the place of the picture among those that were asked for.
	Index int    `json:"index"`
	PNG   string `json:"png"`
	Cut   string `json:"cut,omitempty"`
}

// accepted is the event that says that work was queued.
type accepted struct {
	Pictures   int      `json:"pictures"`             // that will come
	Candidates int      `json:"candidates,omitempty"` // that they are chosen from
	Frames     int      `json:"frames,omitempty"`     // of an animation
	Ahead      int      `json:"ahead"`
	Story      *outline `json:"story,omitempty"`
	// Far are texts that lie far from the domain's descriptions.
	Far []draw.Novelty `json:"far,omitempty"`
}

func (w *work) accepted(job *queue.Job) accepted {
	a := accepted{Pictures: job.Pictures(), Ahead: job.Ahead, Story: w.story, Far: w.far}
	if w.choice.Of > 0 {
		a.Candidates = len(w.plans)
	}
	if w.animation != nil {
		a.Pictures, a.Frames = 1, len(w.plans)
	}
	return a
}

// result is the answer in JSON, and the event that ends the others, which has no pictures again.
type result struct {
	Pictures []pictureAnswer `json:"pictures,omitempty"`
	Count    int             `json:"count"`
	Seconds  float64         `json:"seconds"`
	Far      []draw.Novelty  `json:"far,omitempty"`
	*draw.Gains
}

// aliveEvery is the time between signs of life on a connection whose pictures wait.
const aliveEvery = 15 * time.Second

// recipes are those of all plans.
func (w *work) recipes() []draw.Recipe {
	recipes := make([]draw.Recipe, len(w.plans))
	for i, p := range w.plans {
		recipes[i] = p.recipe
	}
	return recipes
}

// result returns the answer without its pictures.
func (w *work) result(pictures []pictureAnswer, began time.Time, err error) result {
	done := result{Count: len(pictures), Far: w.far, Seconds: math.Round(1000*time.Since(began).Seconds()) / 1000}
	if err == nil && w.gains != nil {
		w.gains.Close()
		done.Gains = w.gains
	}
	return done
}

// draw draws what is planned and answers. With events and ?keep it is a job.
func (s *studio) draw(w http.ResponseWriter, r *http.Request, planned *work) {
	s.answering.Add(1)
	defer s.answering.Add(-1)
	began, st := time.Now(), newStream(w, r)
	if st.events && r.URL.Query().Has("keep") {
		s.drawJob(w, r, planned)
		return
	}
	queued, err := s.queue.Add(r.Context(), planned.recipes(), planned.choice)
	var pictures []pictureAnswer
	if err == nil {
		pictures, err = s.drawAll(r.Context(), st, planned, queued)
	}
	done := planned.result(pictures, began, err)
	if !st.events {
		done.Pictures = pictures
	}
	s.end(r.Context(), st, r, done, err)
}

// drawAll draws what is planned, keeps the pictures, and sends each when it is done. They are returned in the plans'
// order.
func (s *studio) drawAll(
	ctx context.Context, st *stream, planned *work, job *queue.Job,
) ([]pictureAnswer, error) {
	st.send("accepted", planned.accepted(job))
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	done := make([]pictureAnswer, job.Pictures())
	for left := len(done); left > 0 && st.written == nil; {
		e, err := job.Next(alive.C)
		switch {
		case err != nil:
			return nil, err
		case e.Progress != nil:
			st.send("progress", e.Progress)
		case e.Picture == nil:
			st.alive()
		default:
			left--
			if done[e.Picture.Index], err = s.take(ctx, st, planned, e.Picture); err != nil {
				return nil, err
			}
		}
	}
	if planned.animation != nil && st.written == nil {
		a, err := s.animate(ctx, planned.animation)
		if err != nil {
			return nil, err
		}
		st.send("picture", a)
		done = []pictureAnswer{a}
	}
	return done, st.written
}

// take takes a picture that was drawn, and sends it.
func (s *studio) take(
	ctx context.Context, st *stream, planned *work, picture *draw.Picture,
) (pictureAnswer, error) {
	p := planned.plans[picture.Place]
	if planned.gains != nil {
		planned.gains.Add(picture)
	}
	// Nobody looks at single frames where there are no events.
	a, img, err := s.finish(ctx, p, picture, planned.animation == nil || st.events)
	switch {
	case err != nil:
		return a, err
	case planned.animation != nil:
		planned.animation.frames[picture.Index] = img
		st.send("frame", a)
	default:
		st.send("picture", a)
	}
	return a, nil
}

// finish makes a picture of what was drawn, redrawn where a style is asked for, and puts it into the gallery if it is
// to be kept.
func (s *studio) finish(
	ctx context.Context, p plan, picture *draw.Picture, kept bool,
) (a pictureAnswer, img image.Image, err error) {
	release, err := s.slot(ctx)
	if err != nil {
		return a, nil, err
	}
	defer release()
	if img, err = redraw(ctx, p.style, s.Models[p.recipe.Model].Image(picture)); err != nil || !kept {
		return a, img, err
	}
	a, err = s.keep(ctx, p, picture, img)
	return a, img, err
}

// slot waits until a picture may be stylised and encoded.
func (s *Server) slot(ctx context.Context) (release func(), err error) {
	select {
	case s.drawing <- struct{}{}:
		return func() { <-s.drawing }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// conversion is a slot for a request that makes another form of pictures. Few may wait for it: each holds a connection.
func (s *Server) conversion(ctx context.Context) (release func(), err error) {
	select {
	case s.converting <- struct{}{}:
	default:
		return nil, &problem{status: http.StatusTooManyRequests, retry: time.Second,
			Message: "too many pictures are being converted", Hint: "try again a little later"}
	}
	free, err := s.slot(ctx)
	if err != nil {
		<-s.converting
		return nil, err
	}
	return func() { free(); <-s.converting }, nil
}

// keep puts a picture into the gallery.
func (s *studio) keep(ctx context.Context, p plan, picture *draw.Picture, img image.Image) (pictureAnswer, error) {
	p.record.Record = p.record.With(picture)
	if p.record.ImageEmbed = picture.ImageEmbed; picture.Offset != nil {
		p.record.Offset = picture.Offset
	}
	kept := s.gallery
	if p.preview {
		kept = s.previews
	}
	record, err := kept.Put(p.record, img, s.Software)
	return pictureAnswer{Record: record, Index: picture.Index, PNG: pngPath(ctx, record.ID), Cut: p.cut}, err
}
