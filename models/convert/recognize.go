package convert

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// openFile opens a PyTorch or safetensors file.
func (s *source) openFile() (err error) {
	s.torch, s.safetensors, err = openWeights(s.path)
	if err == nil && s.torch != nil && len(s.torch.Acting()) > 0 {
		s.dropped = append(s.dropped, fmt.Sprintf("calls of %s, which act on a machine that loads the file in Python; "+
			"nothing was executed here", strings.Join(s.torch.Acting(), ", ")))
	}
	return err
}

// openWeights opens a file, which its first bytes tell to be the one or the other. Where they tell nothing, a file that
// is called .safetensors is damaged safetensors.
func openWeights(path string) (*checkpoints.TorchFile, *checkpoints.Weights, error) {
	isSafetensors, err := checkpoints.IsSafetensors(path)
	if err != nil {
		return nil, nil, err
	}
	if !isSafetensors {
		torch, err := checkpoints.ReadTorch(path)
		if err == nil || filepath.Ext(path) != ".safetensors" {
			return torch, nil, err
		}
	}
	w, err := checkpoints.ReadSafetensors(path)
	return nil, w, err
}

// recognizeFile tells the layout of a file by what is in it, whatever its name.
func (s *source) recognizeFile() (err error) {
	if s.torch != nil {
		s.kind, err = s.recognizeKeys(s.torch)
	} else {
		s.kind, err = recognizeNames(s.safetensors.Names())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	if s.kind == CLIPOpenAI && exists(filepath.Join(filepath.Dir(s.path), openCLIPConfig)) {
		s.kind = CLIPOpenCLIP
	}
	return nil
}

// weights reads a file that is a state dict, or holds one.
func (s *source) weights() (*checkpoints.Weights, error) {
	if s.safetensors == nil {
		return s.tensors(s.stateDict(), "")
	}
	from := s.safetensors
	w := &checkpoints.Weights{Source: from.Source, Metadata: from.Metadata,
		Tensors: make(map[string]checkpoints.Tensor, len(from.Tensors))}
	for _, old := range from.Names() {
		name := unwrapped(old)
		if _, ok := w.Tensors[name]; ok {
			return nil, fault.Hint(fmt.Errorf("%s: two tensors are %q, one of them by the name %q", w.Source, name, old),
				"the file holds the weights twice: save one of them")
		}
		w.Tensors[name] = from.Tensors[old]
	}
	return w, nil
}

// stateDict is the dict of a PyTorch file that holds the network's tensors.
func (s *source) stateDict() *checkpoints.TorchDict {
	if s.state != nil {
		return s.state
	}
	return s.torch.TorchDict
}

// recognizeKeys tells the layout by the names in a checkpoint, or in its state dict.
func (s *source) recognizeKeys(file *checkpoints.TorchFile) (Kind, error) {
	if _, ok := file.Section(rosinalitySection); ok {
		return StyleGAN2Rosinality, nil
	}
	for _, section := range []string{stateSection, "model_state_dict", "model"} {
		if state, ok := file.Section(section); ok {
			if kind, err := recognizeNames(state.Keys()); err == nil {
				s.state = state
				return kind, nil
			}
		}
	}
	if module := nvidiaModule(file); module != nil {
		return StyleGAN2NVIDIA, checkNVIDIA(module)
	}
	kind, err := recognizeNames(file.Keys())
	if err == nil {
		return kind, nil
	}
	if w, headErr := file.Headers(""); headErr == nil {
		if released := recognizeReleased(w); released != "" {
			return released, nil
		}
	}
	for _, name := range file.Keys() {
		if class := file.Class(name); class != "" {
			err = fmt.Errorf("%w; %s is an object of the class %s, which is not read", err, name, class)
			break
		}
	}
	return kind, err
}

func anyHas(names []string, prefix string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) })
}

// recognizeNames tells the layout by the names in a plain state dict.
func recognizeNames(all []string) (Kind, error) {
	names := make([]string, len(all))
	for i, name := range all {
		names[i] = unwrapped(name)
	}
	for _, layout := range []struct {
		prefix string
		kind   Kind
	}{
		{mmgenPrefix, StyleGAN2MMGen}, {"style_mapping.", StyleGAN2MMGen},
		{nvidiaConst, StyleGAN2NVIDIA}, {nvidiaSection + "." + nvidiaConst, StyleGAN2NVIDIA},
		{rosinalitySection + ".", StyleGAN2Rosinality}, {"to_rgb1.conv.", StyleGAN2Rosinality},
		{"rrdb_blocks.", MapperDense},
		{"body.", MapperBaseline},
		{"0.weight", ClassifierSequential},
		{"Conv2d_1a_3x3.", InceptionFID},
		{"features.0.", LPIPSNetwork}, {"net.slice1.0.", LPIPSWhole},
		{"visual.conv1.", CLIPOpenAI},
	} {
		if anyHas(names, layout.prefix) {
			return layout.kind, nil
		}
	}
	var shown []string
	for _, name := range names[:min(len(names), 6)] {
		shown = append(shown, fmt.Sprintf("%.80s", name)) // a name may have megabytes
	}
	if len(names) > len(shown) {
		shown = append(shown, "…")
	}
	err := fmt.Errorf("its names (%s) are of no layout that is known", strings.Join(shown, ", "))
	if anyHas(names, "text_model.") {
		return "", fault.Hint(err, "it looks like a CLIP: name its folder (with config.json, vocab.json and merges.txt)")
	}
	if anyHas(names, "lin0.") {
		return "", fault.Hint(err,
			"these are LPIPS's linear layers, which are built in: name the file of torchvision's AlexNet or VGG16")
	}
	return "", fault.Hint(err,
		"known are: StyleGAN2 of rosinality (%s, or its state dict), mmgen (%s with %s…, or its state dict) and NVIDIA "+
			"(%s, or its state dict), CLIP (a folder, or OpenAI's visual.conv1.…), projectors (rrdb_blocks.… or body.…), "+
			"attribute classifiers (0.weight …), FID's Inception (Conv2d_1a_3x3.…), AlexNet and VGG16 for LPIPS (features.0.…)",
		rosinalitySection, stateSection, mmgenPrefix, nvidiaSection)
}
