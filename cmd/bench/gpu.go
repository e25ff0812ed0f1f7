package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/bench/compare"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/machine"
	"illustrator/internal/parity"
	"illustrator/models/xla"
)

const gpuLong = `Measures a CUDA device as ` + "`bench`" +
	` does, in float32, TF32 and bfloat16, beside PyTorch eager and compiled, with the
GPU's memory and how busy it is, and writes a document of it and of the machine.

--parity names the folder with the figures of the parity tests; ` + "`make gpu-check`" + ` runs both. If a
figure exceeds its tolerance, the document is written too, and the exit code is 1.

--device cpu does the same on the CPU, without TF32 and nvidia-smi. It tests the check itself, not a GPU.`

// gpuCases are those that a device decides on, and not the disk.
var gpuCases = []string{"lorelei-l1", "lorelei-sampling", "lorelei-step", "full-sampling", "full-step"}

type gpuOptions struct {
	benchOptions
	parity    string
	out       string
	checkOnly bool
}

func newGPUCommand(opts *terminal.Options) *cobra.Command {
	var b gpuOptions
	cmd := &cobra.Command{
		Use:   "gpu [CASE]...",
		Short: "Measure a GPU against PyTorch's use of it, and write a document with its parity",
		Long:  gpuLong + "\n\nCases: by default " + strings.Join(gpuCases, ", ") + ".",
		Example: `  bench gpu --check
  bench gpu --parity .cache/gpu/parity --out docs/gpu.md
  bench gpu --device cpu --rounds 1 --out cpu.md lorelei-l1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if b.cases = args; len(args) == 0 {
				b.cases = gpuCases
			}
			return runGPU(cmd, opts, b)
		},
	}
	b.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&b.parity, "parity", "", "folder of the figures of parity")
	flags.StringVar(&b.out, "out", "docs/gpu.md", "document to write")
	flags.BoolVar(&b.checkOnly, "check", false, "only see that all is there that it takes")
	return cmd
}

// onDevice gives flags that were not given a value for the device: all that it computes in, on a GPU a batch that gives
// it something to do, and measurements of a second or so.
func (b *gpuOptions) onDevice(changed func(flag string) bool, cuda bool) {
	if !changed("rounds") {
		b.rounds = 3
	}
	if cuda && !changed("repeat") {
		b.repeat = 50
	}
	if cuda && !changed("full-batch") {
		b.fullBatch = 8
	}
	has := func(p compare.Precision) bool { return cuda || p != compare.TF32 }
	if !changed("precision") {
		for _, p := range compare.Precisions {
			if has(p) {
				b.precisions = append(b.precisions, string(p))
			}
		}
	}
	if !changed("pytorch") {
		for _, mode := range compare.Modes {
			if has(mode.Precision()) {
				b.modes = append(b.modes, string(mode))
			}
		}
	}
}

func runGPU(cmd *cobra.Command, opts *terminal.Options, b gpuOptions) error {
	if opts.Device == "" && opts.Backend == "" {
		opts.Device = "cuda"
	}
	backend, err := opts.BackendName()
	if err != nil {
		return err
	}
	b.onDevice(cmd.Flags().Changed, xla.IsCUDA(backend))
	if err := b.benchOptions.check(); err != nil {
		return err
	}
	cases, err := chooseCases(benchCases(b.benchOptions), b.cases)
	if err != nil {
		return err
	}
	options, pytorch, err := planOf(cmd.Context(), opts, b.benchOptions)
	if err != nil {
		return err
	}
	if b.checkOnly {
		opts.Log.Info(fmt.Sprintf("all is there: %s", deviceWords(options.GPU, pytorch)))
		return nil
	}
	if err := terminal.CheckOutputFile(b.out, ".md"); err != nil {
		return err
	}
	var sets []parity.Set
	if b.parity != "" {
		if sets, err = parity.Read(b.parity); err != nil {
			return fmt.Errorf("--parity: %w", err)
		}
	}
	measured, err := measure(cmd, opts, cases, b.benchOptions)
	if err != nil {
		return err
	}
	content, err := gpuDocument(measured, sets).Markdown()
	if err != nil {
		return err
	}
	if err := files.WriteFile(b.out, content, 0o666); err != nil {
		return err
	}
	if err := measured.print(opts.Stdout); err != nil {
		return err
	}
	if b.parity != "" {
		if err := offParity(sets, measured.GPU != nil); err != nil {
			return err
		}
	}
	return noRatios(measured.Results)
}

// deviceWords names the device, and PyTorch where it is measured.
func deviceWords(gpu *compare.GPU, pytorch string) string {
	words := "the CPU"
	if gpu != nil {
		words = fmt.Sprintf("%s (%s, compute capability %s, driver %s)", gpu.Name, machine.ByteSize(int64(gpu.MemoryBytes)),
			gpu.Capability, gpu.Driver)
	}
	if pytorch != "" {
		words += ", PyTorch " + pytorch
	}
	return words
}

// offParity returns an error that names the figures that are off, or what was not compared at all.
func offParity(sets []parity.Set, gpu bool) error {
	wanted := []string{parity.Float32, parity.BFloat16}
	if gpu {
		wanted = append(wanted, parity.TF32)
	}
	var off []string
	for _, set := range sets {
		for _, f := range set.Figures {
			if onGPU(set) == gpu {
				wanted = slices.DeleteFunc(wanted, func(p string) bool { return p == f.Precision })
			}
			if !f.OK() {
				off = append(off, fmt.Sprintf("%s, %s on %s in %s: %.2g, allowed %g", f.Network, f.Output, set.Backend, f.Precision,
					f.Error, f.Allowed))
			}
		}
	}
	switch {
	case len(off) > 0:
		return fmt.Errorf("%d figures are further from PyTorch's than allowed: %s", len(off), strings.Join(off, "; "))
	case len(wanted) > 0:
		return fault.Hint(fmt.Errorf("nothing was compared with PyTorch in %s", strings.Join(wanted, " and ")),
			"run `make gpu-check`, and see why its tests wrote no figures")
	}
	return nil
}

// onGPU reports whether a set is of a GPU.
func onGPU(s parity.Set) bool { return xla.IsCUDA(s.Backend) }
