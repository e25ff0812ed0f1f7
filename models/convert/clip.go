package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
)

// The files of a CLIP beside its configuration and weights. The tokenizer cannot do without the first two. The others
// are taken along for what reads the folder elsewhere; tokenizer.json says the same once more and is left.
var (
	tokenizerFiles = []string{"vocab.json", "merges.txt"}
	furtherFiles   = []string{"tokenizer_config.json", "preprocessor_config.json", "special_tokens_map.json"}
)

// maxTextFile bounds each of these files: the largest is a vocabulary of 1 MB.
const maxTextFile = 32 << 20

// recognizeFolder tells the layout of a folder by its config.json.
func recognizeFolder(folder string) (Kind, error) {
	data, err := readText(folder, checkpoints.ConfigFile)
	if err != nil {
		return "", err
	}
	var config struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return "", fault.Hint(fmt.Errorf("read %s: %w", filepath.Join(folder, checkpoints.ConfigFile), err), "the file must be Hugging Face's config.json of a CLIPModel")
	}
	if config.ModelType == clip.ModelType {
		return CLIPHuggingFace, nil
	}
	err = fmt.Errorf("%s: model_type is %q", filepath.Join(folder, checkpoints.ConfigFile), config.ModelType)
	if _, missing := os.Stat(filepath.Join(folder, checkpoints.ManifestFile)); missing == nil {
		return "", fault.Hint(err, "the folder is in folder form already: use it as it is")
	}
	return "", fault.Hint(err, `of the networks in Hugging Face's layout only "clip" is known`)
}

// loadCLIP reads a folder in Hugging Face's layout. config.json is copied as it is.
func (s *source) loadCLIP() (*network, error) {
	config, err := readText(s.path, checkpoints.ConfigFile)
	if err != nil {
		return nil, err
	}
	cfg, err := clip.DecodeConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	n := &network{config: json.RawMessage(config), files: map[string][]byte{}}
	for _, name := range tokenizerFiles {
		if n.files[name], err = readText(s.path, name); err != nil {
			return nil, err
		}
	}
	for _, name := range furtherFiles {
		data, err := readText(s.path, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n.files[name] = data
	}
	if n.weights, n.file, err = readCLIPWeights(s.path); err != nil {
		return nil, err
	}
	if k := remove(n.weights, func(name string) bool { return strings.HasSuffix(name, ".position_ids") }); k > 0 {
		n.dropped = append(n.dropped, fmt.Sprintf("%d buffers position_ids, which count from 0", k))
	}
	if err := n.weights.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	n.describe = fmt.Sprintf("embedding of %d; pictures of %d×%d in patches of %d, %d layers of %d; texts of %d tokens of %d, %d layers of %d",
		cfg.ProjectionDim, cfg.Vision.ImageSize, cfg.Vision.ImageSize, cfg.Vision.PatchSize, cfg.Vision.NumHiddenLayers, cfg.Vision.HiddenSize,
		cfg.Text.MaxPositionEmbeddings, cfg.Text.VocabSize, cfg.Text.NumHiddenLayers, cfg.Text.HiddenSize)
	return n, nil
}

// readCLIPWeights reads model.safetensors or, without it, pytorch_model.bin, and returns the path of the one it read.
func readCLIPWeights(folder string) (*checkpoints.Weights, string, error) {
	path := filepath.Join(folder, checkpoints.WeightsFile)
	if _, err := os.Stat(path); err == nil {
		w, err := checkpoints.ReadSafetensors(path)
		return w, path, err
	}
	path = filepath.Join(folder, "pytorch_model.bin")
	if _, err := os.Stat(path); err != nil {
		hint := "a CLIP in Hugging Face's layout has one of the two"
		if shards, _ := filepath.Glob(filepath.Join(folder, "*.index.json")); len(shards) > 0 {
			hint = "weights in several files are not read: save the network again in one"
		}
		return nil, "", fault.Hint(fmt.Errorf("%s has neither model.safetensors nor pytorch_model.bin", folder), "%s", hint)
	}
	f, err := checkpoints.ReadTorch(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	w, err := f.Weights("")
	return w, path, err
}

// readText reads one of the small files of a folder.
func readText(folder, name string) ([]byte, error) {
	path := filepath.Join(folder, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Hint(fmt.Errorf("%s is missing: %w", path, fs.ErrNotExist), "a CLIP in Hugging Face's layout has config.json, vocab.json, merges.txt and its weights")
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxTextFile {
		return nil, fmt.Errorf("%s has %d bytes or is no file; at most %d are read", path, info.Size(), maxTextFile)
	}
	return os.ReadFile(path)
}
