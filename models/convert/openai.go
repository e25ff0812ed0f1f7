package convert

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
)

// headWidth is the width of an attention head in all of OpenAI's networks. Files do not hold it.
const headWidth = 64

// loadOpenAI reads a CLIP under OpenAI's names, which OpenCLIP has too: OpenAI's TorchScript programs, state dicts, and
// OpenCLIP's files with their configuration beside. It is written in Hugging Face's layout.
func (s *source) loadOpenAI(opts Options) (*network, error) {
	n := &network{}
	w, err := s.openAIWeights(n)
	if err != nil {
		return nil, err
	}
	cfg, err := inferOpenAI(w)
	if err != nil {
		return nil, err
	}
	cfg.TextCleaning = clip.CleanOpenAI
	var preprocessor []byte
	if s.kind == CLIPOpenCLIP {
		folder := s.path
		if !isFolder(folder) {
			folder = filepath.Dir(s.path)
		}
		if preprocessor, err = readOpenCLIP(filepath.Join(folder, openCLIPConfig), &cfg); err != nil {
			return nil, err
		}
	} else if err := s.openAIActivation(&cfg, opts.Activation); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Source, err)
	}
	if n.weights, err = huggingFaceNames(w, cfg); err != nil {
		return nil, err
	}
	if err := n.weights.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	if !s.headers {
		if n.files, err = s.findVocabulary(opts.Vocabulary, cfg.Text.VocabSize); err != nil {
			return nil, err
		}
		if preprocessor != nil {
			n.files[clip.PreprocessorFile] = preprocessor
		}
	}
	n.config = cfg
	n.describe = describeCLIP(cfg)
	return n, nil
}

// openAIConstants are tensors of OpenAI's programs that hold no weights: sizes, and which tokens see which, all before.
var openAIConstants = []string{"input_resolution", "context_length", "vocab_size", "attn_mask"}

// openAIWeights reads the tensors without constants.
func (s *source) openAIWeights(n *network) (*checkpoints.Weights, error) {
	from, err := s.openAITensors(n)
	if err != nil {
		return nil, err
	}
	w := &checkpoints.Weights{Source: from.Source, Tensors: maps.Clone(from.Tensors)}
	for _, name := range openAIConstants {
		if _, ok := w.Tensors[name]; ok {
			delete(w.Tensors, name)
			n.dropped = append(n.dropped, "the constant "+name)
		}
	}
	return w, nil
}

func (s *source) openAITensors(n *network) (*checkpoints.Weights, error) {
	switch {
	case s.torch == nil && s.safetensors == nil: // a folder
		w, path, err := s.readFirst(s.path, openCLIPWeights)
		n.sources = []string{path}
		return w, err
	}
	return s.weights()
}

// openAIActivation sets the activation of both transformers: the class of the modules tells it in a program, nothing in
// a state dict.
func (s *source) openAIActivation(cfg *clip.Config, given clip.Activation) error {
	activation := given
	if s.torch != nil {
		class, _ := s.torch.Value("visual.transformer.resblocks.0.mlp.gelu." + checkpoints.ClassValue)
		if act := map[any]clip.Activation{"QuickGELU": clip.QuickGELU, "GELU": clip.GELU}[class]; act != "" {
			activation = act
		}
	}
	if given != "" && activation != given {
		return fault.Usage(fmt.Errorf("activation %q is given, but the file says %q", given, activation),
			"leave the activation out")
	}
	if activation == "" {
		err := fault.Usage(fmt.Errorf("%s does not say its activation", s.path),
			"OpenAI's networks have quick_gelu, OpenCLIP's gelu unless their name says quickgelu: state it, or lay %s beside "+
				"the file", openCLIPConfig)
		return fault.WithCode(err, NoActivation, openCLIPConfig)
	}
	cfg.Text.HiddenAct, cfg.Vision.HiddenAct = activation, activation
	return nil
}

// inferOpenAI reads the configuration off the shapes. Check holds all tensors against it afterwards.
func inferOpenAI(w *checkpoints.Weights) (clip.Config, error) {
	cfg := clip.Config{ModelType: clip.ModelType}
	if anyHas(w.Names(), "visual.attnpool.") {
		return cfg, fault.Hint(fmt.Errorf("%s: pictures go through a ResNet (visual.attnpool.…), as in RN50", w.Source),
			"only CLIPs with a vision transformer are supported, whose names begin with ViT")
	}
	t, v := &cfg.Text, &cfg.Vision
	var positions int
	for _, f := range []struct {
		to         *int
		name       string
		rank, axis int
	}{
		{&cfg.ProjectionDim, "text_projection", 2, 1},
		{&t.HiddenSize, "token_embedding.weight", 2, 1},
		{&t.VocabSize, "token_embedding.weight", 2, 0},
		{&t.MaxPositionEmbeddings, "positional_embedding", 2, 0},
		{&t.IntermediateSize, "transformer.resblocks.0.mlp.c_fc.weight", 2, 0},
		{&v.HiddenSize, "visual.conv1.weight", 4, 0},
		{&v.NumChannels, "visual.conv1.weight", 4, 1},
		{&v.PatchSize, "visual.conv1.weight", 4, 2},
		{&v.IntermediateSize, "visual.transformer.resblocks.0.mlp.c_fc.weight", 2, 0},
		{&positions, "visual.positional_embedding", 2, 0},
	} {
		var err error
		if *f.to, err = dim(w, f.name, f.rank, f.axis); err != nil {
			return cfg, err
		}
	}
	side := int(math.Sqrt(float64(max(positions-1, 0))))
	if side*side != positions-1 {
		return cfg, fault.Hint(fmt.Errorf("%s: tensor %q has %d places; expected a square and one",
			w.Source, "visual.positional_embedding", positions), "the file is of another architecture")
	}
	v.ImageSize = side * v.PatchSize
	layers := func(prefix string) int {
		return count(w, func(i int) string { return fmt.Sprintf("%stransformer.resblocks.%d.ln_1.weight", prefix, i) })
	}
	t.NumHiddenLayers, v.NumHiddenLayers = layers(""), layers("visual.")
	t.NumAttentionHeads, v.NumAttentionHeads = max(1, t.HiddenSize/headWidth), max(1, v.HiddenSize/headWidth)
	t.LayerNormEps, v.LayerNormEps = 1e-5, 1e-5
	t.EOSTokenID = t.VocabSize - 1 // the vocabulary's last token
	return cfg, nil
}

