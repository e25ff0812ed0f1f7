package clip

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// PreprocessorFile is Hugging Face's description of how picture files become a CLIP's input.
const PreprocessorFile = "preprocessor_config.json"

// Preprocessor is transformers' CLIPImageProcessor: pictures of any size, from files, become CLIP's input. Preprocess
// does the same for generated pictures, by the official release's area filter.
type Preprocessor struct {
	// ShortestEdge is the length of the shorter side after resizing; 0 resizes to Width × Height, whatever the sides'
	// ratio.
	ShortestEdge  int
	Width, Height int
	// Filter is that of the resizing, by Pillow's number.
	Filter Filter
	// Crop takes the middle square of Size × Size pixels.
	Crop bool
	Size int
	// Pad lays a picture in the middle of a white square before, so that nothing is cropped.
	Pad bool
}

// DefaultPreprocessor returns CLIPImageProcessor's settings for a vision transformer of the given size without a file.
func DefaultPreprocessor(size int) Preprocessor {
	return Preprocessor{ShortestEdge: size, Filter: Bicubic, Crop: true, Size: size}
}

// String describes the preprocessor in words.
func (p Preprocessor) String() string {
	filter := [...]string{"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"}[min(p.Filter, Hamming)]
	size := fmt.Sprintf("%d × %d", p.Width, p.Height)
	if p.ShortestEdge > 0 {
		size = fmt.Sprintf("a shortest edge of %d", p.ShortestEdge)
	}
	crop := ""
	if p.Crop {
		crop = fmt.Sprintf(" and cropped to %d × %d", p.Size, p.Size)
	}
	return fmt.Sprintf("picture files are resized to %s (%s)%s", size, filter, crop)
}

// OpenPreprocessor reads preprocessor_config.json of a CLIP's folder; without the file it is DefaultPreprocessor. What
// the graph cannot follow is an error.
func OpenPreprocessor(folder *checkpoints.Folder, cfg Config) (Preprocessor, error) {
	if !folder.Has(PreprocessorFile) {
		return DefaultPreprocessor(cfg.Vision.ImageSize), nil
	}
	raw, err := folder.ReadFile(PreprocessorFile)
	if err != nil {
		return Preprocessor{}, fmt.Errorf("CLIP %q: %w", folder.Location(), err)
	}
	p, err := DecodePreprocessor(raw, cfg.Vision.ImageSize)
	if err != nil {
		err = fault.Hint(fmt.Errorf("CLIP %q: %s: %w", folder.Location(), PreprocessorFile, err),
			"the file must describe a CLIPImageProcessor for this network")
	}
	return p, err
}

// DecodePreprocessor reads a preprocessor_config.json for a vision transformer of the given size.
func DecodePreprocessor(raw []byte, size int) (Preprocessor, error) {
	yes := true
	file := struct {
		Resize    *bool     `json:"do_resize"`
		Size      sides     `json:"size"`
		Resample  *Filter   `json:"resample"`
		Crop      *bool     `json:"do_center_crop"`
		CropSize  sides     `json:"crop_size"`
		Rescale   *bool     `json:"do_rescale"`
		Factor    *float64  `json:"rescale_factor"`
		Normalize *bool     `json:"do_normalize"`
		Mean      []float64 `json:"image_mean"`
		Std       []float64 `json:"image_std"`
	}{}
	if err := json.Unmarshal(raw, &file); err != nil {
		return Preprocessor{}, err
	}
	for name, on := range map[string]*bool{"do_resize": file.Resize, "do_rescale": file.Rescale,
		"do_normalize": file.Normalize} {
		if on != nil && !*on {
			return Preprocessor{}, fmt.Errorf("%s is false, which is not supported", name)
		}
	}
	if f := file.Factor; f != nil && math.Abs(*f*255-1) > 1e-6 {
		return Preprocessor{}, fmt.Errorf("rescale_factor is %g; expected 1/255", *f)
	}
	for name, c := range map[string]struct{ got, want []float64 }{"image_mean": {file.Mean, Mean[:]},
		"image_std": {file.Std, Std[:]}} {
		if c.got != nil && !alike(c.got, c.want) {
			return Preprocessor{}, fmt.Errorf("%s is %v; expected %v", name, c.got, c.want)
		}
	}
	p := DefaultPreprocessor(size)
	if file.Crop == nil {
		file.Crop = &yes
	}
	if p.Crop = *file.Crop; file.Resample != nil {
		p.Filter = *file.Resample
	}
	if file.Size != (sides{}) {
		p.ShortestEdge, p.Width, p.Height = file.Size.ShortestEdge, file.Size.Width, file.Size.Height
	}
	return p, p.check(file.CropSize)
}

