// Package convert turns published weight files into the folder form that the toolkit loads: config.json,
// model.safetensors under canonical names, and a manifest. Nothing in a file is executed. Inspect says what a file is,
// from its header.
//
// Canonical names are rosinality's for StyleGAN2, Hugging Face's for CLIP, the released projectors' for the mapper,
// the indices of torch.nn.Sequential for the attribute classifier, and torchvision's for Inception-v3, AlexNet and
// VGG16. Elements keep the type that they have in the file (float16 stays float16: networks are loaded in the type that
// a run asks for, and the conversion is then exact).
package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
	"illustrator/models/stylegan2"
)

// Kind is a network in the layout of a public release.
type Kind string

// The layouts that are recognised.
const (
	StyleGAN2Rosinality  Kind = "stylegan2/rosinality"
	StyleGAN2MMGen       Kind = "stylegan2/mmgen"
	StyleGAN2NVIDIA      Kind = "stylegan2/nvidia"
	CLIPHuggingFace      Kind = "clip/huggingface"
	CLIPOpenAI           Kind = "clip/openai"
	CLIPOpenCLIP         Kind = "clip/openclip"
	MapperDense          Kind = "mapper/dense"
	MapperBaseline       Kind = "mapper/baseline"
	ClassifierSequential Kind = "classifier/sequential"
	InceptionFID         Kind = "inception-fid"
	LPIPSNetwork         Kind = "lpips/torchvision"
	LPIPSWhole           Kind = "lpips"
	ReleasedPrompt       Kind = "prompt/release"
	ReleasedPairs        Kind = "pairs/release"
)

// IsGenerator reports whether a kind is a generator of pictures.
func (k Kind) IsGenerator() bool {
	return k == StyleGAN2Rosinality || k == StyleGAN2MMGen || k == StyleGAN2NVIDIA
}

// titles say in words what a kind is.
var titles = map[Kind]string{
	StyleGAN2Rosinality:  "StyleGAN2 generator in rosinality's layout",
	StyleGAN2MMGen:       "StyleGAN2 generator in mmgen's layout",
	StyleGAN2NVIDIA:      "StyleGAN2 generator in the layout of NVIDIA's PyTorch repositories",
	CLIPHuggingFace:      "CLIP in Hugging Face's layout",
	CLIPOpenAI:           "CLIP in OpenAI's layout",
	CLIPOpenCLIP:         "CLIP in OpenCLIP's layout",
	MapperDense:          "mapper of dense blocks in the released projectors' layout",
	MapperBaseline:       "mapper of plain layers in the released baseline's layout",
	ClassifierSequential: "attribute classifier, a torch.nn.Sequential",
	InceptionFID:         "Inception-v3 of FID in pytorch-fid's and torch-fidelity's layout",
	LPIPSNetwork:         "AlexNet or VGG16 in torchvision's layout, for LPIPS",
	LPIPSWhole:           "LPIPS in the layout of the package lpips",
	ReleasedPrompt:       "image prompt of the official release",
	ReleasedPairs:        "pairs of style and image embedding of the official release",
}

// tool names the maker in the manifests of converted folders.
const tool = "illustrator convert"

// Options hold facts that a file does not say.
type Options struct {
	// Attributes is the path of a JSON file whose "attributes" (a list of {"name", "values"}) say what a classifier's
	// logits mean, and whose "size" is its pictures' height and width. Only a classifier needs it.
	Attributes string
	// ColorOrder is the order of the channels that a generator produces: "RGB" or "BGR". Empty: BGR for mmgen, else RGB.
	ColorOrder stylegan2.ColorOrder
	// Vocabulary names a CLIP's vocabulary if it does not lie beside the weights: bpe_simple_vocab_16e6.txt.gz, or a
	// folder with vocab.json and merges.txt or tokenizer.json. Only CLIPs in OpenAI's and OpenCLIP's layouts take it.
	Vocabulary string
	// Activation is that of a CLIP in OpenAI's layout that does not say it.
	Activation clip.Activation
	// Replace allows to replace a folder of other weights.
	Replace bool
}

