package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/configs"
	"illustrator/data"
	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

type pairsOptions struct {
	domain, noiseMode, out string
	rows                   int
	seed                   uint64
}

func newPairsCommand(opts *globalOptions) *cobra.Command {
	var p pairsOptions
	cmd := &cobra.Command{
		Use:   "pairs",
		Short: "Sample training pairs: Z and the CLIP embedding of its picture",
		Long: `Samples z ~ N(0, I), renders the pictures, encodes them with CLIP and writes an Arrow file with the columns z,
image_embeds and seed. Row i is drawn from seed + i alone; the same command gives the same bytes on the same device.`,
		Example: `  illustrator pairs --rows 20000 --out pairs.arrow
  illustrator pairs --domain cats.yaml --rows 10000 --seed 1000000 --out cats.arrow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPairs(cmd.Context(), opts, p) },
	}
	addDomainFlag(cmd, &p.domain)
	flags := cmd.Flags()
	flags.IntVar(&p.rows, "rows", 10_000, "number of pairs")
	flags.Uint64Var(&p.seed, "seed", 0, "seed of the first row")
	flags.StringVar(&p.noiseMode, "noise-mode", string(stylegan2.NoiseRandom), "the generator's noise: const, random or none")
	flags.StringVarP(&p.out, "out", "o", "pairs.arrow", "file to write")
	return cmd
}

func runPairs(ctx context.Context, opts *globalOptions, p pairsOptions) error {
	mode, err := parseNoiseMode(p.noiseMode)
	if err != nil {
		return err
	}
	if p.rows < 1 || p.rows > configs.MaxRows {
		return fault.Usage(fmt.Errorf("--rows is %d", p.rows), "--rows must be from 1 to %d", configs.MaxRows)
	}
	if p.seed+uint64(p.rows) < p.seed {
		return fault.Usage(fmt.Errorf("--seed is %d", p.seed), "seed and rows together must stay below 2⁶⁴: row i is drawn from seed + i")
	}
	if err := checkOutputFile(p.out); err != nil {
		return err
	}
	s, err := opts.readDomain(p.domain)
	if err != nil {
		return err
	}
	if err := opts.samplePairs(ctx, s, p.out, p.rows, p.seed, mode); err != nil {
		return err
	}
	_, err = fmt.Fprintln(opts.stdout, p.out)
	return err
}

// samplePairs samples with a progress bar.
func (o *globalOptions) samplePairs(ctx context.Context, s *session, path string, rows int, seed uint64, mode stylegan2.NoiseMode) error {
	if err := o.start(s); err != nil {
		return err
	}
	bar := o.newProgress("Sampling pairs", rows)
	defer bar.Done()
	sampled := 0
	err := data.Sample(ctx, s.networks, path, data.SampleOptions{
		Domain: s.domain.Name, Rows: rows, Seed: seed, NoiseMode: mode, CreatedBy: createdBy(),
		Progress: func(done int) { sampled = done; bar.Set(done, "") },
	})
	if err != nil && ctx.Err() != nil {
		return fault.Hint(fmt.Errorf("%d of %d pairs were sampled, %q is not written", sampled, rows, path), "the same command samples them again")
	}
	return err
}
