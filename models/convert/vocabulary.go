package convert

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"illustrator/internal/fault"
	"illustrator/models/clip"
)

// mergesFile is OpenAI's vocabulary as its own package and OpenCLIP's carry it.
const mergesFile = "bpe_simple_vocab_16e6.txt.gz"

// findVocabulary returns vocab.json and merges.txt for a number of tokens: of given, a file or a folder, or else of
// what lies beside the weights.
func (s *source) findVocabulary(given string, size int) (map[string][]byte, error) {
	place := given
	if place == "" {
		place = s.path
		if !isFolder(place) {
			place = filepath.Dir(place)
		}
	}
	if isFolder(place) {
		switch {
		case hasTokenizer(place) || exists(filepath.Join(place, clip.TokenizerFile)):
			return readTokenizer(place)
		case exists(filepath.Join(place, mergesFile)):
			place = filepath.Join(place, mergesFile)
		default:
			return nil, fault.WithCode(fault.Usage(fmt.Errorf("%s has no vocabulary", place),
				"lay OpenAI's %s beside the weights, or name it, or a folder with vocab.json and merges.txt or tokenizer.json",
				mergesFile), NoVocabulary, mergesFile)
		}
	}
	packed, err := readText(filepath.Dir(place), filepath.Base(place))
	if err != nil {
		return nil, err
	}
	merges, err := unpack(packed)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("%s: %w", place, err), "the file must be OpenAI's %s", mergesFile)
	}
	files := map[string][]byte{}
	if files[tokenizerFiles[0]], files[tokenizerFiles[1]], err = clip.VocabularyOfMerges(merges, size); err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return files, nil
}

// unpack unpacks gzip, no more than a text file may have.
func unpack(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxTextFile+1))
	if err == nil && len(text) > maxTextFile {
		err = fmt.Errorf("it unpacks to more than %d bytes", maxTextFile)
	}
	return text, err
}

// hasTokenizer reports whether a folder has both of the tokenizer's files.
func hasTokenizer(folder string) bool {
	return exists(filepath.Join(folder, tokenizerFiles[0])) && exists(filepath.Join(folder, tokenizerFiles[1]))
}

// readTokenizer reads the files of a folder that the tokenizer cannot do without, or makes them of tokenizer.json.
func readTokenizer(folder string) (map[string][]byte, error) {
	files := map[string][]byte{}
	if !hasTokenizer(folder) && exists(filepath.Join(folder, clip.TokenizerFile)) {
		data, err := readText(folder, clip.TokenizerFile)
		if err != nil {
			return nil, err
		}
		if files[tokenizerFiles[0]], files[tokenizerFiles[1]], err = clip.VocabularyOfTokenizer(data); err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		return files, nil
	}
	for _, name := range tokenizerFiles {
		var err error
		if files[name], err = readText(folder, name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
