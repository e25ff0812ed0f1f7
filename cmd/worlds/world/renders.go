// Package world makes a domain's networks from its renderer, in stages that resume: renders, classifier, mapping
// network, synthesis network, CLIP, and the folders that the toolkit opens.
package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"illustrator/cmd/worlds/scene"
	"illustrator/internal/fault"
	"illustrator/models/host"
)

// Renders are the pictures of a domain that its networks are trained on: picture i shows sample i of the seed. The
// file holds size·size·3 bytes a picture, red, green and blue, one picture after the other.
type Renders struct {
	Domain scene.Domain
	Latent *scene.Latent
	Seed   uint64
	Size   int // height and width of a picture in pixels
	Count  int

	file *os.File
}

// Render draws the pictures into the file at path, from where an interrupted process left it, and opens it.
func Render(ctx context.Context, d scene.Domain, seed uint64, size, count int, path string,
	progress func(stage string, total int) host.Progress) (*Renders, error) {
	latent, err := scene.NewLatent(d)
	if err != nil {
		return nil, err
	}
	r := &Renders{Domain: d, Latent: latent, Seed: seed, Size: size, Count: count}
	if r.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, err
	}
	if err := r.draw(ctx, progress); err != nil {
		return nil, errors.Join(fmt.Errorf("render %s: %w", d.Name(), err), r.Close())
	}
	return r, nil
}

// Close closes the file.
func (r *Renders) Close() error { return r.file.Close() }

func (r *Renders) bytes() int { return r.Size * r.Size * 3 }

// renderBlock is the number of pictures that are drawn and written together.
const renderBlock = 256

// draw appends the pictures that the file lacks. A picture that was cut is drawn again.
func (r *Renders) draw(ctx context.Context, progress func(stage string, total int) host.Progress) error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	done := min(int(info.Size())/r.bytes(), r.Count)
	if err := r.check(min(done, picturesChecked)); err != nil {
		return err
	}
	if done == r.Count {
		return nil
	}
	shown := progress("rendering "+r.Domain.Name(), r.Count)
	defer shown.Done()
	block := make([]byte, renderBlock*r.bytes())
	for ; done < r.Count; done += renderBlock {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		count := min(renderBlock, r.Count-done)
		parallel(count, func(i int) {
			sample := r.Latent.Sample(r.Seed, done+i)
			copyRGB(block[i*r.bytes():(i+1)*r.bytes()], r.Domain.Render(sample.Scene, r.Size))
		})
		if _, err := r.file.WriteAt(block[:count*r.bytes()], int64(done)*int64(r.bytes())); err != nil {
			return err
		}
		shown.Set(done+count, "")
	}
	return r.file.Sync()
}

// picturesChecked is the number of pictures of a file that are compared with the renderer.
const picturesChecked = 8

// check draws the first count pictures again. A file of another renderer, or of another seed, is an error.
func (r *Renders) check(count int) error {
	rows := make([]int, count)
	for i := range rows {
		rows[i] = i
	}
	pictures, err := r.Pictures(rows)
	if err != nil {
		return err
	}
	again := make([]byte, r.bytes())
	for i := range rows {
		copyRGB(again, r.Domain.Render(r.Sample(i).Scene, r.Size))
		if !bytes.Equal(again, pictures[i*r.bytes():(i+1)*r.bytes()]) {
			return fault.Hint(fmt.Errorf("%s: picture %d is not what the renderer draws: the renderer or the seed changed",
				r.file.Name(), i), "remove %s, which holds what was made of these pictures, or use another --out",
				filepath.Dir(r.file.Name()))
		}
	}
	return nil
}

// copyRGB copies the colors of an opaque picture.
func copyRGB(into []byte, picture *image.NRGBA) {
	at, size := 0, picture.Rect.Size()
	for y := range size.Y {
		row := picture.Pix[y*picture.Stride:]
		for x := range size.X {
			copy(into[at:at+3], row[4*x:])
			at += 3
		}
	}
}

// parallel calls f for 0 … n-1 on all processors and waits.
func parallel(n int, f func(i int)) {
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	group.Wait()
}

// Pictures reads the pictures rows, one after the other.
func (r *Renders) Pictures(rows []int) ([]uint8, error) {
	pictures := make([]uint8, len(rows)*r.bytes())
	for i, row := range rows {
		if _, err := r.file.ReadAt(pictures[i*r.bytes():(i+1)*r.bytes()], int64(row)*int64(r.bytes())); err != nil {
			return nil, fmt.Errorf("read %s, picture %d: %w", r.file.Name(), row, err)
		}
	}
	return pictures, nil
}

// Sample returns the sample that picture row shows.
func (r *Renders) Sample(row int) scene.Sample { return r.Latent.Sample(r.Seed, row) }

// Z returns the latents [len(rows), Z] of pictures.
func (r *Renders) Z(rows []int) []float32 {
	z := make([]float32, 0, len(rows)*scene.ZDim)
	for _, row := range rows {
		z = append(z, r.Sample(row).Z...)
	}
	return z
}

// Values returns the attributes' values [len(rows), A] of pictures, -1 where a picture does not show one.
func (r *Renders) Values(rows []int) []int32 {
	var values []int32
	for _, row := range rows {
		values = append(values, r.visible(r.Sample(row).Scene)...)
	}
	return values
}

// visible returns the attributes' values of a scene, -1 where a picture of it does not show one.
func (r *Renders) visible(s scene.Scene) []int32 {
	values := make([]int32, len(s.Values))
	for k, v := range s.Values {
		values[k] = int32(v)
		if !r.Domain.Visible(s, k) {
			values[k] = -1
		}
	}
	return values
}
