package runs

import (
	"context"
	"fmt"
	"image"
	"os"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
)

// newSampler returns a function that draws the training's texts, by the domain's alpha and with constant noise, so that
// only the mapper changes from one sheet to the next.
func (j *Job) newSampler(ctx context.Context, training *train.Training) (func(context.Context, int) error, error) {
	var labels []string
	for i, line := range training.Config.Validation.Texts {
		text, err := texts.New(line)
		if err != nil {
			return nil, fmt.Errorf("train.validation.texts[%d]: %w", i, err)
		}
		labels = append(labels, text.Text)
	}
	prompts, err := readPrompts(training.Folder, j.Networks)
	if err != nil {
		return nil, err
	}
	embeds, err := j.embed(ctx, labels)
	if err != nil {
		return nil, err
	}
	if embeds, err = j.Networks.Project(ctx, embeds, prompts.Prompts, j.Domain.Alpha); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(training.Folder.Samples(), 0o777); err != nil {
		return nil, err
	}
	return func(ctx context.Context, step int) error {
		images, err := j.draw(ctx, training, embeds)
		if err != nil {
			return err
		}
		sheet, err := pictures.Grid(
			images,
			labels,
			min(len(images), 8),
			pictures.GridOptions{Title: fmt.Sprintf("After %d steps", step)},
		)
		if err != nil {
			return err
		}
		return pictures.WritePNG(training.Folder.Sample(step), sheet, nil)
	}, nil
}

// draw draws the pictures that the mapper in its present state makes of image embeddings [N,E].
func (j *Job) draw(ctx context.Context, training *train.Training, imageEmbeds []float32) ([]image.Image, error) {
	z, err := training.Predict(imageEmbeds)
	if err != nil {
		return nil, err
	}
	styles, err := j.Networks.Styles(ctx, z, 1)
	if err != nil {
		return nil, err
	}
	images, err := j.Networks.Render(ctx, styles, pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst})
	if err != nil {
		return nil, err
	}
	size := j.Networks.Generator.Size
	made, err := pictures.Split(images, size, size)
	if err != nil {
		return nil, err
	}
	pictures := make([]image.Image, len(made))
	for i, p := range made {
		pictures[i] = p.Image()
	}
	return pictures, nil
}
