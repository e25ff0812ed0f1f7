package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"illustrator/data/seeds"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// What the pictures of one text differ in.
const (
	diversityNoise = "noise" // the generator's noise
	diversityStyle = "style" // and the styles of the first layers, which are the seed's: the paper's way
	diversityZ     = "z"     // and z, which lies around the predicted one
)

// defaultSpread is what pipeline.SpreadZ gets with --diversity z.
const defaultSpread = 0.4

// maxRefine is the largest number of steps of a refinement.
const maxRefine = 10_000

// diversityOptions say how many pictures a text gets, in what they differ, and how they are improved.
type diversityOptions struct {
	count, bestOf, refine int
	seed                  uint64
	diversity             string
	spread                float64
}

func (v *diversityOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&v.count, "count", 1, "pictures of each text, of the seeds from --seed on; in place of --seeds")
	flags.Uint64Var(&v.seed, "seed", 0, "first seed of --count and --best-of")
	flags.StringVar(&v.diversity, "diversity", "", "what the pictures of a text differ in: noise, style or z (default z with --count or --best-of, else noise)")
	flags.Float64Var(&v.spread, "spread", defaultSpread, "with --diversity z: 0 is the predicted z, 1 any z")
	flags.IntVar(&v.bestOf, "best-of", 1, "draw so many candidates a picture, of a seed each, and keep those that CLIP ranks first")
	flags.IntVar(&v.refine, "refine", 0, "improve each picture's z by so many steps down the gradient of eq. 9 and 10")
}

// resolve checks the options against each other and sets the seeds and the inject index of d by them.
func (v *diversityOptions) resolve(cmd *cobra.Command, d *drawOptions) error {
	given := cmd.Flags().Changed
	if err := v.resolveSeeds(given, d); err != nil {
		return err
	}
	if v.diversity == "" {
		switch {
		case given("inject-index"):
			v.diversity = diversityStyle
		case given("count") || given("best-of") || given("spread"):
			v.diversity = diversityZ
		default:
			v.diversity = diversityNoise
		}
	}
	several := v.count*v.bestOf > 1
	switch v.diversity {
	case diversityNoise:
		if several && d.noiseMode != string(stylegan2.NoiseRandom) {
			return fault.Usage(fmt.Errorf("--diversity noise with --noise-mode %s", d.noiseMode), "all pictures of a text would be one: leave --noise-mode out, or give --diversity style or z")
		}
	case diversityStyle:
		switch {
		case !given("inject-index"):
			d.injectIndex = 1 // the release's
		case d.injectIndex == 0 && given("diversity"):
			return fault.Usage(fmt.Errorf("--inject-index 0 with --diversity style"), "no layer would take the seed's style: give 1 or more")
		}
	case diversityZ:
		if !(v.spread > 0 && v.spread <= 1) {
			return fault.Usage(fmt.Errorf("--spread is %g", v.spread), "--spread must be above 0 and at most 1; at 1 the text has no say")
		}
	default:
		return fault.Usage(fmt.Errorf("--diversity %q is unknown", v.diversity), "use noise, style or z")
	}
	if v.diversity != diversityStyle && given("inject-index") {
		return fault.Usage(fmt.Errorf("--inject-index with --diversity %s", v.diversity), "--inject-index is for --diversity style: leave one of the two out")
	}
	if v.diversity != diversityZ {
		if given("spread") {
			return fault.Usage(fmt.Errorf("--spread with --diversity %s", v.diversity), "--spread is for --diversity z: leave one of the two out")
		}
		v.spread = 0
	}
	return v.checkRefine(d)
}

// resolveSeeds turns --count and --seed into the seeds that are drawn.
func (v *diversityOptions) resolveSeeds(given func(string) bool, d *drawOptions) error {
	for _, f := range []struct {
		name  string
		value int
	}{{"count", v.count}, {"best-of", v.bestOf}} {
		if f.value < 1 || f.value > seeds.Max {
			return fault.Usage(fmt.Errorf("--%s is %d", f.name, f.value), "--%s must be from 1 to %d", f.name, seeds.Max)
		}
		if given("seeds") && given(f.name) {
			return fault.Usage(fmt.Errorf("--seeds and --%s are given", f.name), "--seeds draws one picture of each seed; --%s takes the seeds from --seed on: give one of the two", f.name)
		}
	}
	if given("seeds") && given("seed") {
		return fault.Usage(fmt.Errorf("--seeds and --seed are given"), "--seed is the first seed of --count and --best-of: give one of the two")
	}
	if given("seeds") {
		return nil
	}
	drawn := v.count * v.bestOf // at most 10¹⁰
	if drawn > seeds.Max || v.seed > math.MaxUint64-uint64(drawn-1) {
		return fault.Usage(fmt.Errorf("%d seeds from %d on", drawn, v.seed), "--count times --best-of is at most %d, and the last seed at most %d", seeds.Max, uint64(math.MaxUint64))
	}
	d.seeds = fmt.Sprint(v.seed)
	if drawn > 1 {
		d.seeds = fmt.Sprintf("%d-%d", v.seed, v.seed+uint64(drawn-1))
	}
	return nil
}

func (v *diversityOptions) checkRefine(d *drawOptions) error {
	switch {
	case v.refine < 0 || v.refine > maxRefine:
		return fault.Usage(fmt.Errorf("--refine is %d", v.refine), "--refine must be from 0 (off) to %d steps", maxRefine)
	case v.refine > 0 && d.injectIndex > 0:
		return fault.Usage(fmt.Errorf("--refine with styles of the seed in %d layers", d.injectIndex), "--refine moves the one z of all layers, as training does: give --diversity noise or z")
	case v.refine > 0 && d.truncationPsi != 1:
		return fault.Usage(fmt.Errorf("--refine with --truncation-psi %g", d.truncationPsi), "--refine moves z without truncation, as training does: leave --truncation-psi out")
	}
	return nil
}
