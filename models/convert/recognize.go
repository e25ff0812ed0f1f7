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
	return err
}

// openWeights opens a file, which its first bytes tell to be the one or the other. Where they tell nothing, a file that is
// called .safetensors is damaged safetensors.
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
		s.kind, err = recognizeKeys(s.torch)
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

// weights reads a file that is a plain state dict.
func (s *source) weights() (*checkpoints.Weights, error) {
	if s.safetensors != nil {
		return s.safetensors, nil
	}
	return s.tensors(s.torch.TorchDict, "")
}

// recognizeKeys tells the layout by the names in a checkpoint.
func recognizeKeys(file *checkpoints.TorchFile) (Kind, error) {
	if _, ok := file.Section(rosinalitySection); ok {
		return StyleGAN2Rosinality, nil
	}
	if state, ok := file.Section(mmgenSection); ok {
		if anyHas(state.Keys(), mmgenPrefix) {
			return StyleGAN2MMGen, nil
		}
		if kind, err := recognizeNames(state.Keys()); err == nil && kind == CLIPOpenAI {
			return kind, nil
		}
	}
	if module := nvidiaModule(file); module != nil {
		return StyleGAN2NVIDIA, checkNVIDIA(module)
	}
	return recognizeNames(file.Keys())
}

func anyHas(names []string, prefix string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) })
}

// recognizeNames tells the layout by the names in a plain state dict.
func recognizeNames(names []string) (Kind, error) {
	for _, layout := range []struct {
		prefix string
		kind   Kind
	}{
		{"rrdb_blocks.", MapperDense}, {"module.rrdb_blocks.", MapperDense},
		{"body.", MapperBaseline}, {"module.body.", MapperBaseline},
		{"0.weight", ClassifierSequential},
		{"Conv2d_1a_3x3.", InceptionFID},
		{"features.0.", LPIPSNetwork}, {"net.slice1.0.", LPIPSWhole},
		{"visual.conv1.", CLIPOpenAI}, {"module.visual.conv1.", CLIPOpenAI},
	} {
		if anyHas(names, layout.prefix) {
			return layout.kind, nil
		}
	}
	shown := names
	if len(shown) > 6 {
		shown = append(shown[:6:6], "…")
	}
	err := fmt.Errorf("its names (%s) are of no layout that is known", strings.Join(shown, ", "))
	if anyHas(names, "text_model.") {
		return "", fault.Hint(err, "it looks like a CLIP: name its folder (with config.json, vocab.json and merges.txt)")
	}
	if anyHas(names, "lin0.") {
		return "", fault.Hint(err, "these are LPIPS's linear layers, which illustrator has: name the file of torchvision's AlexNet or VGG16")
	}
	return "", fault.Hint(err, "known are: StyleGAN2 of rosinality (%s), mmgen (%s with %s…) and NVIDIA (%s), CLIP (a folder, or OpenAI's visual.conv1.…), projectors (rrdb_blocks.… or body.…), attribute classifiers (0.weight …), FID's Inception (Conv2d_1a_3x3.…), AlexNet and VGG16 for LPIPS (features.0.…)",
		rosinalitySection, mmgenSection, mmgenPrefix, nvidiaSection)
}