// network is the result of an importer.
type network struct {
	config  any
	weights *checkpoints.Weights
	// describe is the configuration in words.
	describe string
	// dropped says what of the file was left out and why.
	dropped []string
	files   map[string][]byte
	// sources are the paths of the weights: the file, or an index and the files that it names.
	sources []string
}

// Recognize tells what is at path: a PyTorch or safetensors file, or a folder in Hugging Face's layout.
func Recognize(path string) (Kind, error) {
	s, err := open(path)
	if err != nil {
		return "", err
	}
	defer s.close()
	return s.kind, nil
}

// Convert recognises what is at src, checks it tensor by tensor against the configuration that it implies, and writes
// it as the folder dst: whole or not at all. A missing, surplus or wrongly shaped tensor is an error that names it, the
// file and both shapes.
func Convert(src, dst string, opts Options) (Report, error) {
	s, err := open(src)
	if err != nil {
		return Report{}, err
	}
	defer s.close()
	n, err := s.load(opts)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", titles[s.kind], err)
	}
	if err := checkValues(n.weights); err != nil {
		return Report{}, fmt.Errorf("%s: %w", titles[s.kind], err)
	}
	of, err := checkpoints.SHA256OfFiles(n.sources...)
	if err != nil {
		return Report{}, err
	}
	source := checkpoints.Source{File: filepath.Base(n.sources[0]), SHA256: of.SHA256}
	err = checkpoints.Write(dst, checkpoints.Contents{
		Config: n.config, Weights: n.weights, Files: n.files,
		Layout: string(s.kind), Tool: tool, Source: source, Replace: opts.Replace,
	})
	if err != nil {
		return Report{}, err
	}
	return newReport(s.kind, n, source, of.Size, dst)
}

// source is a recognised file or folder.
type source struct {
	path string
	kind Kind
	// A file is one of two; a folder has neither.
	torch       *checkpoints.TorchFile
	safetensors *checkpoints.Weights
	// headers has tensors' types and shapes alone read.
	headers bool
	// state is the state dict within a PyTorch file; nil where the file is one.
	state *checkpoints.TorchDict
	// dropped says which entries are not tensors.
	dropped []string
}

func (s *source) close() {
	if s.torch != nil {
		s.torch.Close()
	}
}

// tensors reads the tensors of d whose names begin with prefix, or their headers.
func (s *source) tensors(d *checkpoints.TorchDict, prefix string) (*checkpoints.Weights, error) {
	w, err := d.Select(func(old string) (string, bool) {
		name, ok := strings.CutPrefix(unwrapped(old), prefix)
		return unwrapped(name), ok
	}, s.headers)
	if err == nil {
		s.leaveOut(w.Others)
	}
	return w, err
}

// unwrapped is a tensor's name in a module that was not wrapped: DataParallel and its like put "module." before all
// names, torch.compile "_orig_mod.", and one may be within the other.
func unwrapped(name string) string {
	name = strings.ReplaceAll(name, "_orig_mod.", "")
	for strings.HasPrefix(name, "module.") {
		name = name[len("module."):]
	}
	return name
}

// leaveOut notes entries that are not tensors.
func (s *source) leaveOut(others map[string]string) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(others)) {
		parts = append(parts, name+" ("+others[name]+")")
	}
	if len(parts) > 6 {
		parts = append(parts[:5:5], fmt.Sprintf("… of %d", len(others)))
	}
	if len(parts) > 0 {
		s.dropped = append(s.dropped, "not tensors: "+strings.Join(parts, ", "))
	}
}

