package serve

import (
	"context"
	"fmt"
	"image"
	"maps"
	"net/http"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/serve/gallery"
)

// What an interpolation has where a request says nothing, as illustrator interpolate.
const (
	minSteps   = 2 // both ends
	mostUsual  = 8
	defaultFPS = 8.0
)

// mostSteps limits the frames of an interpolation: as many pictures as a request may ask for, if a gallery
// holds them.
func (s *studio) mostSteps() int {
	side := s.Models[0].Generator.Size
	side *= scale(side)
	return max(minSteps, min(s.Limits.Pictures, gallery.MaxPixels/(side*side)))
}

func (s *studio) defaultSteps() int { return min(mostUsual, s.mostSteps()) }

type interpolateRequest struct {
	From end `json:"from"`
	To   end `json:"to"`
	// Run draws the texts, and maps uploaded pictures.
	Run string `json:"run"`
	// Steps is the number of frames, both ends included, FPS how many are shown a second.
	Steps *int     `json:"steps"`
	FPS   *float64 `json:"fps"`
	// Seed is that of the noise of all frames, and of the texts' pictures. It is From's, if that is a picture, where it is
	// left out.
	Seed          *uint64  `json:"seed"`
	Alpha         *float64 `json:"alpha"`
	TruncationPsi *float64 `json:"truncation_psi"`
	Cartoon       string   `json:"cartoon"`
}

// spec holds the settings of texts at the ends.
func (q interpolateRequest) spec() draw.Spec {
	return draw.Spec{Settings: draw.Settings{Alpha: q.Alpha, TruncationPsi: q.TruncationPsi, Seed: q.Seed}}
}

// end is one end of an interpolation: a text, or a picture of the gallery.
type end struct {
	Text    string `json:"text"`
	Picture string `json:"picture"`
}

// animation collects frames.
type animation struct {
	frames []image.Image
	record gallery.Record
}

// planInterpolate plans the frames on the straight line in W between two pictures.
func (s *studio) planInterpolate(q interpolateRequest) (*work, error) {
	steps, fps := s.defaultSteps(), defaultFPS
	if q.Steps != nil {
		steps = *q.Steps
	}
	if q.FPS != nil {
		fps = *q.FPS
	}
	if most := s.mostSteps(); steps < minSteps || steps > most {
		return nil, badField("steps", fmt.Sprintf("it is %d", steps),
			fmt.Sprintf("an interpolation has %d to %d frames, both ends included", minSteps, most))
	}
	if err := checkRange("fps", fps, 0.1, 50); err != nil {
		return nil, err
	}
	model, err := s.model("run", q.Run)
	if err != nil {
		return nil, err
	}
	p, err := s.Models[model].Plan(q.spec(), s.limits())
	if err != nil {
		return nil, err
	}
	text := p.Recipes(model, texts.Text{})[0]
	from, first, err := s.readEnd("from", q.From, text)
	if err != nil {
		return nil, err
	}
	to, last, err := s.readEnd("to", q.To, text)
	if err != nil {
		return nil, err
	}
	if q.Seed == nil {
		text.Seed = from.Seed
	}
	text.Model, text.Text.Text = from.Model, first.Text.Text+" → "+last.Text.Text
	shown, err := s.plan(text, q.Cartoon)
	if err != nil {
		return nil, err
	}
	r := &shown.record
	r.Kind, r.Frames, r.FPS = gallery.Interpolated, steps, fps
	r.Origin, r.OriginText, r.Target, r.TargetText = first.ID, first.Text.Text, last.ID, last.Text.Text
	return s.frames(shown, &draw.Way{From: from, To: to}, steps), nil
}

// readEnd returns the recipe of the picture at an end, and its record, of which a text has the text alone. text is the
// recipe of texts.
func (s *studio) readEnd(field string, e end, text draw.Recipe) (r draw.Recipe, record gallery.Record, err error) {
	if (e.Text == "") == (e.Picture == "") {
		return r, record, badField(field, "it must have a text or a picture",
			`give {"text": "a description"} or {"picture": "an id of the gallery"}`)
	}
	if e.Picture != "" {
		record, r, err = s.begin(field, e.Picture, text.Model, "")
		return r, record, err
	}
	words, problem := s.checkText(field, e.Text)
	if problem != nil {
		return r, record, problem
	}
	text.Text, record.Text = words, words
	return text, record, nil
}

// frames plans the frames of a way as previews: what is kept is the animation.
func (s *studio) frames(p plan, way *draw.Way, steps int) *work {
	a := &animation{frames: make([]image.Image, steps), record: p.record}
	if way.To.Model != way.From.Model {
		a.record.Networks = maps.Clone(a.record.Networks)
		a.record.Networks["to-mapper"] = s.Models[way.To.Model].Hashes["mapper"]
	}
	planned := &work{animation: a}
	for _, step := range way.Steps(steps, p.record.Seed) {
		next := p
		next.preview, next.record.Frames, next.recipe = true, 0, step
		planned.plans = append(planned.plans, next)
	}
	return planned
}

// animate keeps the frames as one animation.
func (s *studio) animate(ctx context.Context, a *animation) (pictureAnswer, error) {
	release, err := s.slot(ctx)
	if err != nil {
		return pictureAnswer{}, err
	}
	defer release()
	record, err := s.gallery.PutAnimation(a.record, a.frames, s.Software)
	return answer(ctx, record, 0), err
}

// getGIF answers with an animation as GIF, which every program shows.
func (s *studio) getGIF(w http.ResponseWriter, r *http.Request) {
	s.convert(w, r, "image/gif", ".gif", func(record gallery.Record, frames []image.Image) ([]byte, error) {
		size, err := factor(r, record)
		if err != nil {
			return nil, err
		}
		enlarge(frames, size, nil)
		return pictures.EncodeAnimation(".gif", frames, record.Delay(), nil)
	})
}

// getStrip answers with the frames of an animation side by side.
func (s *studio) getStrip(w http.ResponseWriter, r *http.Request) {
	s.convert(w, r, "image/png", "-strip.png", func(record gallery.Record, frames []image.Image) ([]byte, error) {
		labels := make([]string, len(frames))
		labels[0], labels[len(labels)-1] = record.OriginText, record.TargetText
		strip, err := pictures.Strip(frames, labels, nil)
		if err != nil {
			return nil, err
		}
		return pictures.EncodePNG(strip, []pictures.Meta{{Key: "Description", Value: record.Text.Text},
			{Key: "Software", Value: s.Software}})
	})
}

// convert answers with another form of an animation, which is made when it is asked for.
func (s *studio) convert(w http.ResponseWriter, r *http.Request, contentType, extension string,
	encode func(gallery.Record, []image.Image) ([]byte, error)) {
	of, record, err := s.find(r.PathValue("id"))
	if err == nil && record.Frames < minSteps {
		err = &problem{status: http.StatusNotFound, Message: "the picture is not an animation",
			Hint: "make one with POST /api/v1/interpolate"}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	file, err := s.encode(r.Context(), of, record, encode)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.sendFile(w, r, contentType, fileName(record, extension), file)
}

func (s *studio) encode(ctx context.Context, of *gallery.Gallery, record gallery.Record,
	encode func(gallery.Record, []image.Image) ([]byte, error)) ([]byte, error) {
	release, err := s.conversion(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	frames, err := of.Animation(record.ID)
	if err != nil {
		return nil, err
	}
	return encode(record, frames)
}