// The tensors outside of the layers, OpenAI's name and Hugging Face's.
var openAINames = [][2]string{
	{"logit_scale", "logit_scale"},
	{"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
	{"positional_embedding", "text_model.embeddings.position_embedding.weight"},
	{"ln_final.weight", "text_model.final_layer_norm.weight"},
	{"ln_final.bias", "text_model.final_layer_norm.bias"},
	{"visual.class_embedding", "vision_model.embeddings.class_embedding"},
	{"visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"},
	{"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"},
	{"visual.ln_pre.weight", "vision_model.pre_layrnorm.weight"},
	{"visual.ln_pre.bias", "vision_model.pre_layrnorm.bias"},
	{"visual.ln_post.weight", "vision_model.post_layernorm.weight"},
	{"visual.ln_post.bias", "vision_model.post_layernorm.bias"},
}

// Those in a layer.
var openAILayerNames = [][2]string{
	{"ln_1", "layer_norm1"}, {"ln_2", "layer_norm2"}, {"attn.out_proj", "self_attn.out_proj"}, {"mlp.c_fc", "mlp.fc1"},
	{"mlp.c_proj", "mlp.fc2"},
}

// huggingFaceNames renames the tensors, splits the weights of query, key and value, and transposes the two projections.
// A tensor without another name keeps its own, to be named as surplus.
func huggingFaceNames(w *checkpoints.Weights, cfg clip.Config) (*checkpoints.Weights, error) {
	to := &checkpoints.Weights{Source: w.Source, Tensors: make(map[string]checkpoints.Tensor, len(w.Tensors))}
	names := map[string]string{}
	for _, n := range openAINames {
		names[n[0]] = n[1]
	}
	joined := map[string]string{} // in_proj of a layer → self_attn of Hugging Face's
	for prefix, model := range map[string]string{"": "text_model", "visual.": "vision_model"} {
		layers := cfg.Text.NumHiddenLayers
		if prefix != "" {
			layers = cfg.Vision.NumHiddenLayers
		}
		for i := range layers {
			old, new := fmt.Sprintf("%stransformer.resblocks.%d.", prefix, i), fmt.Sprintf("%s.encoder.layers.%d.", model, i)
			for _, n := range openAILayerNames {
				names[old+n[0]+".weight"], names[old+n[0]+".bias"] = new+n[1]+".weight", new+n[1]+".bias"
			}
			joined[old+"attn.in_proj_"] = new + "self_attn."
		}
	}
	for _, old := range w.Names() {
		t := w.Tensors[old]
		switch old {
		case "text_projection":
			to.Tensors["text_projection.weight"] = t.Transposed()
			continue
		case "visual.proj":
			to.Tensors["visual_projection.weight"] = t.Transposed()
			continue
		}
		if at := strings.Index(old, "in_proj_"); at >= 0 {
			if layer, ok := joined[old[:at+len("in_proj_")]]; ok {
				if err := splitHeads(to, t, layer, old[at+len("in_proj_"):]); err != nil {
					return nil, fmt.Errorf("%s: tensor %q: %w", w.Source, old, err)
				}
				continue
			}
		}
		name, ok := names[old]
		if !ok {
			name = old
		}
		to.Tensors[name] = t
	}
	return to, nil
}

// splitHeads cuts a tensor into three along its first axis: query, key, value.
func splitHeads(to *checkpoints.Weights, t checkpoints.Tensor, layer, which string) error {
	if len(t.Shape) == 0 || t.Shape[0]%3 != 0 {
		return fault.Hint(fmt.Errorf("it has shape %v; expected rows for query, key and value", t.Shape),
			"the file is of another architecture")
	}
	shape := append([]int{t.Shape[0] / 3}, t.Shape[1:]...)
	for i, p := range []string{"q_proj.", "k_proj.", "v_proj."} {
		part := checkpoints.Tensor{DType: t.DType, Shape: shape}
		if t.Data != nil {
			third := len(t.Data) / 3
			part.Data = t.Data[i*third : (i+1)*third : (i+1)*third]
		}
		to.Tensors[layer+p+which] = part
	}
	return nil
}
