package convert

import (
	"errors"
	"fmt"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/mapper"
)

// PyTorchReport describes a PyTorch file that ToPyTorch has written.
type PyTorchReport struct {
	File    string        `json:"file"`
	Bytes   int64         `json:"bytes"`
	SHA256  string        `json:"sha256"`
	Mapper  string        `json:"mapper"` // SHA-256 of the mapper's weights
	Network mapper.Config `json:"network"`
	Tensors int           `json:"tensors"`
}

// Rows is the report as a table of names and values.
func (r PyTorchReport) Rows() [][]string {
	n := r.Network
	return [][]string{
		{"mapper", fmt.Sprintf("%s, %d parameters in %d tensors: a state dict of the official release's projectors",
			n.Arch, n.Parameters(), r.Tensors)},
		{"written", fmt.Sprintf("%s, %d bytes, SHA-256 %s", r.File, r.Bytes, r.SHA256)},
	}
}

// ToPyTorch writes the mapper in the folder at location, as train and Convert leave it, as the state dict of a released
// projector, in PyTorch's order. A file that exists is replaced only if replace is true.
func ToPyTorch(location, file string, replace bool) (r PyTorchReport, err error) {
	folder, weights, err := openMapper(location, file, replace, &r.Network)
	if err != nil {
		return r, err
	}
	if r.Network.Arch == mapper.Prior {
		return r, fault.Usage(errors.New("a prior cannot be exported to the release's code, which has no such network"),
			"export a mapper of arch dense or baseline")
	}
	if err := weights.Check(r.Network.Shapes()); err != nil {
		return r, err
	}
	entries := releasedState(r.Network, weights)
	if err := checkpoints.WriteTorch(file, entries); err != nil {
		return r, err
	}
	written, err := checkpoints.SHA256OfFiles(file)
	r.File, r.Mapper, r.Tensors, r.Bytes, r.SHA256 = file, folder.SHA256(), len(entries), written.Size, written.SHA256
	return r, err
}

// releasedState are the tensors under the release's names in the order of PyTorch's modules. BatchNorm's counters of
// training steps, which nothing reads, are 0.
func releasedState(cfg mapper.Config, w *checkpoints.Weights) (entries []checkpoints.TorchEntry) {
	layer := func(name string, parts ...string) {
		for _, part := range parts {
			old := name + "." + part
			to := old
			if rest, ok := strings.CutPrefix(old, "mlp."); ok && cfg.Arch == mapper.Baseline {
				to = "body." + rest
			}
			t, ok := w.Tensors[old]
			if !ok {
				t = checkpoints.Tensor{DType: checkpoints.I64, Shape: []int{}, Data: make([]byte, 8)}
			}
			entries = append(entries, t.Entry(to))
		}
	}
	norm := []string{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
	if cfg.Arch == mapper.Baseline {
		for i := range cfg.Layers {
			layer(fmt.Sprint("mlp.", 2*i), "weight", "bias")
			layer(fmt.Sprint("mlp.", 2*i+1), "weight")
		}
		return entries
	}
	layer("head.0", "weight", "bias")
	layer("head.1", "weight", "bias")
	for b := range cfg.Blocks {
		for l := range cfg.Layers {
			prefix := fmt.Sprintf("rrdb_blocks.%d.0.mlp_layers.%d.", b, l)
			for _, first := range []int{0, 3} {
				layer(fmt.Sprint(prefix, first), "weight", "bias")
				layer(fmt.Sprint(prefix, first+1), norm...)
				layer(fmt.Sprint(prefix, first+2), "weight")
			}
		}
	}
	layer("tail.0", "weight", "bias")
	layer("tail.1", "weight", "bias")
	return entries
}
