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

// Rows is the report as a table of names and values.
func (r Report) Rows() [][]string {
	p := message.NewPrinter(language.English)
	rows := [][]string{
		{"recognised", titles[r.Kind]},
		{"source", p.Sprintf("%s, %d bytes, SHA-256 %s", r.Source.File, r.SourceBytes, r.Source.SHA256)},
		{"network", r.Network},
		{"tensors", p.Sprintf("%d with %d values (%s)", r.Tensors, r.Values, listTypes(r.Types))},
	}
	for _, d := range r.Dropped {
		rows = append(rows, []string{"dropped", d})
	}
	return append(rows, []string{"written", r.Folder + ": " + strings.Join(r.Files, ", ")},
		[]string{"", checkpoints.WeightsFile + " has SHA-256 " + r.SHA256})
}

// listTypes lists how many tensors have each element type.
func listTypes(counts map[checkpoints.DType]int) string {
	var types []string
	for _, t := range slices.Sorted(maps.Keys(counts)) {
		types = append(types, fmt.Sprintf("%d %s", counts[t], t))
	}
	return strings.Join(types, ", ")
}
