package ablation

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"illustrator/draw"
	"illustrator/eval/methods"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// Projection says what becomes of a text's embedding; "" projects it by eq. 3.
type Projection string

// NoProjection uses the text embedding as an image embedding.
const NoProjection Projection = "none"

// UnmarshalText reads a projection.
func (p *Projection) UnmarshalText(text []byte) error {
	return fault.Choose(p, "projection", text, NoProjection)
}

// Draw holds a variant's settings of drawing. Omitted fields have the domain's values.
type Draw struct {
	// Projection "none" uses the text embedding as an image embedding.
	Projection Projection `yaml:"projection,omitempty"`
	// Alpha is the α of eq. 3, of which 1 makes eq. 2, or of eq. 11 in a manipulation.
	Alpha *float64 `yaml:"alpha,omitempty"`
	// TextPrompt takes the place of the domain's; it may be empty. "text:N" is the study's N-th text.
	TextPrompt *string `yaml:"text_prompt,omitempty"`
	// ImagePrompt is "noise", the embedding of a picture of random pixels, or "samples:N", the mean embedding of N of the
	// generator's pictures (eq. 4-7), other ones for each seed.
	ImagePrompt string `yaml:"image_prompt,omitempty"`
	// Keep is "w" for a manipulation that keeps the origin's styles and adds to them.
	Keep draw.Keep `yaml:"keep,omitempty"`
	// InjectIndex gives the layers below it a random style.
	InjectIndex int `yaml:"inject_index,omitempty"`
	// TruncationPsi pulls styles towards their mean (ψ): 1, the default, leaves them, 0 draws the mean.
	TruncationPsi *float64 `yaml:"truncation_psi,omitempty"`
	// NoiseMode is the generator's noise; it is "const" unless several pictures are drawn of a text, then "random".
	NoiseMode stylegan2.NoiseMode `yaml:"noise_mode,omitempty"`
	// Spread mixes each picture's random z into the predicted one; above 0 and at most 1.
	Spread *float64 `yaml:"spread,omitempty"`
	// BestOf is the number of candidates that are drawn for each picture, of which the one is kept that CLIP ranks first.
	BestOf *int `yaml:"best_of,omitempty"`
	// Refine is the number of steps that each picture's z is refined by.
	Refine int `yaml:"refine,omitempty"`
	// Retrieval draws the pair whose embedding is nearest to the text's, in place of the mapper.
	Retrieval *methods.Retrieval `yaml:"retrieval,omitempty"`
	// Optimization draws the styles that it finds for each text by gradient, in place of the mapper.
	Optimization *methods.Optimization `yaml:"optimization,omitempty"`
}

func (d Draw) validate() error {
	_, errImage := d.Samples()
	_, errText := d.PromptText()
	switch {
	case d.Projection != "" && d.Projection != NoProjection:
		return fault.CheckChoice("projection", d.Projection)
	case d.Alpha != nil && !(*d.Alpha >= 0 && *d.Alpha <= draw.MaxAlpha):
		return fault.Field("alpha", *d.Alpha, "from 0 to %d", draw.MaxAlpha)
	case d.Keep != "" && d.Keep != draw.KeepNothing && d.Keep != draw.KeepW:
		return fault.CheckChoice("keep", d.Keep)
	case d.TruncationPsi != nil && !(*d.TruncationPsi >= 0 && *d.TruncationPsi <= 2):
		return fault.Field("truncation_psi", *d.TruncationPsi, "from 0 to 2")
	case d.InjectIndex < 0:
		return fault.Field("inject_index", d.InjectIndex, "0 or more")
	case errImage != nil || errText != nil:
		return cmp.Or(errImage, errText)
	}
	return d.validateMethod()
}

// Maps reports whether the pictures are drawn by the mapper, and not by another method.
func (d Draw) Maps() bool { return d.Retrieval == nil && d.Optimization == nil }

// onlyMaps reports whether the pictures are the first that the mapper gives.
func (d Draw) onlyMaps() bool { return d.Maps() && d.Spread == nil && !d.Chooses() }

// Chooses reports whether pictures are chosen of candidates, or refined.
func (d Draw) Chooses() bool { return d.BestOf != nil || d.Refine > 0 }

// validateMethod reports the first invalid setting of a method, or one that the method does not read.
func (d Draw) validateMethod() error {
	switch {
	case d.Spread != nil && !(*d.Spread > 0 && *d.Spread <= 1):
		return fault.Field("spread", *d.Spread, "above 0 and at most 1")
	case d.BestOf != nil && (*d.BestOf < 1 || *d.BestOf > 1000):
		return fault.Field("best_of", *d.BestOf, "from 1 to 1000")
	case d.Refine < 0 || d.Refine > 10_000:
		return fault.Field("refine", d.Refine, "from 0 to 10000")
	case d.Maps():
		return nil
	case d.Retrieval != nil && d.Optimization != nil:
		return fault.Usage(errors.New("retrieval and optimization exclude each other"), "give one of the two")
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"spread", d.Spread != nil}, {"best_of", d.BestOf != nil}, {"refine", d.Refine > 0}, {"keep", d.Keep != ""},
		{"inject_index", d.InjectIndex > 0}, {"truncation_psi", d.TruncationPsi != nil},
	} {
		if f.given {
			return fault.Usage(fmt.Errorf("%s belongs to pictures of the mapper", f.name),
				"leave it out of a variant with retrieval or optimization")
		}
	}
	if d.Retrieval != nil {
		return d.Retrieval.Validate()
	}
	return d.Optimization.Validate()
}

// PromptText is the N of the text prompt "text:N", 0 where it is another.
func (d Draw) PromptText() (int, error) {
	if d.TextPrompt == nil || !strings.HasPrefix(*d.TextPrompt, "text:") {
		return 0, nil
	}
	if n := numberAfter("text:", *d.TextPrompt); n >= 1 {
		return n, nil
	}
	return 0, fault.Field("text_prompt", *d.TextPrompt, `"text:N" with N from 1, or a prompt without "text:" before it`)
}

// numberAfter is the N of a setting that is kind and N, 0 where it is another.
func numberAfter(kind, setting string) int {
	n, rest := 0, ""
	if fields, _ := fmt.Sscanf(setting, kind+"%d%s", &n, &rest); fields != 1 {
		return 0
	}
	return n
}

// NoisePrompt is the image prompt of a picture of random pixels.
const NoisePrompt = "noise"

// Samples is the N of "samples:N", 0 where the image prompt is another.
func (d Draw) Samples() (int, error) {
	if d.ImagePrompt == "" || d.ImagePrompt == NoisePrompt {
		return 0, nil
	}
	if n := numberAfter("samples:", d.ImagePrompt); n >= 1 && n <= 1_000_000 {
		return n, nil
	}
	return 0, fault.Field("image_prompt", d.ImagePrompt, `"noise" or "samples:N" with N from 1 to 1000000`)
}
