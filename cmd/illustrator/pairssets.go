package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/data/pairs"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/stylegan2"
	"illustrator/train/runs"
	"illustrator/train/sampling"
)

func newPairsMergeCommand(opts *terminal.Options) *cobra.Command {
	var rows int
	cmd := &cobra.Command{
		Use:   "merge OUT IN...",
		Short: "Join sets of different seeds",
		Long: `Joins sets that were sampled with the same settings from different seeds, such as the parts of --part, to one
set: the bytes that sampling all at once would have given. Every file is verified first. Sets that share seeds are
refused. Seeds that no set has stay out; a set with such gaps is read like any other but may not grow. --rows refuses
sets that do not have that number of rows together, as when a part is missing.`,
		Example: `  illustrator pairs merge all examples/pairs examples/held-out
  illustrator pairs merge both examples/held-out examples/pairs --rows 96`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fault.Usage(fmt.Errorf("%d arguments are given, not 2 or more", len(args)),
					"give the folder to write and those to join; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPairsMerge(cmd.Context(), opts, args[0], args[1:], rows)
		},
	}
	cmd.Flags().IntVar(&rows, "rows", 0, "number of rows that the sets must have together (default any)")
	return cmd
}

// runPairsMerge merges the sets in to one in out; of other than the wanted rows, 0 for any, it merges none.
func runPairsMerge(ctx context.Context, opts *terminal.Options, out string, in []string, want int) error {
	var sets []*pairs.Set
	rows := 0
	for _, folder := range in {
		set, err := pairs.Open(folder)
		if err != nil {
			return err
		}
		defer set.Close()
		sets = append(sets, set)
		rows += set.Len()
	}
	if want != 0 && rows != want {
		return fault.Hint(fmt.Errorf("the %d sets have %d rows together, not %d", len(sets), rows, want),
			"complete the parts first: the commands that sampled them resume")
	}
	if err := checkSetFolder(out); err != nil {
		return err
	}
	var bar *terminal.Progress // from the first rows on: a refused merge shows none
	err := pairs.Merge(ctx, out, sets, func(done, all int) {
		if bar == nil {
			bar = opts.NewProgress("Merging pairs", all)
		}
		bar.Set(done, "")
	})
	if bar != nil {
		bar.Done()
	}
	if cause := context.Cause(ctx); cause != nil && err == cause {
		return fault.Hint(fmt.Errorf("%q is not whole yet", out), "the same command resumes from there")
	}
	if err != nil {
		return err
	}
	return opts.Println(out)
}

func newPairsInfoCommand(opts *terminal.Options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info SET",
		Short: "Print what a set holds and how it was made",
		Example: `  illustrator pairs info examples/pairs
  illustrator pairs info examples/pairs --json`,
		Args: terminal.ExactArgs(1, "the folder of the set"),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := pairs.Open(args[0])
			if err != nil {
				return err
			}
			defer p.Close()
			return opts.PrintRows(asJSON, p.Info(), p.Info().Table())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newPairsVerifyCommand(opts *terminal.Options) *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "verify SET",
		Short: "Read every byte of a set and name what is damaged",
		Long: `Compares every file with the manifest: size, SHA-256, columns and seeds, and that all values are finite.
Names every damaged or missing file; the exit code is 1 if there is one. --repair takes such files out of the set: the
"illustrator pairs" that sampled it samples their rows again.`,
		Example: `  illustrator pairs verify examples/pairs
  illustrator pairs verify examples/pairs --repair`,
		Args: terminal.ExactArgs(1, "the folder of the set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPairsVerify(cmd.Context(), opts, args[0], repair)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "take damaged files out of the set")
	return cmd
}

func runPairsVerify(ctx context.Context, opts *terminal.Options, folder string, repair bool) error {
	rows, bad, err := runs.Verify(ctx, opts.Env(), folder)
	if err != nil {
		return err
	}
	if len(bad) == 0 {
		return opts.Printf("%s: all %d rows are as they were written\n", folder, rows)
	}
	for _, b := range bad {
		if _, err := fmt.Fprintf(opts.Stdout, "%s, seeds %v: %v\n", b.File, b.Seeds, b.Err); err != nil {
			return err
		}
	}
	if !repair {
		return fault.Hint(fmt.Errorf("%d files of %s are damaged", len(bad), folder),
			"--repair takes them out of the set; the command that sampled it then samples their rows again")
	}
	if err := pairs.Repair(folder, bad); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.Stdout,
		"%s: %d files are taken out; the command that sampled the set samples their rows again\n", folder, len(bad))
	return err
}

