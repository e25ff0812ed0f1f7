package edit

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"illustrator/data/pictures"
	"illustrator/draw"
	"illustrator/internal/jsonfile"
)

// Way is the way from one picture to another.
type Way struct {
	From, To  string         // both ends, in words
	Steps     int            // pictures, both ends included
	PerSecond float64        // pictures of an animation
	Far       []draw.Novelty // ends that lie far from the domain's descriptions
	// Out is a .png file for a strip, an animation's file, or a folder for single pictures and a strip.
	Out string
}

// IsFile reports whether an Out is one file, not a folder.
func IsFile(out string) bool {
	ext := strings.ToLower(filepath.Ext(out))
	return ext == ".png" || slices.Contains(pictures.AnimationExtensions, ext)
}

// Interpolate draws and writes the pictures of a way between two sources, on a device that is started.
func (a Artist) Interpolate(ctx context.Context, w Way, from, to draw.Source) (err error) {
	var way draw.Way
	if way.From, err = a.Begin(ctx, from, a.Manner); err != nil {
		return err
	}
	if way.To, err = a.Begin(ctx, to, a.Manner); err != nil {
		return err
	}
	all, err := a.Draw(ctx, way.Steps(w.Steps, 0)...)
	if err != nil {
		return err
	}
	frames, err := a.images(ctx, all)
	if err != nil {
		return err
	}
	return a.write(w, frames)
}

// interpolationInfo is the JSON beside an interpolation.
type interpolationInfo struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	Steps int      `json:"steps"`
	Alpha *float64 `json:"alpha"` // of texts; null without projection
	drawnBy
	Far   []draw.Novelty `json:"far,omitempty"` // ends that lie far from the domain's descriptions
	Files []string       `json:"files"`
}

func (a Artist) write(w Way, frames []image.Image) error {
	info := interpolationInfo{
		From: w.From, To: w.To, Steps: w.Steps, Alpha: a.projectionAlpha(), drawnBy: a.drawnBy(),
		Far: w.Far, Files: []string{filepath.Base(w.Out)},
	}
	meta := a.meta(w.From+" → "+w.To, pictures.Meta{Key: "Steps", Value: fmt.Sprint(w.Steps)})
	strip, besides := w.Out, strings.TrimSuffix(w.Out, filepath.Ext(w.Out))+".json"
	switch ext := strings.ToLower(filepath.Ext(w.Out)); {
	case slices.Contains(pictures.AnimationExtensions, ext):
		if err := pictures.WriteAnimation(w.Out, frames, time.Duration(float64(time.Second)/w.PerSecond), meta); err != nil {
			return err
		}
		return jsonfile.Write(besides, info)
	case !IsFile(w.Out):
		if err := os.MkdirAll(w.Out, 0o777); err != nil {
			return err
		}
		strip, besides, info.Files = filepath.Join(
			w.Out,
			"strip.png",
		), filepath.Join(
			w.Out,
			"interpolation.json",
		), []string{
			"strip.png",
		}
		for i, frame := range frames {
			name := fmt.Sprintf("step%04d.png", i)
			if err := pictures.WritePNG(filepath.Join(w.Out, name), frame, meta); err != nil {
				return err
			}
			info.Files = append(info.Files, name)
		}
	}
	labels := make([]string, len(frames))
	labels[0], labels[len(labels)-1] = w.From, w.To
	sheet, err := pictures.Strip(frames, labels, nil)
	if err != nil {
		return err
	}
	if err := pictures.WritePNG(strip, sheet, meta); err != nil {
		return err
	}
	return jsonfile.Write(besides, info)
}