// check returns an error if the result is not Size × Size pixels.
func (p Preprocessor) check(crop sides) error {
	if crop.ShortestEdge != 0 { // a plain number
		crop = sides{Width: crop.ShortestEdge, Height: crop.ShortestEdge}
	}
	square := sides{Width: p.Size, Height: p.Size}
	switch {
	case p.Filter > Hamming:
		return fmt.Errorf("resample is %d; expected 0 to %d, Pillow's filters", p.Filter, Hamming)
	case p.ShortestEdge < 0 || p.ShortestEdge > maxPixels || p.Width < 0 || p.Width > maxPixels || p.Height < 0 ||
		p.Height > maxPixels,
		p.ShortestEdge == 0 && (p.Width == 0 || p.Height == 0):
		return fmt.Errorf("size is %d, %d × %d; expected from 1 to %d", p.ShortestEdge, p.Width, p.Height, maxPixels)
	case p.Crop && crop != (sides{}) && crop != square:
		return fmt.Errorf("crop_size is %d × %d; the network takes %d × %d", crop.Width, crop.Height, p.Size, p.Size)
	case !p.Crop && (p.ShortestEdge != 0 || p.Width != p.Size || p.Height != p.Size):
		return fmt.Errorf("do_center_crop is false and size is not %d × %d, which the network takes", p.Size, p.Size)
	}
	return nil
}

func alike(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-6 {
			return false
		}
	}
	return true
}

// sides is a size in a file: {"height", "width"}, {"shortest_edge"}, or a number, which is read as the latter.
type sides struct {
	ShortestEdge int `json:"shortest_edge"`
	Width        int `json:"width"`
	Height       int `json:"height"`
}

func (s *sides) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &s.ShortestEdge) == nil {
		return nil
	}
	type plain sides
	if err := json.Unmarshal(raw, (*plain)(s)); err != nil {
		return errors.New(`a size is a number, {"shortest_edge"} or {"height", "width"}`)
	}
	return nil
}

// Fit returns a picture as CLIP's input before the normalisation of colours: [3,Size,Size] in [-1,1], equal to
// CLIPImageProcessor's within 1/255. Transparent parts are laid over white.
func (p Preprocessor) Fit(img image.Image) []float32 { return planar(p.FitImage(img, p.Size)) }

// FitImage is Fit for a square of another size, as a picture.
func (p Preprocessor) FitImage(img image.Image, size int) *image.NRGBA {
	flat := overWhite(img)
	canvas := flat.Rect
	if p.Pad {
		side := max(canvas.Dx(), canvas.Dy())
		canvas = image.Rect(0, 0, side, side).Sub(image.Pt((side-canvas.Dx())/2, (side-canvas.Dy())/2))
	}
	scale := func(v int) int { return max(1, v*size/p.Size) }
	w, h := scale(p.Width), scale(p.Height)
	if p.ShortestEdge > 0 { // transformers' get_resize_output_image_size
		w, h = scale(p.ShortestEdge), scale(p.ShortestEdge)
		if b := canvas; b.Dx() < b.Dy() {
			h = h * b.Dy() / b.Dx()
		} else {
			w = w * b.Dx() / b.Dy()
		}
	}
	left, top := (w-size)>>1, (h-size)>>1 // negative where the crop is larger: it is filled with black, as in transformers
	return resampled(flat, canvas, w, h, p.Filter, image.Rect(left, top, left+size, top+size))
}

// overWhite lays a picture over white.
func overWhite(img image.Image) *image.NRGBA {
	b := img.Bounds()
	flat := image.NewRGBA(image.Rectangle{Max: b.Size()}) // which draw has fast ways to
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, img, b.Min, draw.Over)
	return &image.NRGBA{Pix: flat.Pix, Stride: flat.Stride, Rect: flat.Rect} // the same, since it is opaque
}

// planar returns the colours as [3,H,W] in [-1,1].
func planar(img *image.NRGBA) []float32 {
	plane := len(img.Pix) / 4
	out := make([]float32, 3*plane)
	for i := range plane {
		for c := range 3 {
			out[c*plane+i] = float32(img.Pix[4*i+c])/255*2 - 1
		}
	}
	return out
}
