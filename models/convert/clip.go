package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/models/clip"
)

// The files of a CLIP beside its configuration and weights. The tokenizer cannot do without the first two, which are
// taken out of tokenizer.json where one is missing; otherwise that says the same once more and is left. The others are
// taken along for what reads the folder elsewhere.
var (
	tokenizerFiles = []string{"vocab.json", "merges.txt"}
	furtherFiles   = []string{"tokenizer_config.json", "preprocessor_config.json", "special_tokens_map.json"}
)

// maxTextFile bounds each of these files: the largest is a vocabulary of 1 MB.
const maxTextFile = 32 << 20

// recognizeFolder tells the layout of a folder by its config.json or, without Hugging Face's weights, by OpenCLIP's
// configuration.
func recognizeFolder(folder string) (Kind, error) {
	if exists(filepath.Join(folder, openCLIPConfig)) && !hasHuggingFace(folder) {
		return CLIPOpenCLIP, nil
	}
	data, err := readText(folder, checkpoints.ConfigFile)
	if err != nil {
		return "", err
	}
	var config struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return "", fault.Hint(fmt.Errorf("read %s: %w", filepath.Join(folder, checkpoints.ConfigFile), err),
			"the file must be Hugging Face's config.json of a CLIPModel")
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

// hasHuggingFace reports whether a folder has a configuration and weights in Hugging Face's layout.
func hasHuggingFace(folder string) bool {
	weights := func(name string) bool {
		return exists(filepath.Join(folder, name)) || exists(filepath.Join(folder, name+indexSuffix))
	}
	return exists(filepath.Join(folder, checkpoints.ConfigFile)) && slices.ContainsFunc(huggingFaceFiles, weights)
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
	n := &network{config: json.RawMessage(config)}
	if n.files, err = readTokenizer(s.path); err != nil {
		return nil, err
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
	if raw, ok := n.files[clip.PreprocessorFile]; ok {
		if _, err := clip.DecodePreprocessor(raw, cfg.Vision.ImageSize); err != nil {
			return nil, fault.Hint(fmt.Errorf("%s: %w", filepath.Join(s.path, clip.PreprocessorFile), err),
				"the file must describe a CLIPImageProcessor for this network")
		}
	}
	if n.weights, n.sources, err = s.readHuggingFace(); err != nil {
		return nil, err
	}
	if k := remove(n.weights, func(name string) bool { return strings.HasSuffix(name, ".position_ids") }); k > 0 {
		n.dropped = append(n.dropped, fmt.Sprintf("%d buffers position_ids, which count from 0", k))
	}
	if err := n.weights.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	if cfg.TextCleaning == "" {
		cfg.TextCleaning = clip.CleaningOf(n.files["merges.txt"])
	}
	n.describe = describeCLIP(cfg)
	return n, nil
}

// describeCLIP is a configuration in words.
func describeCLIP(cfg clip.Config) string {
	cleaning := ""
	if cfg.TextCleaning != "" {
		cleaning = fmt.Sprintf("; texts are cleaned as %q", cfg.TextCleaning)
	}
	v, t := cfg.Vision, cfg.Text
	return fmt.Sprintf("embedding of %d; pictures of %d×%d in patches of %d, %d layers of %d; "+
		"texts of %d tokens of %d, %d layers of %d; %s%s",
		cfg.ProjectionDim, v.ImageSize, v.ImageSize, v.PatchSize, v.NumHiddenLayers, v.HiddenSize,
		t.MaxPositionEmbeddings, t.VocabSize, t.NumHiddenLayers, t.HiddenSize, v.HiddenAct, cleaning)
}

// readText reads one of the small files of a folder.
func readText(folder, name string) ([]byte, error) {
	path := filepath.Join(folder, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Hint(fmt.Errorf("%s is missing: %w", path, fs.ErrNotExist),
			"a CLIP in Hugging Face's layout has config.json, vocab.json and merges.txt (or tokenizer.json), and its weights")
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxTextFile {
		return nil, fmt.Errorf("%s has %d bytes or is not a file; at most %d are read", path, info.Size(), maxTextFile)
	}
	return files.ReadFile(path, maxTextFile)
}
