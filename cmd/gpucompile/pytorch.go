package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"illustrator/cmd/bench/compare"
	"illustrator/cmd/terminal"
	"illustrator/eval/report"
	"illustrator/internal/jsonfile"
	"illustrator/models/xla/ahead"
	"illustrator/train/bench"
)

// counted holds the counts of PyTorch's graph of a case.
type counted struct {
	Case
	compare.Counts
}

// countPyTorch counts the operators of PyTorch's graphs of sampling and of a training step into the file path.
func countPyTorch(ctx context.Context, opts *terminal.Options, path string) error {
	python, err := compare.FindPython()
	if err != nil {
		return err
	}
	h100 := ahead.Devices()[1]
	var all []counted
	for _, set := range networkSets {
		generator, networks, err := configurations(set)
		if err != nil {
			return err
		}
		for _, program := range []struct {
			name string
			task bench.Task
		}{{"sampling", bench.Sampling}, {"step", bench.Training}} {
			for _, batch := range []int{middleBatch, 64} {
				c := Case{Program: program.name, Networks: set, Batch: batch, Precision: tf32}
				work := c.bench(program.task).Work(generator, networks)
				counts, err := compare.Count(ctx, python, work, h100.TF32, h100.Bandwidth)
				if err != nil {
					return fmt.Errorf("%v: %w", c, err)
				}
				opts.Log.Info(c.String(), "operators", counts.Operators)
				all = append(all, counted{c, counts})
			}
		}
	}
	return jsonfile.Write(path, all)
}

func readPyTorch(path string) (all []counted, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &all)
	}
	return all, err
}

// pytorchSection has the counts of PyTorch's graphs beside those of the programs that were compiled for an H100.
func pytorchSection(all []counted, results []Result) report.Section {
	t := report.Table{Columns: []report.Column{{Header: "program"}, {Header: "networks"}, column("batch"),
		column("GFLOP"), column("PyTorch's"), column("GB moved"), column("PyTorch's"),
		column("kernels"), column("PyTorch's operators"), column("bound, ms"), column("PyTorch's")}}
	version := ""
	for _, r := range results {
		for _, c := range all {
			if c.Case != r.Case || r.Compiled == nil {
				continue
			}
			version = c.Torch
			kernels := 0
			for _, n := range r.Compiled.Kernels {
				kernels += n
			}
			row := []report.Cell{report.Text(r.Program), report.Text(r.Networks)}
			for _, text := range []string{
				fmt.Sprint(r.Batch), fmt.Sprintf("%.1f", r.Compiled.FLOPs/1e9), fmt.Sprintf("%.1f", c.FLOPs/1e9),
				fmt.Sprintf("%.2f", r.Compiled.Bytes/1e9), fmt.Sprintf("%.2f", c.Bytes/1e9),
				fmt.Sprint(kernels), fmt.Sprint(c.Operators),
				fmt.Sprintf("%.3f", 1e3*r.Compiled.Bound), fmt.Sprintf("%.3f", 1e3*c.Bound),
			} {
				row = append(row, report.Text(text))
			}
			t.Rows = append(t.Rows, report.Row{Cells: row})
		}
	}
	return report.Section{Heading: "PyTorch's graph", Blocks: []report.Block{
		report.Paragraph(fmt.Sprintf("The operators that PyTorch %s executes in eager mode for the same work, traced on its "+
			"meta device, which computes nothing. Each reads and writes its operands once; views are left out. The bound is "+
			"the sum of the least times of the operators, in TF32 on an H100. Neither side was run.", version)),
		t,
		report.List{
			"This is the eager graph. torch.compile fuses most of its elementwise operators, which lowers bytes and number. " +
				"Its kernels are generated on a GPU, and none was at hand: there are no counts of them.",
			"Adam is counted tensor by tensor; on a GPU PyTorch groups these operators.",
		}}}
}
