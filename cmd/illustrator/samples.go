package main

import (
	"context"
	"fmt"
	"image"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// newSampler returns a function that draws the training's texts, by the domain's alpha and with constant noise, so that
// only the mapper changes from one sheet to the next.
func (o *globalOptions) newSampler(ctx context.Context, s *session, training *train.Training) (func(context.Context, int) error, error) {
	var descriptions []texts.Text
	var labels []string
	for i, line := range training.Config.Validation.Texts {
		text, err := texts.New(line)
		if err != nil {
			return nil, fmt.Errorf("train.validation.texts[%d]: %w", i, err)
		}
		descriptions, labels = append(descriptions, text), append(labels, text.Text)
	}
	prompts, err := s.loadPrompts(string(training.Folder))
	if err != nil {
		return nil, err
	}
	embeds, err := o.embedTexts(ctx, s, descriptions, false)
	if err != nil {
		return nil, err
	}
	if embeds, err = s.networks.Project(ctx, embeds, prompts.Prompts, s.domain.Alpha); err != nil {
		return nil, err
	}
	if err := terminal.CreateFolder(training.Folder.Samples()); err != nil {
		return nil, err
	}
	return func(ctx context.Context, step int) error {
		images, err := s.draw(ctx, training, embeds)
		if err != nil {
			return err
		}
		sheet, err := pictures.Grid(images, labels, min(len(images), 8), pictures.GridOptions{Title: fmt.Sprintf("After %d steps", step)})
		if err != nil {
			return err
		}
		return pictures.WritePNG(training.Folder.Sample(step), sheet, nil)
	}, nil
}

// draw draws what the mapper, as it stands, makes of image embeddings [N,E].
func (s *session) draw(ctx context.Context, training *train.Training, imageEmbeds []float32) ([]image.Image, error) {
	z, err := training.Predict(imageEmbeds)
	if err != nil {
		return nil, err
	}
	styles, err := s.networks.Styles(ctx, z, 1)
	if err != nil {
		return nil, err
	}
	images, err := s.networks.Render(ctx, styles, pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst})
	if err != nil {
		return nil, err
	}
	size := s.networks.Generator.Size
	drawn, err := pictures.Split(images, size, size)
	if err != nil {
		return nil, err
	}
	pictures := make([]image.Image, len(drawn))
	for i, p := range drawn {
		pictures[i] = p.Image()
	}
	return pictures, nil
}
