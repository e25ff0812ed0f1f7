package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"illustrator/eval/report"
	"illustrator/models/xla/ahead"
	"illustrator/train"
)

// document says what the results are: compiled, not run.
func document(results []Result, torch []counted) report.Document {
	d := report.Document{
		Title: "Compiled for GPUs",
		Subtitle: "`make gpu-compile` writes this file. Everything here was compiled by XLA's CUDA plugin on a machine " +
			"without a GPU. Nothing was run.",
		Facts: report.Facts("gpucompile"),
	}
	h100 := ahead.Devices()[1].Name
	d.Sections = append(d.Sections, explanation(results))
	for _, set := range networkSets {
		d.Sections = append(d.Sections, programSection(set,
			of(results, func(r Result) bool { return r.Networks == set && r.Device == h100 })))
	}
	d.Sections = append(d.Sections, memorySection(of(results, func(r Result) bool { return r.Device == h100 })),
		deviceSection(results), findingSection(results))
	if len(torch) > 0 {
		d.Sections = append(d.Sections, pytorchSection(torch, of(results, func(r Result) bool { return r.Device == h100 })))
	}
	return d
}

func of(results []Result, keep func(Result) bool) []Result {
	var kept []Result
	for _, r := range results {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

func explanation(results []Result) report.Section {
	failed := len(of(results, func(r Result) bool { return r.Error != "" }))
	listed := 0
	for _, j := range (options{}).jobs() {
		listed += len(j.Devices)
	}
	said := fmt.Sprintf("%d programs compiled, %d did not.", len(results)-failed, failed)
	if left := listed - len(results); left > 0 {
		said += fmt.Sprintf(" %d more of the list of `make gpu-compile` have not been compiled yet: it takes the main "+
			"programs in TF32 first, then other precisions, small batches, and A100 and H200 last.", left)
	}
	return report.Section{Heading: "Reading the tables", Blocks: []report.Block{
		report.Paragraph(said + " The weights are zeros: compiling needs only their shapes."),
		report.List{
			"Memory is XLA's plan: arguments, outputs and temporaries. cuDNN's and cuBLAS's algorithms are chosen on a " +
				"device, and their workspaces are not in it.",
			"Kernels are the launches of a run. FLOPs are those of convolutions and products. Bytes are what the kernels read " +
				"and write, each operand once.",
			"The bound is the sum over all kernels of the least time that each takes: FLOPs at the data sheet's peak, or " +
				"bytes at the memory's bandwidth. " +
				"It is a lower bound of a run without launch overhead, not a measurement.",
			"The peaks are the dense ones: 67 TFLOP/s in float32, 495 in TF32 and 989 in bfloat16 on an H100.",
		},
	}}
}

func column(header string) report.Column { return report.Column{Header: header, Align: report.Right} }

func programSection(set string, results []Result) report.Section {
	names := map[string]string{
		"lorelei": "Lorelei, 64 pixels, on an H100", "256": "256 pixels with ViT-B/32, on an H100",
		"1024": "1024 pixels with ViT-B/32, on an H100",
	}
	t := report.Table{Columns: []report.Column{{Header: "program"}, {Header: "precision"}, column("batch"),
		column("memory, GiB"), column("kernels"), column("convolutions of cuDNN"), column("products"),
		column("transposes, copies"), column("GFLOP"), column("GB moved"), column("bound, ms")}}
	twice := false
	for _, r := range results {
		row := []report.Cell{report.Text(r.Program), report.Text(r.Precision), report.Text(fmt.Sprint(r.Batch))}
		if r.CuBLAS {
			row[1] = row[1].Marked("†")
		}
		if r.Compiled == nil {
			row = append(row, report.Text("not compiled: "+r.Error))
			for len(row) < len(t.Columns) {
				row = append(row, report.Text(""))
			}
		} else {
			k := r.Compiled.Kernels
			total := 0
			for _, n := range k {
				total += n
			}
			memory := report.Text(fmt.Sprintf("%.2f", float64(r.Memory.Peak())/(1<<30)))
			if r.twice() {
				memory, twice = memory.Marked("‡"), true
			}
			row = append(row, memory, report.Text(fmt.Sprint(total)),
				report.Text(fmt.Sprint(k[kindConvolution])), report.Text(fmt.Sprint(k[kindProduct]+k[kindTriton])),
				report.Text(fmt.Sprintf("%d (%.1f %% of bytes)",
					k[kindTranspose]+k[kindCopy], 100*r.Compiled.Transposed/r.Compiled.Bytes)),
				report.Text(fmt.Sprintf("%.1f", r.Compiled.FLOPs/1e9)), report.Text(fmt.Sprintf("%.2f", r.Compiled.Bytes/1e9)),
				report.Text(fmt.Sprintf("%.3f", 1e3*r.Compiled.Bound)))
		}
		t.Rows = append(t.Rows, report.Row{Cells: row})
	}
	if slices.ContainsFunc(results, func(r Result) bool { return r.CuBLAS }) {
		t.Notes = []report.Note{{Mark: "†",
			Text: "Products were left to cuBLAS: XLA found no kernel of its own for one of them without a device to try it on."}}
	}
	if twice {
		t.Notes = append(t.Notes, report.Note{Mark: "‡", Text: "Compiled before a step declared that its results replace " +
			"its arguments. A rerun compiles it again."})
	}
	return report.Section{Heading: names[set], Blocks: []report.Block{t}}
}

// twice reports whether a training step's variables are in memory before and after it at once.
func (r Result) twice() bool { return strings.HasPrefix(r.Program, "step") && r.Memory.Aliased == 0 }

// memorySection has the largest batch that fits in usual memories, by a line through the two largest batches.
func memorySection(results []Result) report.Section {
	t := report.Table{Columns: []report.Column{{Header: "program"}, {Header: "networks"}, {Header: "precision"},
		column("MiB per row"), column("24 GB"), column("40 GB"), column("80 GB")}}
	type key struct{ program, networks, precision string }
	groups := map[key][]Result{}
	var order []key
	for _, r := range results {
		k := key{r.Program, r.Networks, r.Precision}
		if r.Compiled == nil || !slices.Contains(mainPrograms, r.Program) {
			continue
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	for _, k := range order {
		perRow, fixed, ok := line(groups[k])
		if !ok {
			continue
		}
		row := []report.Cell{report.Text(k.program), report.Text(k.networks), report.Text(k.precision),
			report.Text(fmt.Sprintf("%.1f", perRow/(1<<20)))}
		for _, gigabytes := range []int64{24, 40, 80} {
			memory := float64(train.PlannableMemory(gigabytes * 1e9))
			row = append(row, report.Text(fmt.Sprint(max(0, int((memory-fixed)/perRow)))))
		}
		t.Rows = append(t.Rows, report.Row{Cells: row})
	}
	return report.Section{Heading: "The largest batch that fits", Blocks: []report.Block{
		report.Paragraph("By a line through the two largest batches that were compiled, with 85 % of the memory for the " +
			"program and the rest for libraries and their workspaces. Compiled, not tried. `train --dry-run` reserves the " +
			"same part and estimates the rest from the networks' sizes; for steps in TF32 it is at most 8 % off this table."),
		t}}
}

// line fits memory = fixed + perRow·batch through the two largest batches.
func line(results []Result) (perRow, fixed float64, ok bool) {
	slices.SortFunc(results, func(a, b Result) int { return a.Batch - b.Batch })
	if len(results) < 2 {
		return 0, 0, false
	}
	a, b := results[len(results)-2], results[len(results)-1]
	perRow = float64(b.Memory.Peak()-a.Memory.Peak()) / float64(b.Batch-a.Batch)
	return perRow, float64(b.Memory.Peak()) - perRow*float64(b.Batch), perRow > 0
}

// deviceSection compares the devices in the one precision and batch that all were compiled for.
func deviceSection(results []Result) report.Section {
	t := report.Table{Columns: []report.Column{{Header: "program"}, {Header: "networks"}}}
	for _, d := range ahead.Devices() {
		t.Columns = append(t.Columns, column(d.Name))
	}
	type key struct{ program, networks string }
	cells := map[key]map[string]string{}
	var order []key
	for _, r := range of(results, func(r Result) bool { return r.Precision == tf32 && r.Batch == middleBatch }) {
		k := key{r.Program, r.Networks}
		if cells[k] == nil {
			cells[k] = map[string]string{}
			order = append(order, k)
		}
		cells[k][r.Device] = "not compiled"
		if r.Compiled != nil {
			cells[k][r.Device] = fmt.Sprintf("%.3f ms, %.2f GiB", 1e3*r.Compiled.Bound, float64(r.Memory.Peak())/(1<<30))
		}
	}
	for _, k := range order {
		row := []report.Cell{report.Text(k.program), report.Text(k.networks)}
		for _, d := range ahead.Devices() {
			text := cells[k][d.Name]
			if text == "" {
				text = "–"
			}
			row = append(row, report.Text(text))
		}
		t.Rows = append(t.Rows, report.Row{Cells: row})
	}
	return report.Section{Heading: "A100, H100 and H200", Blocks: []report.Block{
		report.Paragraph(fmt.Sprintf("Bounds and memory in TF32 at batch %d.", middleBatch)), t}}
}

// findingSection lists what should not be in a program, and kinds of kernels by program.
func findingSection(results []Result) report.Section {
	bad := map[string]int{}
	for _, r := range results {
		if r.Compiled != nil {
			for _, b := range r.Compiled.Bad {
				bad[b]++
			}
		}
	}
	blocks := []report.Block{report.Paragraph("Looked for in every program: convolutions that are not cuDNN's, float64, " +
		"transfers to the host and its callbacks, " +
		"constants of a MiB or more, convolutions with dilated input that cuDNN does not take as a gradient.")}
	if len(bad) == 0 {
		blocks = append(blocks, report.Paragraph("None was found."))
	} else {
		var list report.List
		for _, b := range slices.Sorted(maps.Keys(bad)) {
			list = append(list, fmt.Sprintf("%s (in %d programs)", b, bad[b]))
		}
		blocks = append(blocks, list)
	}
	blocks = append(blocks, kernelTable(results))
	return report.Section{Heading: "Kernels", Blocks: append(blocks, report.List(explained))}
}

func kernelTable(results []Result) report.Table {
	kinds := []string{kindConvolution, kindProduct, kindTriton, kindTranspose, kindCopy,
		kindReduction, kindNoise, kindLoop}
	t := report.Table{Columns: []report.Column{{Header: "program"}, {Header: "networks"}}}
	for _, k := range kinds {
		t.Columns = append(t.Columns, column(k))
	}
	t.Columns = append(t.Columns, report.Column{Header: "others"})
	h100 := ahead.Devices()[1].Name
	for _, r := range of(results, func(r Result) bool {
		return r.Precision == tf32 && r.Batch == middleBatch && r.Device == h100 && r.Compiled != nil
	}) {
		row := []report.Cell{report.Text(r.Program), report.Text(r.Networks)}
		for _, k := range kinds {
			row = append(row, report.Text(fmt.Sprint(r.Compiled.Kernels[k])))
		}
		var others []string
		for _, k := range slices.Sorted(maps.Keys(r.Compiled.Kernels)) {
			if !slices.Contains(kinds, k) {
				others = append(others, fmt.Sprintf("%s: %d", k, r.Compiled.Kernels[k]))
			}
		}
		t.Rows = append(t.Rows, report.Row{Cells: append(row, report.Text(strings.Join(others, ", ")))})
	}
	return t
}
