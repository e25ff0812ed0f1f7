package clip

import (
	"illustrator/internal/fault"
)

// Largest sizes that are taken from a file: far above any published CLIP, far below what would exhaust memory.
const (
	maxWidth  = 1 << 16
	maxLayers = 1 << 10
	maxVocab  = 1 << 24
	maxTokens = 1 << 16
	maxPixels = 1 << 13
)

// Validate reports the first invalid field, with its value and the valid ones.
func (c Config) Validate() error {
	if c.ModelType != ModelType {
		return fault.Field("clip config: model_type", c.ModelType, `"clip"`)
	}
	if err := inRange("projection_dim", c.ProjectionDim, maxWidth); err != nil {
		return err
	}
	if err := fault.CheckChoice("clip config", c.TextCleaning); err != nil {
		return err
	}
	t, v := c.Text, c.Vision
	if err := c.textTransformer().validate(); err != nil {
		return err
	}
	if err := inRange("text_config.max_position_embeddings", t.MaxPositionEmbeddings, maxTokens); err != nil {
		return err
	}
	if t.MaxPositionEmbeddings < 3 {
		return fault.Field("clip config: text_config.max_position_embeddings", t.MaxPositionEmbeddings,
			"at least 3: a start token, a word and an end token")
	}
	if err := inRange("text_config.vocab_size", t.VocabSize, maxVocab); err != nil {
		return err
	}
	if t.EOSTokenID != legacyEOS && (t.EOSTokenID < 0 || t.EOSTokenID >= t.VocabSize) {
		return fault.Field("clip config: text_config.eos_token_id", t.EOSTokenID,
			"the id of <|endoftext|>, below vocab_size %d", t.VocabSize)
	}
	if err := c.visionTransformer().validate(); err != nil {
		return err
	}
	if err := inRange("vision_config.image_size", v.ImageSize, maxPixels); err != nil {
		return err
	}
	if v.NumChannels != 3 {
		return fault.Field("clip config: vision_config.num_channels", v.NumChannels, "3: pictures are red, green and blue")
	}
	if v.PatchSize < 1 || v.ImageSize%v.PatchSize != 0 {
		return fault.Field("clip config: vision_config.patch_size", v.PatchSize, "a divisor of image_size %d", v.ImageSize)
	}
	return nil
}

func (t transformer) validate() error {
	for _, f := range []struct {
		name         string
		value, limit int
	}{
		{"hidden_size", t.width, maxWidth},
		{"intermediate_size", t.inner, maxWidth},
		{"num_hidden_layers", t.layers, maxLayers},
		{"num_attention_heads", t.heads, maxWidth},
	} {
		if err := inRange(t.config+"."+f.name, f.value, f.limit); err != nil {
			return err
		}
	}
	switch {
	case t.width%t.heads != 0:
		return fault.Field("clip config: "+t.config+".num_attention_heads", t.heads, "a divisor of hidden_size %d", t.width)
	case !(t.eps > 0 && t.eps < 1):
		return fault.Field("clip config: "+t.config+".layer_norm_eps", t.eps,
			"between 0 and 1 (1e-5 in the published networks)")
	}
	return fault.CheckChoice("clip config: "+t.config+".hidden_act", t.act)
}

func inRange(field string, value, limit int) error {
	if value < 1 || value > limit {
		return fault.Field("clip config: "+field, value, "from 1 to %d", limit)
	}
	return nil
}
