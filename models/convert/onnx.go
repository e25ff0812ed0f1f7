package convert

import (
	"fmt"
	"io"

	"illustrator/checkpoints"
	"illustrator/internal/files"
	"illustrator/internal/version"
	"illustrator/models/mapper"
)

// ONNXReport describes an ONNX file that ToONNX has written.
type ONNXReport struct {
	File    string        `json:"file"`
	Bytes   int64         `json:"bytes"`
	SHA256  string        `json:"sha256"`
	Mapper  string        `json:"mapper"` // SHA-256 of the mapper's weights
	Network mapper.Config `json:"network"`
	Input   string        `json:"input"`
	Output  string        `json:"output"`
}

// Rows is the report as a table of names and values.
func (r ONNXReport) Rows() [][]string {
	n := r.Network
	return [][]string{
		{"mapper", fmt.Sprintf("%s, %d parameters", n.Arch, n.Parameters())},
		{"input", fmt.Sprintf("%s float32 [batch, %d]: CLIP image embeddings of length √%d", r.Input, n.EmbedDim,
			n.EmbedDim)},
		{"output", fmt.Sprintf("%s float32 [batch, %d]", r.Output, n.ZDim)},
		{"written", fmt.Sprintf("%s, %d bytes, SHA-256 %s", r.File, r.Bytes, r.SHA256)},
	}
}

// ToONNX writes the mapper in the folder at location, as train and Convert leave it, as an ONNX file. A file that
// exists is replaced only if replace is true.
func ToONNX(location, file string, replace bool) (r ONNXReport, err error) {
	folder, weights, err := openMapper(location, file, replace, &r.Network)
	if err != nil {
		return r, err
	}
	r.File, r.Mapper, r.Input, r.Output = file, folder.SHA256(), mapper.ONNXInput, mapper.ONNXOutput
	data, err := mapper.ONNX(r.Network, weights, version.Read().Illustrator, properties(folder, r.Network))
	if err != nil {
		return r, err
	}
	r.Bytes, r.SHA256 = int64(len(data)), checkpoints.SHA256(data)
	return r, files.Write(file, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// properties identify a mapper's networks and say what it takes.
func properties(folder *checkpoints.Folder, cfg mapper.Config) map[string]string {
	p := map[string]string{
		"mapper": folder.SHA256(),
		"input": fmt.Sprintf("CLIP image embeddings, divided by their length and multiplied by the square root of %d",
			cfg.EmbedDim),
	}
	if m := folder.Manifest(); m != nil {
		p["generator"], p["clip"] = m.Networks["generator"], m.Networks["clip"]
	}
	return p
}
