package clip

import (
	"fmt"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// Open reads the configuration and the tokenizer of a CLIP's folder in Hugging Face's layout: config.json, vocab.json
// and merges.txt, or tokenizer.json where it lacks one of these. They must fit each other: an id beyond the token
// embeddings, or an end token that is not where texts are pooled, would give wrong embeddings without an error. A
// legacy eos_token_id is replaced by the vocabulary's end token, and an absent text_cleaning by that of the vocabulary.
func Open(folder *checkpoints.Folder) (Config, *Tokenizer, error) {
	wrap := func(err error) (Config, *Tokenizer, error) {
		return Config{}, nil, fmt.Errorf("CLIP %q: %w", folder.Location(), err)
	}
	config, err := folder.ReadFile(checkpoints.ConfigFile)
	if err != nil {
		return wrap(err)
	}
	vocab, merges, err := readVocabulary(folder)
	if err != nil {
		return wrap(err)
	}
	cfg, err := DecodeConfig(config)
	if err != nil {
		return wrap(err)
	}
	tokenizer, err := NewTokenizer(vocab, merges, cfg.Text.MaxPositionEmbeddings)
	if err != nil {
		return wrap(err)
	}
	if cfg.TextCleaning != "" {
		tokenizer.Cleaning = cfg.TextCleaning
	}
	cfg.TextCleaning = tokenizer.Cleaning
	if cfg.Text.EOSTokenID == legacyEOS {
		cfg.Text.EOSTokenID = int(tokenizer.EndID())
	}
	const hint = "vocab.json and config.json are of different networks"
	if size := tokenizer.VocabSize(); size > cfg.Text.VocabSize {
		return wrap(fault.Hint(fmt.Errorf("vocab.json has ids up to %d, but text_config.vocab_size is %d", size-1,
			cfg.Text.VocabSize), hint))
	}
	if end := int(tokenizer.EndID()); end != cfg.Text.EOSTokenID {
		return wrap(fault.Hint(fmt.Errorf("vocab.json has <|endoftext|> at %d, but text_config.eos_token_id is %d", end,
			cfg.Text.EOSTokenID), hint))
	}
	return cfg, tokenizer, nil
}

func readVocabulary(folder *checkpoints.Folder) (vocabJSON, mergesTXT []byte, err error) {
	if folder.Has(TokenizerFile) && !(folder.Has(vocabFile) && folder.Has(mergesFile)) {
		data, err := folder.ReadFile(TokenizerFile)
		if err != nil {
			return nil, nil, err
		}
		return VocabularyOfTokenizer(data)
	}
	if vocabJSON, err = folder.ReadFile(vocabFile); err != nil {
		return nil, nil, err
	}
	mergesTXT, err = folder.ReadFile(mergesFile)
	return vocabJSON, mergesTXT, err
}

// The two files of a tokenizer.
const (
	vocabFile  = "vocab.json"
	mergesFile = "merges.txt"
)
