package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/data/seeds"
	"illustrator/draw"
)

// drawFlags say how texts become pictures.
type drawFlags struct {
	spec  draw.Spec
	seeds string
}

// addFlags adds the flags that all commands which draw texts have; seeds are those without --seeds.
func (d *drawFlags) addFlags(cmd *cobra.Command, seeds string) {
	flags := cmd.Flags()
	flags.StringVar(&d.seeds, "seeds", seeds, "seeds, such as 0,1,4-6")
	addProjectionFlags(cmd, &d.spec.Settings)
	terminal.OptionalInt(flags, &d.spec.InjectIndex, "inject-index", 0,
		"layers below take the seed's random style, the others the predicted one")
	d.spec.NoiseMode = draw.RandomNoise
	addSynthesisFlags(cmd, &d.spec.Settings)
}

// addProjectionFlags adds the flags of eq. 3.
func addProjectionFlags(cmd *cobra.Command, s *draw.Settings) {
	terminal.OptionalFloat(cmd.Flags(), &s.Alpha, "alpha", 0,
		"distinctiveness of a text's prompt projection, eq. 3, from 0 to 10 (default the domain's)")
	cmd.Flags().BoolVar(&s.NoProjection, "no-projection", false, "use the text embedding as it is, without prompts")
}

// addSynthesisFlags adds the generator's flags; the noise mode that s has is the default.
func addSynthesisFlags(cmd *cobra.Command, s *draw.Settings) {
	terminal.Enum(cmd.Flags(), &s.NoiseMode, "noise-mode", "the generator's noise: const, random or none")
	terminal.OptionalFloat(cmd.Flags(), &s.TruncationPsi, "truncation-psi", 1,
		"pull W towards its mean: 1 disables truncation, 0 gives the mean picture")
}

// addVariety adds the flags of several pictures of a text and of their improvement.
func (d *drawFlags) addVariety(cmd *cobra.Command) {
	flags, s := cmd.Flags(), &d.spec
	terminal.OptionalInt(flags, &s.Count, "count", 1,
		"pictures of each text, of the seeds from --seed on; in place of --seeds")
	terminal.OptionalUint(flags, &s.Seed, "seed", "first seed of --count and --best-of")
	terminal.Enum(flags, &s.Diversity, "diversity",
		"what the pictures of a text differ in: noise, style or z (default z with --count or --best-of, else noise)")
	terminal.OptionalFloat(flags, &s.Spread, "spread", draw.DefaultSpread,
		"with --diversity z: 0 is the predicted z, 1 any z")
	terminal.OptionalInt(flags, &s.BestOf, "best-of", 1,
		"draw N candidates per picture, of a seed each, and keep the best by CLIP similarity")
	flags.IntVar(&s.Refine, "refine", 0, "improve each picture's z by N steps down the gradient of eq. 9 and 10")
}

// plan checks the flags against the model.
func (d *drawFlags) plan(cmd *cobra.Command, m draw.Model) (p draw.Plan, err error) {
	if err := d.parseSeeds(cmd); err != nil {
		return p, err
	}
	p, err = m.Plan(d.spec, draw.DefaultLimits())
	return p, hints.AsFlags(err)
}

// parseSeeds reads --seeds, unless flags in its place are given.
func (d *drawFlags) parseSeeds(cmd *cobra.Command) (err error) {
	begins := d.spec.Count != nil || d.spec.BestOf != nil || d.spec.Seed != nil
	if cmd.Flags().Changed("seeds") || !begins {
		if d.spec.Seeds, err = seeds.Parse(d.seeds); err != nil {
			return fmt.Errorf("--%w", err)
		}
	}
	return nil
}
