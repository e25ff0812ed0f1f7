package main

import (
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/configs/schemas"
	"illustrator/data/cartoon"
	"illustrator/eval"
	"illustrator/train/runs"
)

// addCompletion has shells complete the values of flags and arguments: runs, domains, studies, looks.
func addCompletion(root *cobra.Command) {
	named := func(kind string) terminal.Values { return func() []string { return configs.Names(kind) } }
	terminal.AddCompletion(root, map[string]terminal.Values{
		"domain": named("domains"), "config": named("runs"), "run": runs.Paths, "continue": runs.Paths,
		"cartoon": cartoon.Names, "style": cartoon.Names,
		"metrics":    terminal.Words(strings.Split(eval.MetricNames(), ", ")...),
		"device":     terminal.Words("cpu", "cuda"),
		"backend":    terminal.Words("xla:cpu", "xla:cuda"),
		"noise-mode": terminal.Words("const", "random", "none"),
		"diversity":  terminal.Words("noise", "style", "z"),
		"keep":       terminal.Words("nothing", "w"),
		"precision":  terminal.Words("float32", "bfloat16"),
		"convert to": terminal.Words("onnx", "pytorch"),

		"illustrate format":   terminal.Words("html", "pdf", "both"),
		"pairs export format": terminal.Words("parquet", "npy", "pth"),
	}, map[string]terminal.Values{
		"runs show": runs.Names, "runs compare": runs.Names, "runs rm": runs.Names, "runs pack": runs.Names,
		"eval":   runs.Paths,
		"ablate": named("studies"), "fetch": named("domains"),
		"schema": terminal.Words(schemas.Kinds...),
	})
}
