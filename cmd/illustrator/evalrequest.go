package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval"
	"illustrator/internal/fault"
	"illustrator/models/features"
	"illustrator/models/pipeline"
)

type evalOptions struct {
	drawFlags
	domain, mapper, textsFile, out    string
	metrics                           []string
	asJSON, pad                       bool
	referenceSamples                  int
	reference, clip, inception, lpips string

	run, pictures string // the argument is one of them, or there is none
	plan          draw.Plan
}

// request checks the options and turns them into the request, without judges that need a device.
func (e evalOptions) request(ctx context.Context, log *slog.Logger, s *session) (eval.Request, error) {
	r := eval.Request{Domain: s.domain.Name, Metrics: make([]eval.MetricName, len(e.metrics)), Seeds: e.plan.Seeds,
		Manner: e.plan.Manner}
	for i, name := range e.metrics {
		if err := r.Metrics[i].UnmarshalText([]byte(name)); err != nil {
			return r, err
		}
	}
	if err := e.readTexts(log, s, &r); err != nil {
		return r, err
	}
	var err error
	if r.Reference, err = eval.OpenReference(ctx, e.reference, e.referenceSamples); err != nil {
		return r, fmt.Errorf("--reference: %w", err)
	}
	if e.clip != "" {
		if r.Judges.CLIP, err = pipeline.OpenCLIP(nil, e.clip); err != nil {
			return r, fmt.Errorf("--clip: %w", err)
		}
		r.Judges.CLIP.Preprocessor.Pad = e.pad
		r.Judges.CLIPName = filepath.Base(e.clip)
	}
	if e.lpips != "" {
		r.Judges.LPIPS = new(features.Distance) // openJudges opens it
	}
	return r, e.openMapper(ctx, s, &r)
}

// openMapper loads the mapper and the prompts that pictures are drawn with.
func (e evalOptions) openMapper(ctx context.Context, s *session, r *eval.Request) error {
	if e.pictures != "" {
		return nil
	}
	model, err := s.loadModel(ctx, mapperOptions{run: e.run, mapper: e.mapper}, r.NoProjection)
	r.Prompts = model.Prompts
	return err
}

// readTexts sets the texts, and the files of pictures.
func (e evalOptions) readTexts(log *slog.Logger, s *session, r *eval.Request) (err error) {
	var given, known []texts.Text
	if e.textsFile != "" {
		if given, err = texts.Gather(nil, e.textsFile); err != nil {
			return err
		}
	}
	if s.domain.Descriptions != "" {
		if known, err = s.domain.Texts(); err != nil {
			return err
		}
	}
	switch {
	case e.pictures != "":
		var pairing string
		if r.Texts, r.Files, pairing, err = eval.ReadFolder(e.pictures, given, known); pairing != "" {
			log.Info(pairing)
		}
		return err
	case given != nil:
		r.Texts = given
	case known != nil:
		r.Texts = known
	default:
		return fault.Usage(fmt.Errorf("domain %s has no descriptions", s.domain.Name), "give --texts FILE")
	}
	return nil
}

// openJudges opens the networks that need the device.
func (e evalOptions) openJudges(s *session, r *eval.Request) (err error) {
	backend := s.networks.Backend
	if r.Judges.CLIP != nil {
		r.Judges.CLIP.Backend = backend
	}
	if e.inception != "" {
		if r.Judges.Inception, err = features.Open(backend, e.inception); err != nil {
			return fmt.Errorf("--inception: %w", err)
		}
	}
	if e.lpips != "" {
		if r.Judges.LPIPS, err = features.OpenDistance(backend, e.lpips); err != nil {
			return fmt.Errorf("--lpips: %w", err)
		}
	}
	return nil
}
