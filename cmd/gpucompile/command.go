package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/hints"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/models/xla"
	"illustrator/models/xla/ahead"
)

const rootLong = `Builds the graphs that a CUDA device gets, with networks whose weights are zeros, and compiles them
ahead of time with XLA's CUDA plugin for devices that are described: A100, H100 and H200. No GPU is needed, and
nothing is run.

The results go to a JSON file after each program, and a document is written from it. Running it again compiles only
what changed.`

type options struct {
	plugin, results, document string
	programs, sets            []string
	small, render, countTorch bool
	torch                     string // file of PyTorch's counts
	asCase                    string // be the process of one case, given in JSON
	known                     string // with it, a file of earlier results
	kernels                   int    // with it, print the kernels that take the longest
}

func newRootCommand(opts *terminal.Options) *cobra.Command {
	opts.Explain = hints.Explain
	var o options
	cmd := &cobra.Command{
		Use:   "gpucompile",
		Short: "Compile the programs for A100, H100 and H200 without a GPU",
		Long:  rootLong,
		Example: `  gpucompile
  gpucompile --only step,sampling --networks 256`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.asCase != "" {
				return runCase(cmd.Context(), opts, o)
			}
			return run(cmd.Context(), opts, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.plugin, "plugin", "",
		"the CUDA plugin (default: the one that `illustrator setup --cuda` installed)")
	flags.StringVar(&o.results, "results", "docs/gpu-compiled.json", "JSON file of the results")
	flags.StringVar(&o.document, "document", "docs/gpu-compiled.md", "document to write")
	flags.StringSliceVar(&o.programs, "only", nil, "programs to compile (default: all)")
	flags.StringSliceVar(&o.sets, "networks", nil, "networks to compile them of: "+
		strings.Join(networkSets, ", ")+" (default: all)")
	flags.BoolVar(&o.small, "small", false, "compile Lorelei's training step for an H100 alone, and write nothing")
	flags.BoolVar(&o.render, "render", false, "write the document from the results, and compile nothing")
	flags.BoolVar(&o.countTorch, "pytorch", false, "count the operators of PyTorch's graphs, and compile nothing")
	flags.StringVar(&o.torch, "pytorch-results", "docs/gpu-pytorch.json", "JSON file of PyTorch's counts")
	flags.StringVar(&o.asCase, "case", "", "")
	flags.StringVar(&o.known, "known", "", "")
	flags.IntVar(&o.kernels, "kernels", 0, "")
	_ = flags.MarkHidden("kernels")
	_ = flags.MarkHidden("case")
	_ = flags.MarkHidden("known")
	opts.AddFlags(cmd.PersistentFlags())
	return cmd
}

// A job names the work of a process: one case, and the devices to compile it for.
type job struct {
	Case
	Devices []string `json:"devices"`
	CuBLAS  bool     `json:"cublas"` // leave products to cuBLAS
}

// jobs lists all cases, the most telling first: the main programs in TF32, then the others, other precisions and small
// batches, then other devices.
func (o options) jobs() []job {
	devices := deviceNames()
	h100 := devices[1]
	if o.small {
		return []job{{Case: Case{"step", "lorelei", 32, tf32}, Devices: []string{h100}}}
	}
	var order [6][]job
	add := func(pass int, c Case, devices ...string) {
		order[pass] = append(order[pass], job{Case: c, Devices: devices})
	}
	for _, p := range programList {
		sets := p.sets
		if sets == nil {
			sets = networkSets
		}
		for _, set := range sets {
			if o.programs != nil && !slices.Contains(o.programs, p.name) || o.sets != nil && !slices.Contains(o.sets, set) {
				continue
			}
			for _, batch := range p.batches() {
				first := 1
				switch {
				case batch < middleBatch:
					first = 4
				case slices.Contains(mainPrograms, p.name):
					first = 0
				}
				add(first, Case{p.name, set, batch, tf32}, h100)
				if p.narrow {
					add(max(2, first), Case{p.name, set, batch, bfloat16}, h100)
				}
				add(max(3, first), Case{p.name, set, batch, float32s}, h100)
			}
			add(5, Case{p.name, set, middleBatch, tf32}, devices[0], devices[2])
		}
	}
	return slices.Concat(order[:]...)
}

// mainPrograms are compiled in all batches, from which the memory of others follows.
var mainPrograms = []string{"step", "sampling", "refine"}

const middleBatch = 8

func (p program) batches() []int {
	switch {
	case !slices.Contains(mainPrograms, p.name):
		return []int{middleBatch}
	case p.most > 0:
		return []int{1, middleBatch, p.most}
	case strings.HasPrefix(p.name, "step"):
		return []int{2, middleBatch, 64} // BatchNorm has no statistics of one row
	}
	return []int{1, middleBatch, 64}
}

func deviceNames() []string {
	var names []string
	for _, d := range ahead.Devices() {
		names = append(names, d.Name)
	}
	return names
}

func run(ctx context.Context, opts *terminal.Options, o options) error {
	results, err := readResults(o.results)
	if err != nil {
		return err
	}
	if o.countTorch {
		if err := countPyTorch(ctx, opts, o.torch); err != nil {
			return err
		}
	}
	if o.render || o.countTorch {
		return o.writeDocument(results)
	}
	plugin := o.plugin
	if plugin == "" {
		var ok bool
		if plugin, ok = xla.Find("cuda"); !ok {
			return fault.Hint(errors.New("no CUDA plugin"), "run `illustrator setup --cuda=13`, which needs no GPU")
		}
	}
	results, failed, err := o.compileAll(ctx, opts, plugin, results)
	if err != nil {
		return err
	}
	if o.small {
		return jsonfile.Print(opts.Stdout, results[len(results)-1])
	}
	if err := o.writeDocument(results); err != nil {
		return err
	}
	if failed > 0 {
		return fault.Hint(fmt.Errorf("%d programs did not compile", failed), "%s says why", o.document)
	}
	return nil
}

// compileAll compiles all jobs, and returns the results with those of the programs that it compiled.
func (o options) compileAll(ctx context.Context, opts *terminal.Options, plugin string, results []Result) (all []Result,
	failed int, err error) {
	jobs := o.jobs()
	progress := opts.NewProgress("compile", len(jobs))
	defer progress.Done()
	for i, j := range jobs {
		progress.Set(i, j.String())
		began := time.Now()
		done, err := compileJob(ctx, plugin, o.results, j)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range done {
			if r.Error != "" {
				failed++
				opts.Log.Warn(fmt.Sprintf("%v for %s: %s", r.Case, r.Device, r.Error))
			}
			results = replace(results, r)
		}
		opts.Log.Debug(j.String(), "seconds", time.Since(began).Seconds())
		if !o.small {
			if err := jsonfile.Write(o.results, results); err != nil {
				return nil, 0, err
			}
		}
	}
	progress.Set(len(jobs), "")
	return results, failed, nil
}

// compileJob compiles a job. XLA's own kernels for products are tried out on a device, and cuBLAS takes their place
// where none works. Without a device that fails, and the program is compiled again with cuBLAS's products.
func compileJob(ctx context.Context, plugin, known string, j job) ([]Result, error) {
	results, err := compileInChild(ctx, plugin, known, j)
	if err != nil || !slices.ContainsFunc(results, func(r Result) bool { return strings.Contains(r.Error, noKernel) }) {
		return results, err
	}
	j.CuBLAS = true
	return compileInChild(ctx, plugin, known, j)
}

// noKernel is in XLA's error where it has no kernel of its own for a product, and no device to choose another.
const noKernel = "No supported config found"

func replace(results []Result, r Result) []Result {
	same := func(old Result) bool { return old.Case == r.Case && old.Device == r.Device }
	if at := slices.IndexFunc(results, same); at >= 0 {
		results[at] = r
		return results
	}
	return append(results, r)
}

func readResults(path string) ([]Result, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var results []Result
	if err := json.Unmarshal(content, &results); err != nil {
		return nil, fault.Hint(fmt.Errorf("results %q: %w", path, err), "delete the file to compile everything again")
	}
	return results, nil
}

func (o options) writeDocument(results []Result) error {
	torch, err := readPyTorch(o.torch)
	if err != nil {
		return fault.Hint(fmt.Errorf("PyTorch's counts %q: %w", o.torch, err),
			"delete the file, or run `gpucompile --pytorch`")
	}
	text, err := document(results, torch).Markdown()
	if err != nil {
		return err
	}
	return files.WriteFile(o.document, text, 0o644)
}
