package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// Where transformers keeps weights: in one file or, with an index beside them, in several.
var (
	huggingFaceFiles = []string{checkpoints.WeightsFile, "pytorch_model.bin"}
	indexSuffix      = ".index.json"
)

// readHuggingFace reads the weights of a folder in Hugging Face's layout and returns the paths of what it read:
// safetensors before PyTorch's, one file before several.
func (s *source) readHuggingFace() (*checkpoints.Weights, []string, error) {
	for _, name := range huggingFaceFiles {
		path := filepath.Join(s.path, name)
		if exists(path) {
			w, err := s.readFile(path)
			return w, []string{path}, err
		}
		if exists(path + indexSuffix) {
			return s.readShards(path + indexSuffix)
		}
	}
	return nil, nil, fault.Hint(fmt.Errorf("%s has neither model.safetensors nor pytorch_model.bin", s.path),
		"a CLIP in Hugging Face's layout has one of the two, or one in parts with an index, such as model.safetensors%s",
		indexSuffix)
}

// readFile reads one file that is a plain state dict.
func (s *source) readFile(path string) (*checkpoints.Weights, error) {
	f, w, err := openWeights(path)
	if err != nil || w != nil {
		return w, err
	}
	defer f.Close()
	return s.tensors(f.TorchDict, "")
}

// readShards reads weights in several files. The index says which file each tensor is in: a file must have those and no
// others.
func (s *source) readShards(index string) (*checkpoints.Weights, []string, error) {
	data, err := readText(filepath.Dir(index), filepath.Base(index))
	if err != nil {
		return nil, nil, err
	}
	bad := func(err error) (*checkpoints.Weights, []string, error) {
		err = fault.Suggest(err,
			"the index and the files beside it are not of one network, or one is missing: fetch them again")
		return nil, nil, fmt.Errorf("%s: %w", index, err)
	}
	var content struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &content); err != nil {
		return bad(err)
	}
	files := map[string]int{}
	for name, file := range content.WeightMap {
		if file == "" || file != filepath.Base(file) {
			return bad(fmt.Errorf("weight_map: tensor %q is in %q, which is not a file beside it", name, file))
		}
		files[file]++
	}
	if len(files) == 0 {
		return bad(fmt.Errorf("weight_map is empty"))
	}
	all := &checkpoints.Weights{Source: index, Tensors: map[string]checkpoints.Tensor{}}
	sources := []string{index}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(filepath.Dir(index), file)
		w, err := s.readFile(path)
		if err != nil {
			return bad(err)
		}
		for _, name := range w.Names() {
			if content.WeightMap[name] != file {
				return bad(fmt.Errorf("%s has tensor %q, which the index has in %q", file, name, content.WeightMap[name]))
			}
		}
		if len(w.Tensors) != files[file] {
			return bad(fmt.Errorf("%s has %d tensors, the index names %d", file, len(w.Tensors), files[file]))
		}
		maps.Copy(all.Tensors, w.Tensors)
		sources = append(sources, path)
	}
	return all, sources, nil
}