// checkOptions refuses options that the network has no use for.
func (s *source) checkOptions(opts Options) error {
	for _, o := range []struct {
		name, value, hint string
		kinds             []Kind
	}{
		{"color order", string(opts.ColorOrder), "only generators have a color order",
			[]Kind{StyleGAN2Rosinality, StyleGAN2MMGen, StyleGAN2NVIDIA}},
		{"attributes", opts.Attributes, "only attribute classifiers have attributes", []Kind{ClassifierSequential}},
		{"vocabulary", opts.Vocabulary, "only CLIPs in OpenAI's and OpenCLIP's layouts take a vocabulary",
			[]Kind{CLIPOpenAI, CLIPOpenCLIP}},
		{"activation", string(opts.Activation), "only CLIPs in OpenAI's layout need to be told their activation",
			[]Kind{CLIPOpenAI}},
	} {
		if o.value != "" && !slices.Contains(o.kinds, s.kind) {
			return fault.Usage(fmt.Errorf("%s %q is given, but it is %s", o.name, o.value, s.kind), "%s", o.hint)
		}
	}
	return nil
}

func (s *source) load(opts Options) (*network, error) {
	if err := s.checkOptions(opts); err != nil {
		return nil, err
	}
	var n *network
	var err error
	switch s.kind {
	case StyleGAN2Rosinality, StyleGAN2MMGen, StyleGAN2NVIDIA:
		n, err = s.loadStyleGAN2(opts.ColorOrder)
	case CLIPHuggingFace:
		n, err = s.loadCLIP()
	case CLIPOpenAI, CLIPOpenCLIP:
		n, err = s.loadOpenAI(opts)
	case MapperDense, MapperBaseline:
		n, err = s.loadMapper()
	case ClassifierSequential:
		n, err = s.loadClassifier(opts.Attributes)
	case InceptionFID:
		n, err = s.loadInception()
	case LPIPSNetwork, LPIPSWhole:
		n, err = s.loadLPIPS()
	case ReleasedPrompt, ReleasedPairs:
		n, err = s.loadReleased()
	}
	if err != nil {
		return nil, err
	}
	if n.sources == nil {
		n.sources = []string{s.path}
	}
	n.dropped = append(n.dropped, s.dropped...)
	return n, nil
}

func open(path string) (*source, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Hint(err, "name a .pt, .pth, .pkl, .bin or .safetensors file, or the folder of a CLIP")
	}
	if err != nil {
		return nil, err
	}
	s := &source{path: path}
	if info.IsDir() {
		s.kind, err = recognizeFolder(path)
	} else if err = s.openFile(); err == nil {
		err = s.recognizeFile()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// count returns how many of name(0), name(1), … w has without a gap.
func count(w *checkpoints.Weights, name func(i int) string) int {
	n := 0
	for {
		if _, ok := w.Tensors[name(n)]; !ok {
			return n
		}
		n++
	}
}

// dim returns the size of an axis of a tensor that the configuration is inferred from.
func dim(w *checkpoints.Weights, name string, rank, axis int) (int, error) {
	t, ok := w.Tensors[name]
	if w.Others[name] != "" {
		return 0, w.NotTensor(name)
	}
	if !ok {
		return 0, fault.Hint(fmt.Errorf("%s: tensor %q is missing", w.Source, name),
			"the file is of another architecture, or cut down")
	}
	if len(t.Shape) != rank {
		return 0, fault.Hint(fmt.Errorf("%s: tensor %q has shape %v; expected %d axes", w.Source, name, t.Shape, rank),
			"the file is of another architecture")
	}
	return t.Shape[axis], nil
}

// remove takes the tensors out of w that match, and returns how many there were.
func remove(w *checkpoints.Weights, match func(name string) bool) int {
	n := 0
	for _, name := range w.Names() {
		if match(name) {
			delete(w.Tensors, name)
			n++
		}
	}
	return n
}

// checkValues refuses tensors that are not floating point or hold a NaN or an infinity: no network has them, damaged
// files do.
func checkValues(w *checkpoints.Weights) error {
	for _, name := range w.Names() {
		values, err := w.Tensors[name].Float32View()
		if err != nil {
			return fault.Hint(fmt.Errorf("%s: tensor %q: %w", w.Source, name, err),
				"the weights of these networks are of type F32, F16, BF16 or F64")
		}
		for i, v := range values {
			if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
				return fault.Hint(fmt.Errorf("%s: tensor %q: element %d is %g", w.Source, name, i, v),
					"the file is damaged, or its training diverged")
			}
		}
	}
	return nil
}
