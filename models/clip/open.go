package clip

import (
	"fmt"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// Open reads the configuration and the tokenizer of a CLIP's folder in Hugging Face's layout: config.json, vocab.json and
// merges.txt. They must fit each other: an id beyond the token embeddings, or an end token that is not where texts are
// pooled, would give wrong embeddings without an error. A legacy eos_token_id is replaced by the vocabulary's end token.
func Open(folder *checkpoints.Folder) (Config, *Tokenizer, error) {
	wrap := func(err error) (Config, *Tokenizer, error) {
		return Config{}, nil, fmt.Errorf("CLIP %q: %w", folder.Location(), err)
	}
	var files [3][]byte
	for i, name := range []string{checkpoints.ConfigFile, "vocab.json", "merges.txt"} {
		var err error
		if files[i], err = folder.ReadFile(name); err != nil {
			return wrap(err)
		}
	}
	cfg, err := DecodeConfig(files[0])
	if err != nil {
		return wrap(err)
	}
	tokenizer, err := NewTokenizer(files[1], files[2], cfg.Text.MaxPositionEmbeddings)
	if err != nil {
		return wrap(err)
	}
	if cfg.Text.EOSTokenID == legacyEOS {
		cfg.Text.EOSTokenID = int(tokenizer.EndID())
	}
	const hint = "vocab.json and config.json are of different networks"
	if size := tokenizer.VocabSize(); size > cfg.Text.VocabSize {
		return wrap(fault.Hint(fmt.Errorf("vocab.json has ids up to %d, but text_config.vocab_size is %d", size-1, cfg.Text.VocabSize), hint))
	}
	if end := int(tokenizer.EndID()); end != cfg.Text.EOSTokenID {
		return wrap(fault.Hint(fmt.Errorf("vocab.json has <|endoftext|> at %d, but text_config.eos_token_id is %d", end, cfg.Text.EOSTokenID), hint))
	}
	return cfg, tokenizer, nil
}