func newPairsExportCommand(opts *terminal.Options) *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use:   "export SET",
		Short: "Write a set as Parquet, NumPy or PyTorch files",
		Long: `Writes all rows in order: as one Parquet file with the columns z, image_embeds and seed, as a folder with
z.npy, image_embeds.npy and seed.npy, or as a PyTorch file in the official release's form, with Style_latent and
CLIP_latent. Memory does not grow with the set.`,
		Example: `  illustrator pairs export examples/pairs --format parquet --out pairs.parquet
  illustrator pairs export examples/pairs --format npy --out arrays
  illustrator pairs export examples/pairs --format pth --out pairs.pth`,
		Args: terminal.ExactArgs(1, "the folder of the set"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPairsExport(cmd.Context(), opts, args[0], format, out)
		},
	}
	cmd.Flags().StringVar(&format, "format", "parquet", "parquet, npy or pth")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file, or folder for npy, to write (required)")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func runPairsExport(ctx context.Context, opts *terminal.Options, folder, format, out string) error {
	p, err := pairs.Open(folder)
	if err != nil {
		return err
	}
	defer p.Close()
	var export func(ctx context.Context, path string, progress func(rows int)) error
	switch format {
	case "parquet":
		export, err = p.ExportParquet, terminal.CheckOutputFile(out, ".parquet")
	case "npy":
		export, err = p.ExportNPY, terminal.CheckOutputFolder(out)
	case "pth":
		export, err = p.ExportReleased, terminal.CheckOutputFile(out, ".pth", ".pt")
	default:
		err = fault.Usage(fmt.Errorf("--format %q is unknown", format), "use parquet, npy or pth")
	}
	if err != nil {
		return err
	}
	bar := opts.NewProgress("Exporting pairs", p.Len())
	err = export(ctx, out, func(rows int) { bar.Set(rows, "") })
	bar.Done()
	if err != nil {
		return err
	}
	return opts.Println(out)
}

// checkSetFolder returns an error if a set could not be made at folder. In one that is there nothing is tried: the
// set's writer does that.
func checkSetFolder(folder string) error {
	if info, err := os.Stat(folder); err == nil && info.IsDir() {
		return nil
	}
	return terminal.CheckOutputFolder(folder)
}

func newPairsImportCommand(opts *terminal.Options) *cobra.Command {
	var domain, out string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a set of the official release's pairs",
		Long: `Reads a PyTorch file of the official release, Style_latent [N,Z] and CLIP_latent [N,E], and writes its rows
as a set of pairs of the domain, whose networks must be those that made the file. Nothing in the file is executed.
Rows are numbered from seed 2^62 on; no z is drawn from these seeds.`,
		Example: `  illustrator pairs import examples/pairs.pth --out imported
  illustrator pairs import examples/pairs.pth --domain lorelei --out imported-too`,
		Args: terminal.ExactArgs(1, "the file of pairs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readDomain(opts, domain)
			if err != nil {
				return err
			}
			if err := checkSetFolder(out); err != nil {
				return err
			}
			meta := sampling.Meta(s.networks, s.domain.Name, pairs.ReleasedSeed, stylegan2.NoiseRandom, version.Program())
			rows, err := pairs.ImportReleased(cmd.Context(), args[0], out, meta, pairs.DefaultShardRows)
			if err != nil {
				return err
			}
			return opts.Printf("%s: %d pairs\n", out, rows)
		},
	}
	addDomainFlag(cmd, &domain)
	cmd.Flags().StringVarP(&out, "out", "o", "pairs", "folder to write")
	return cmd
}
