package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"illustrator/eval/report"
	"illustrator/internal/machine"
	"illustrator/internal/parity"
)

// gpuDocument is the document of `bench gpu`.
func gpuDocument(measured benchReport, sets []parity.Set) report.Document {
	device := "the CPU, to try the check: it says nothing of a GPU"
	d := report.Document{Facts: report.Facts("bench " + strings.Join(os.Args[1:], " "))}
	if measured.GPU != nil {
		device = measured.GPU.Name
	}
	d.Title = "Measured on " + device
	d.Subtitle = "`make gpu-check` writes this file."
	d.Facts = append(d.Facts,
		report.Fact{Name: "Device", Value: deviceWords(measured.GPU, measured.PyTorch)},
		report.Fact{Name: "Machine", Value: fmt.Sprintf("%d cores, %s of memory, %s/%s, load average %s", measured.Cores,
			machine.ByteSize(int64(machine.ReadMemory().Total)), runtime.GOOS, runtime.GOARCH, measured.Load)})
	d.Sections = []report.Section{paritySection(sets), speedSection(measured)}
	return d
}

// paritySection has a row for each output, and a column for each device and precision.
func paritySection(sets []parity.Set) report.Section {
	const about = "An error is the root mean square of an output's differences from PyTorch's, by that of the output; " +
		"behind it stands what is " +
		"allowed. Goldens of Lorelei are PyTorch's on a CPU in float32, those of full size in float64. TF32 " +
		"rounds the operands of " +
		"float32's products to 10 bits; in bfloat16 are the networks inside the semantic loss. The gradient is that of the " +
		"first training " +
		"step's total loss for all of the mapper."
	section := report.Section{Heading: "Parity"}
	if len(sets) == 0 {
		section.Blocks = []report.Block{report.Paragraph("Nothing was compared.")}
		return section
	}
	type place struct{ network, output string }
	var columns []string
	var places []place
	cells := map[place]map[string]string{}
	for _, set := range sets {
		device := "CPU"
		if onGPU(set) {
			device = "CUDA"
		}
		for _, f := range set.Figures {
			column, at := device+" "+f.Precision, place{f.Network, f.Output}
			if !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
			if cells[at] == nil {
				cells[at] = map[string]string{}
				places = append(places, at)
			}
			cells[at][column] = fmt.Sprintf("%.1e of %.0e", f.Error, f.Allowed)
			if !f.OK() {
				cells[at][column] += " (off)"
			}
		}
	}
	table := report.Table{Columns: []report.Column{{Header: "network"}, {Header: "output"}}}
	for _, column := range columns {
		table.Columns = append(table.Columns, report.Column{Header: column, Align: report.Right})
	}
	for _, at := range places {
		row := []report.Cell{report.Text(at.network), report.Text(at.output)}
		for _, column := range columns {
			row = append(row, report.Text(cells[at][column]))
		}
		table.Rows = append(table.Rows, report.Row{Cells: row})
	}
	section.Blocks = []report.Block{report.Paragraph(about), table}
	return section
}

func speedSection(measured benchReport) report.Section {
	const about = "Each engine works in a process of its own, in turns with those of the same precision; times are " +
		"medians over rounds. GPU memory is by how much the GPU's " +
		"grew from the process's start to the end of its warm-up, as `nvidia-smi` says: the CUDA context and what the " +
		"allocator keeps are in " +
		"it. What PyTorch had of that at most stands beside it; of this program nothing else is known. GPU busy is the " +
		"median of `nvidia-smi`'s utilization while the " +
		"engine worked. The speed-up is over PyTorch in the same precision, or this program's float32 where it has not " +
		"that; \"noisy\" stands where the rounds spread too much for a ratio."
	header, rows := measured.table()
	table := report.Table{}
	for i, h := range header {
		column := report.Column{Header: h}
		if i > 1 {
			column.Align = report.Right
		}
		table.Columns = append(table.Columns, column)
	}
	for _, cells := range rows {
		var row report.Row
		for _, c := range cells {
			row.Cells = append(row.Cells, report.Text(c))
		}
		table.Rows = append(table.Rows, row)
	}
	return report.Section{Heading: "Speed and memory", Blocks: []report.Block{report.Paragraph(about), table}}
}
