package convert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"illustrator/checkpoints"
)

// Report says what Convert recognised and wrote.
type Report struct {
	Kind Kind `json:"kind"`
	// Network is the configuration in words, Config as it stands in config.json.
	Network string `json:"network"`
	Config  any    `json:"config"`
	// Source is the file of the weights, SourceBytes its size.
	Source      checkpoints.Source `json:"source"`
	SourceBytes int64              `json:"source_bytes"`
	// Tensors and Values count what is in model.safetensors; Types gives the tensors of each element type.
	Tensors int                       `json:"tensors"`
	Values  int                       `json:"values"`
	Types   map[checkpoints.DType]int `json:"types"`
	// Dropped says what of the file was left out and why.
	Dropped []string `json:"dropped,omitempty"`
	// Folder has been written, with Files; SHA256 is that of model.safetensors.
	Folder string   `json:"folder"`
	Files  []string `json:"files"`
	SHA256 string   `json:"sha256"`
}

func newReport(kind Kind, n *network, source checkpoints.Source, size int64, folder string) (Report, error) {
	r := Report{
		Kind: kind, Network: n.describe, Config: n.config, Source: source, SourceBytes: size,
		Tensors: len(n.weights.Tensors), Values: n.weights.Parameters(), Types: map[checkpoints.DType]int{},
		Dropped: n.dropped, Folder: folder,
	}
	for _, t := range n.weights.Tensors {
		r.Types[t.DType]++
	}
	// The report names what can be opened.
	written, err := checkpoints.Open(folder)
	if err != nil {
		return Report{}, err
	}
	r.SHA256 = written.SHA256()
	r.Files = append(slices.Sorted(maps.Keys(written.Manifest().Files)), checkpoints.ManifestFile)
	return r, nil
}

// String is the report as lines of text.
func (r Report) String() string {
	var b strings.Builder
	p := message.NewPrinter(language.English)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s %s\n", name, p.Sprintf(format, args...))
	}
	line("recognised", "%s", titles[r.Kind])
	line("source", "%s, %d bytes, SHA-256 %s", r.Source.File, r.SourceBytes, r.Source.SHA256)
	line("network", "%s", r.Network)
	var types []string
	for _, t := range slices.Sorted(maps.Keys(r.Types)) {
		types = append(types, fmt.Sprintf("%d %s", r.Types[t], t))
	}
	line("tensors", "%d with %d values (%s)", r.Tensors, r.Values, strings.Join(types, ", "))
	for _, d := range r.Dropped {
		line("dropped", "%s", d)
	}
	line("written", "%s: %s", r.Folder, strings.Join(r.Files, ", "))
	line("", "%s has SHA-256 %s", checkpoints.WeightsFile, r.SHA256)
	return b.String()
}
