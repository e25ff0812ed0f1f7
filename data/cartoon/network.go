package cartoon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gomlx/compute"

	"illustrator/checkpoints"
	"illustrator/data/pictures"
	"illustrator/internal/fault"
	"illustrator/internal/yamlfile"
	"illustrator/models/features"
)

// networkConfig is the YAML file of a network: how pictures go in and come out.
type networkConfig struct {
	// Network is the path of an ONNX file, relative to the YAML file.
	Network string `yaml:"network"`
	// Layout is NCHW or NHWC, Channels RGB or BGR.
	Layout   string `yaml:"layout"`
	Channels string `yaml:"channels"`
	// Range holds the values of black and white before (x - mean) / std, in the network's order of channels; OutputRange
	// those of its output, to which mean and std don't apply.
	Range       [2]float64 `yaml:"range"`
	Mean        [3]float64 `yaml:"mean"`
	Std         [3]float64 `yaml:"std"`
	OutputRange [2]float64 `yaml:"output_range"`
	Output      string     `yaml:"output"` // name of the tensor; empty for the only one
	// SizeMultiple is what height and width must be multiples of: pictures are continued by their edges, then cut.
	SizeMultiple int `yaml:"size_multiple"`
	// MaxSide is the longer side in pixels that the network sees at most: larger pictures are scaled down, and the result
	// up.
	MaxSide int `yaml:"max_side"`
}

const configHint = "write, for example:\n" +
	"network: animegan.onnx\nlayout: NHWC\nchannels: RGB\nrange: [-1, 1]\noutput_range: [-1, 1]\nsize_multiple: 32"

// readNetworkConfig returns the file's bytes too.
func readNetworkConfig(path string) (c networkConfig, raw []byte, err error) {
	c = networkConfig{Layout: features.NCHW, Channels: features.RGB, Std: [3]float64{1, 1, 1}, SizeMultiple: 1,
		MaxSide: 1024}
	if raw, err = yamlfile.Read(path); err != nil {
		return c, nil, fault.Suggest(err, "give the path of a YAML file, or the name of a style")
	}
	if err := yamlfile.Decode(raw, &c); err != nil && !errors.Is(err, yamlfile.ErrEmpty) {
		return c, nil, fault.Usage(err, "%s", cmp.Or(fault.HintOf(err), configHint))
	}
	return c, raw, c.check()
}

func (c networkConfig) check() error {
	switch {
	case c.Network == "":
		return fault.Usage(errors.New(`network is ""`), configHint)
	case c.Layout != features.NCHW && c.Layout != features.NHWC:
		return fault.Field("layout", c.Layout, "NCHW (PyTorch's) or NHWC (TensorFlow's)")
	case c.Channels != features.RGB && c.Channels != features.BGR:
		return fault.Field("channels", c.Channels, "RGB or BGR")
	case c.SizeMultiple < 1 || c.SizeMultiple > 1024:
		return fault.Field("size_multiple", c.SizeMultiple, "from 1 to 1024")
	case c.MaxSide < 16 || c.MaxSide > 4096:
		return fault.Field("max_side", c.MaxSide, "from 16 to 4096 pixels")
	}
	for field, r := range map[string][2]float64{"range": c.Range, "output_range": c.OutputRange} {
		if !finite(r[:]) || r[0] == r[1] {
			return fault.Field(field, r, "the values of black and white, such as [-1, 1], [0, 1] or [0, 255]")
		}
	}
	if !finite(c.Mean[:]) || !finite(c.Std[:]) || slices.Contains(c.Std[:], 0) {
		return fault.Field("mean and std", fault.Words(fmt.Sprint(c.Mean, c.Std)), "three numbers each, and std not 0")
	}
	return nil
}

func finite(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// network is an image-to-image network with its configuration.
type network struct {
	networkConfig
	sha256 string

	mu          sync.Mutex // one picture at a time
	redrawer    *features.Redrawer
	openBackend func() (compute.Backend, error)
}

func openNetwork(path string, openBackend func() (compute.Backend, error)) (*network, error) {
	c, raw, err := readNetworkConfig(path)
	if err != nil {
		return nil, err
	}
	file := c.Network
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(path), file)
	}
	r, err := features.OpenRedrawer(file, features.RedrawOptions{
		Layout: c.Layout, Channels: c.Channels, Range: c.Range, OutputRange: c.OutputRange, Mean: c.Mean, Std: c.Std,
		Output: c.Output,
	})
	if err != nil {
		return nil, err
	}
	return &network{networkConfig: c, sha256: checkpoints.SHA256(append([]byte(r.SHA256), raw...)), redrawer: r,
		openBackend: openBackend}, nil
}

// draw redraws a picture at a size.
func (n *network) draw(ctx context.Context, img image.Image, size image.Point) (*image.NRGBA, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.redrawer.Backend == nil {
		backend, err := n.openBackend()
		if err != nil {
			return nil, err
		}
		n.redrawer.Backend = backend
	}
	seen, w, h := n.sizes(size)
	c, _ := newCanvas(img, seen)
	pixels := make([]float32, 0, 3*w*h)
	for k := range c {
		for y := range h {
			row := c[k].v[min(y, seen.Y-1)*seen.X:]
			for x := range w {
				pixels = append(pixels, 2*row[min(x, seen.X-1)]-1)
			}
		}
	}
	picture, err := n.redraw(ctx, pixels, h, w)
	if err != nil {
		return nil, fmt.Errorf("network %q: %w", n.Network, err)
	}
	result := picture.Image().SubImage(image.Rectangle{Max: seen})
	if seen == size {
		return flatten(result), nil
	}
	return resize(flatten(result), size), nil
}

func (n *network) redraw(ctx context.Context, pixels []float32, h, w int) (p pictures.Picture, err error) {
	out, err := n.redrawer.Redraw(ctx, pixels, h, w)
	if err != nil {
		return p, err
	}
	all, err := pictures.Split(out, h, w)
	if err != nil {
		return p, err
	}
	return all[0], nil
}

// sizes returns the size that a picture of the given size is seen in, and that of what it is continued to.
func (n *network) sizes(size image.Point) (seen image.Point, w, h int) {
	most := image.Pt(n.MaxSide, n.MaxSide)
	if n.redrawer.Width > 0 {
		most.X = n.redrawer.Width
	}
	if n.redrawer.Height > 0 {
		most.Y = n.redrawer.Height
	}
	if seen = size; size.X > most.X || size.Y > most.Y {
		limit, side := most.X, size.X
		if most.Y*size.X < most.X*size.Y {
			limit, side = most.Y, size.Y
		}
		seen = image.Pt(max(1, size.X*limit/side), max(1, size.Y*limit/side))
	}
	multiple := func(v int) int { return (v + n.SizeMultiple - 1) / n.SizeMultiple * n.SizeMultiple }
	return seen, cmp.Or(n.redrawer.Width, multiple(seen.X)), cmp.Or(n.redrawer.Height, multiple(seen.Y))
}
