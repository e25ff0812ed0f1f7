package gallery

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"illustrator/data/pictures"
	"illustrator/data/pictures/decode"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
)

const (
	// maxText bounds the characters of a text: the largest --max-text. The text of an animation is two of them.
	maxText = 2*2000 + 3
	// maxName bounds the bytes of a run's, a domain's, a network's or a style's name.
	maxName = 1024
	// maxList bounds the candidates of a picture: the largest --queue.
	maxList = 100_000
	// maxFPS and minFPS bound the speed of an animation.
	minFPS, maxFPS = 0.1, 50.0
)

// kinds lists the kinds of pictures.
func kinds() []Kind { return []Kind{Generated, Manipulated, Story, Uploaded, Interpolated} }

// validate returns an error for the first field of a record that no gallery writes beside a file with these facts. The
// settings of a drawing are not checked, nor do the sizes of the networks matter.
func (r Record) validate(facts pictures.PNGFacts) error {
	if !slices.Contains(kinds(), r.Kind) {
		return fmt.Errorf("kind %q is unknown", r.Kind)
	}
	if r.Width != facts.Width || r.Height != facts.Height {
		return fmt.Errorf("width and height are %d × %d, those of the picture %d × %d", r.Width, r.Height, facts.Width,
			facts.Height)
	}
	if r.Width < 1 || r.Height < 1 || r.Width > MaxPixels/r.Height/max(1, facts.Frames) {
		return fmt.Errorf("it has %d × %d pixels in %d frames; at most %d pixels are read", r.Width, r.Height,
			max(1, facts.Frames), MaxPixels)
	}
	if r.Seen != nil {
		if _, err := decode.Size(r.Seen, MaxPixels); err != nil {
			return fmt.Errorf("seen: %w", err)
		}
	}
	if err := r.validateFrames(facts.Frames); err != nil {
		return err
	}
	return firstError(r.validateTexts, r.validateNames, r.validateScores)
}

// validateFrames checks what an animation has and other pictures have not.
func (r Record) validateFrames(frames int) error {
	switch animated := r.Kind == Interpolated; {
	case animated && r.Frames < 2:
		return fault.Field("frames", r.Frames, "2 or more in an animation")
	case !animated && r.Frames != 0:
		return fault.Field("frames", r.Frames, "0 in a single picture")
	case r.Frames != frames:
		return fmt.Errorf("frames is %d; the file has %d", r.Frames, frames)
	case animated && !(r.FPS >= minFPS && r.FPS <= maxFPS):
		return fault.Field("fps", r.FPS, "from %g to %g", minFPS, maxFPS)
	case !animated && r.FPS != 0:
		return fault.Field("fps", r.FPS, "0 in a single picture")
	}
	return nil
}

func (r Record) validateTexts() error {
	for _, t := range []struct {
		field, text string
		required    bool
	}{{"text", r.Text.Text, true}, {"origin_text", r.OriginText, false}, {"target_text", r.TargetText, false}} {
		if t.text == "" && !t.required {
			continue
		}
		if _, err := texts.New(t.text); err != nil {
			return fmt.Errorf("%s: %w", t.field, err)
		}
		if n := utf8.RuneCountInString(t.text); n > maxText {
			return fmt.Errorf("%s has %d characters; at most %d are read", t.field, n, maxText)
		}
	}
	return nil
}

func (r Record) validateNames() error {
	for field, name := range map[string]string{
		"run": r.Run, "domain": r.Domain, "origin": r.Origin, "target": r.Target, "cartoon": r.Cartoon.Style,
		"cartoon_sha256": r.Cartoon.SHA256,
	} {
		if err := checkName(field, name); err != nil {
			return err
		}
	}
	if n := len(r.Networks); n > 100 {
		return fault.Field("networks_sha256", n, "at most 100 names")
	}
	for name, hash := range r.Networks {
		if err := firstError(func() error { return checkName("networks_sha256", name) },
			func() error { return checkName("networks_sha256", hash) }); err != nil {
			return err
		}
	}
	return nil
}

func checkName(field, name string) error {
	if len(name) > maxName {
		return fmt.Errorf("%s has %d bytes; at most %d are read", field, len(name), maxName)
	}
	if slices.Contains([]byte(name), 0) {
		return fmt.Errorf("%s holds a NUL character", field)
	}
	return nil
}

// validateScores checks what was measured: a similarity is a cosine.
func (r Record) validateScores() error {
	if n := len(r.Candidates); n > maxList {
		return fault.Field("candidates", n, "at most %d", maxList)
	}
	if s := r.Score; s != nil && (!cosine(s.CLIPSimilarity) || s.Found < 0 || s.Named < s.Found) {
		return fmt.Errorf("score is %+v", *s)
	}
	if i := slices.IndexFunc(r.Candidates, func(c draw.Candidate) bool { return !cosine(c.CLIPSimilarity) }); i >= 0 {
		return fmt.Errorf("candidates[%d].clip_similarity is %g", i, r.Candidates[i].CLIPSimilarity)
	}
	if f := r.Refined; f != nil && (!cosine(f.SimilarityBefore) || f.Steps < 0 || f.Steps > draw.DefaultLimits().Refine) {
		return fmt.Errorf("refined is %+v", *f)
	}
	return nil
}

// cosine reports whether x can be a cosine, with the error of float32.
func cosine(x float64) bool { return x >= -1.01 && x <= 1.01 }

// firstError returns the first error of several checks.
func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
