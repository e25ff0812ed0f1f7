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

// Sources embeds [N,E] an array file of pictures [N,3,H,W], or picture files and folders of them. The device is started
// when they are found.
func Sources(ctx context.Context, env host.Env, n *pipeline.Networks, sources ...string) ([]float32, error) {
	if len(sources) == 1 && arrays.IsSource(sources[0]) {
		a, err := arrays.ReadSource(sources[0], "images")
		if err == nil {
			err = checkArray(sources[0], a)
		}
		if err == nil {
			err = env.Start(n)
		}
		if err != nil {
			return nil, err
		}
		return n.EmbedImages(ctx, a.Data, a.Shape[2], a.Shape[3])
	}
	paths, err := pictures.Find(ctx, sources...)
	if err == nil {
		err = env.Start(n)
	}
	if err != nil {
		return nil, err
	}
	bar := env.Progress("Embedding pictures", len(paths))
	defer bar.Done()
	return files(ctx, n, paths, func(done int) { bar.Set(done, "") })
}

// files embeds picture files [N,E], each fitted by the CLIP's preprocessor when it is read: they may differ in size,
// and be more than memory holds. It calls progress with the number of finished files after each batch.
func files(ctx context.Context, n *pipeline.Networks, paths []string, progress func(done int)) ([]float32, error) {
	size := n.CLIP.Vision.ImageSize
	var embeds, pixels []float32
	for i, path := range paths {
		img, err := pictures.ReadImage(ctx, path)
		if err != nil {
			return nil, err
		}
		if pixels = append(pixels, n.Preprocessor.Fit(img)...); (i+1)%batch != 0 && i+1 < len(paths) {
			continue
		}
		e, err := n.EmbedImages(ctx, pixels, size, size)
		if err != nil {
			return nil, err
		}
		embeds, pixels = append(embeds, e...), pixels[:0]
		progress(i + 1)
	}
	return embeds, nil
}

// checkArray returns an error unless the array at path holds pictures [N,3,H,W].
func checkArray(path string, a *arrays.Array) error {
	if len(a.Shape) != 4 || a.Shape[1] != 3 || len(a.Data) == 0 {
		return fault.Usage(fmt.Errorf("%s has shape %v", path, a.Shape), "pictures are [N,3,H,W] in [-1,1]")
	}
	return nil
}
