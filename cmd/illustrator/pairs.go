package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/share"
	"illustrator/internal/version"
	"illustrator/models/stylegan2"
	"illustrator/train/runs"
	"illustrator/train/sampling"
)

type pairsOptions struct {
	domain, out            string
	part                   share.Part
	noiseMode              stylegan2.NoiseMode
	rows, shardRows, batch int
	seed                   uint64
}

func newPairsCommand(opts *terminal.Options) *cobra.Command {
	p := pairsOptions{noiseMode: stylegan2.NoiseRandom}
	cmd := &cobra.Command{
		Use:   "pairs",
		Short: "Sample training pairs: Z and the CLIP embedding of its picture",
		Long: `Samples z ~ N(0, I), renders the pictures, encodes them with CLIP and writes a set of pairs: a folder of
Arrow files (shards) with the columns z, image_embeds and seed, and a manifest with their SHA-256.

Row i is drawn from seed + i alone. The same command resumes after an interruption and gives the same bytes on
the same device; with more --rows it extends the set. Ctrl-C keeps all rows; a crash loses at most those of the
unfinished shard. --part 3/8 samples the third of eight equal parts into its own set, for eight machines;
"illustrator pairs merge" joins them to the set that one machine would have made. --part auto takes the part from an
array of Slurm, whose tasks count from 0 or 1; --part auto/8 from an indexed job of Kubernetes with 8 completions.

The folder is locked: a second process that writes to it ends with an error. On a file system without locks, as some
network file systems are, the command warns and continues.`,
		Example: `  illustrator pairs --rows 1000 --out pairs
  illustrator pairs --domain examples/tiny/tiny.yaml --rows 1000 --part 3/8 --out tiny-3`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPairs(cmd.Context(), opts, p) },
	}
	addDomainFlag(cmd, &p.domain)
	flags := cmd.Flags()
	flags.IntVar(&p.rows, "rows", 10_000, "number of pairs")
	flags.Uint64Var(&p.seed, "seed", 0, "seed of the first row")
	terminal.Enum(flags, &p.noiseMode, "noise-mode", "the generator's noise: const, random or none")
	opts.AddPrecisionFlag(flags)
	flags.IntVar(&p.shardRows, "shard-rows", pairs.DefaultShardRows, "number of rows in one file")
	flags.IntVar(&p.batch, "batch", 0,
		"pictures computed at once, on which the embeddings' last digits depend (default 32, fewer above 128 pixels)")
	flags.Var(&p.part, "part", "sample the `K/N`-th part of the rows only, such as 3/8; auto in an array of tasks")
	flags.StringVarP(&p.out, "out", "o", "pairs", "folder to write or to extend")
	cmd.AddCommand(newPairsMergeCommand(opts), newPairsInfoCommand(opts), newPairsVerifyCommand(opts),
		newPairsExportCommand(opts), newPairsImportCommand(opts))
	return cmd
}

func runPairs(ctx context.Context, opts *terminal.Options, p pairsOptions) error {
	seed, rows, err := p.span()
	if err != nil {
		return err
	}
	s, err := readDomain(opts, p.domain)
	if err != nil {
		return err
	}
	s.networks.Pictures = p.batch
	if err := checkSetFolder(p.out); err != nil {
		return err
	}
	meta := sampling.Meta(s.networks, s.domain.Name, seed, p.noiseMode, version.Program())
	if err := runs.Sample(ctx, opts.Env(), s.networks, p.out, meta, p.shardRows, rows); err != nil {
		return err
	}
	return opts.Println(p.out)
}

// span returns the first seed and the number of rows that the flags ask for.
func (p pairsOptions) span() (seed uint64, rows int, err error) {
	switch {
	case p.rows < 1 || p.rows > pairs.MaxRows:
		return 0, 0, fault.Field("--rows", p.rows, "from 1 to %d", pairs.MaxRows)
	case p.seed+uint64(p.rows) < p.seed:
		return 0, 0, fault.Usage(fmt.Errorf("--seed is %d", p.seed),
			"seed and rows together must stay below 2⁶⁴: row i is drawn from seed + i")
	case p.shardRows < 1 || p.shardRows > pairs.MaxShardRows:
		return 0, 0, fault.Field("--shard-rows", p.shardRows, "from 1 to %d", pairs.MaxShardRows)
	case p.batch < 0 || p.batch > configs.MaxPairsBatch:
		return 0, 0, fault.Field("--batch", p.batch, "from 1 to %d", configs.MaxPairsBatch)
	case p.part.N == 0:
		return p.seed, p.rows, nil
	case p.part.N > p.rows:
		return 0, 0, fault.Field("--part", p.part.String(), "of no more parts than --rows")
	}
	k, n := p.part.K, p.part.N
	first, end := (k-1)*p.rows/n, k*p.rows/n
	return p.seed + uint64(first), end - first, nil
}
