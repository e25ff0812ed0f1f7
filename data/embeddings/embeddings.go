// Package embeddings embeds pictures with CLIP: files of any number and size, or an array.
package embeddings

import (
	"context"
	"fmt"

	"illustrator/data/arrays"
	"illustrator/data/pictures"
	"illustrator/internal/fault"
	"illustrator/models/host"
	"illustrator/models/pipeline"
)

// batch is the number of pictures that are embedded at once.
const batch = 32

// Sources embeds [N,E] an array file of pictures [N,3,H,W], or picture files and folders of them. Files that cannot be
// read are skipped, and have no row. The device is started when the files are found.
func Sources(ctx context.Context, env host.Env, n *pipeline.Networks,
	sources ...string) (embeds []float32, skipped []pictures.Skipped, err error) {
	if len(sources) == 1 && arrays.IsSource(sources[0]) {
		a, err := arrays.ReadSource(sources[0], "images")
		if err == nil {
			err = checkArray(sources[0], a)
		}
		if err == nil {
			err = env.Start(n)
		}
		if err != nil {
			return nil, nil, err
		}
		embeds, err = n.EmbedImages(ctx, a.Data, a.Shape[2], a.Shape[3])
		return embeds, nil, err
	}
	paths, err := pictures.Find(ctx, sources...)
	if err == nil {
		err = env.Start(n)
	}
	if err != nil {
		return nil, nil, err
	}
	bar := env.Progress("Embedding pictures", len(paths))
	defer bar.Done()
	return files(ctx, n, paths, func(done int) { bar.Set(done, "") })
}

// files embeds picture files [N,E], each fitted by the CLIP's preprocessor when it is read: they may differ in size,
// and be more than memory holds. It calls progress with the number of finished files after each batch.
func files(ctx context.Context, n *pipeline.Networks, paths []string,
	progress func(done int)) (embeds []float32, skipped []pictures.Skipped, err error) {
	size := n.CLIP.Vision.ImageSize
	var pixels []float32
	flush := func() error {
		if len(pixels) == 0 {
			return nil
		}
		e, err := n.EmbedImages(ctx, pixels, size, size)
		embeds, pixels = append(embeds, e...), pixels[:0]
		return err
	}
	fit := func(ctx context.Context, path string) ([]float32, error) {
		img, err := pictures.ReadImage(ctx, path)
		if err != nil {
			return nil, err
		}
		return n.Preprocessor.Fit(img), nil
	}
	add := func(_ string, picture []float32) error {
		if pixels = append(pixels, picture...); len(pixels) < batch*len(picture) {
			return nil
		}
		return flush()
	}
	skipped, err = pictures.Each(ctx, paths, fit, add, func(done int) {
		if len(pixels) == 0 {
			progress(done)
		}
	})
	if err == nil {
		err = flush()
	}
	progress(len(paths))
	return embeds, skipped, err
}

// checkArray returns an error unless the array at path holds pictures [N,3,H,W].
func checkArray(path string, a *arrays.Array) error {
	if len(a.Shape) != 4 || a.Shape[1] != 3 || len(a.Data) == 0 {
		return fault.Usage(fmt.Errorf("%s has shape %v", path, a.Shape), "pictures are [N,3,H,W] in [-1,1]")
	}
	for i, v := range a.Data {
		if v > maxValue || v < -maxValue {
			return fault.Usage(fmt.Errorf("%s: picture %d has the value %g", path, i/(len(a.Data)/a.Shape[0]), v),
				"pictures are [N,3,H,W] in [-1,1]: of values from 0 to 255 write x / 127.5 - 1")
		}
	}
	return nil
}

// maxValue is beyond what generators draw, which pass [-1,1] a little: bytes are not taken for colours.
const maxValue = 16
