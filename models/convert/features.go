package convert

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/inception"
	"illustrator/models/lpips"
)

// fidLogits counts the classes of FID's Inception-v3. torchvision's own, of other weights, has 1000.
const fidLogits = 1008

// loadInception reads the state dict of FID's Inception-v3. Its last layer is left out: features end before it.
func (s *source) loadInception() (*network, error) {
	w, err := s.weights()
	if err != nil {
		return nil, err
	}
	logits, err := dim(w, "fc.weight", 2, 0)
	if err != nil {
		return nil, err
	}
	if logits != fidLogits {
		return nil, fault.Hint(fmt.Errorf("%s: it has %d classes; FID's network has %d", w.Source, logits, fidLogits),
			"features of other weights give another FID: take pytorch-fid's or torch-fidelity's "+
				"pt_inception-2015-12-05-6726825d.pth")
	}
	n := &network{weights: w, dropped: dropCounters(w)}
	remove(w, func(name string) bool { return strings.HasPrefix(name, "fc.") })
	n.dropped = append(n.dropped, "the layer of logits (fc), which features end before")
	cfg := inception.Config{ModelType: inception.ModelType}
	first, err := dim(w, "Conv2d_1a_3x3.conv.weight", 4, 0)
	if err != nil {
		return nil, err
	}
	cfg.FeatureDim = first * inception.FeatureDim / 32
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Source, err)
	}
	if err := w.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	n.config = cfg
	n.describe = fmt.Sprintf("features of %d; pictures of %d×%d pixels (%s)", cfg.FeatureDim, inception.ImageSize,
		inception.ImageSize, inception.Resize)
	return n, nil
}

// sliceName is a layer's name in the package lpips, which cuts torchvision's features into
// slices and keeps their indices.
var sliceName = regexp.MustCompile(`^net\.slice\d+\.(\d+\.(?:weight|bias))$`)

// The first layer tells AlexNet, which looks at 11×11 pixels, from VGG16, which looks at 3×3.
const (
	firstLayer = "features.0.weight"
	alexKernel = 11
)

// loadLPIPS reads torchvision's AlexNet or VGG16, and adds the published linear layers, or the whole of an lpips.LPIPS,
// which has its own.
func (s *source) loadLPIPS() (*network, error) {
	w, err := s.weights()
	if err != nil {
		return nil, err
	}
	n := &network{weights: w}
	if s.kind == LPIPSWhole {
		n.dropped = renameLPIPS(w)
	}
	cfg := lpips.Config{ModelType: lpips.ModelType, Net: lpips.VGG}
	if cfg.Channels, err = dim(w, firstLayer, 4, 0); err != nil {
		return nil, err
	}
	if w.Tensors[firstLayer].Shape[2] == alexKernel {
		cfg.Net = lpips.Alex
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Source, err)
	}
	if s.kind == LPIPSNetwork {
		if k := remove(w, func(name string) bool { return !strings.HasPrefix(name, "features.") }); k > 0 {
			n.dropped = append(n.dropped, fmt.Sprintf("%d tensors of the layers behind the features", k))
		}
		linear, err := lpips.Linear(cfg.Net)
		if err != nil {
			return nil, err
		}
		maps.Copy(w.Tensors, linear.Tensors)
	}
	if err := w.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	n.config = cfg
	n.describe = fmt.Sprintf("LPIPS 0.1 on %s; pictures of at least %d×%d pixels", cfg.Net, cfg.MinSize(), cfg.MinSize())
	return n, nil
}

// renameLPIPS gives the tensors of an lpips.LPIPS torchvision's names and takes out what
// is there twice or is a constant.
func renameLPIPS(w *checkpoints.Weights) (dropped []string) {
	for _, name := range w.Names() {
		if parts := sliceName.FindStringSubmatch(name); parts != nil {
			w.Tensors["features."+parts[1]] = w.Tensors[name]
			delete(w.Tensors, name)
		}
	}
	if n := remove(w, func(name string) bool { return strings.HasPrefix(name, "lins.") }); n > 0 {
		dropped = append(dropped, fmt.Sprintf("%d tensors lins.…, the linear layers under a second name", n))
	}
	if n := remove(w, func(name string) bool { return strings.HasPrefix(name, "scaling_layer.") }); n > 0 {
		dropped = append(dropped, "the constants of scaling_layer")
	}
	return dropped
}
