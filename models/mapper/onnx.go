package mapper

import (
	"errors"
	"fmt"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/features/onnxgraph"
	"illustrator/models/nn"
)

// Names of the input and the output of a mapper's ONNX file.
const (
	ONNXInput  = "image_embeds"
	ONNXOutput = "z"
)

// ONNX returns the mapper with weights w as an ONNX file, in evaluation mode: float32 image embeddings [batch,E],
// normalised and scaled as Build's, to z [batch,Z]. Weights keep their names. properties become the file's metadata.
func ONNX(cfg Config, w *checkpoints.Weights, version string, properties map[string]string) ([]byte, error) {
	if cfg.Arch == Prior {
		return nil, fault.Usage(errors.New("a prior cannot be exported as ONNX: it samples z from noise by many steps"),
			"export a mapper of arch dense or baseline")
	}
	if err := w.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	e := onnxWriter{}
	for _, name := range cfg.Names() {
		values, err := w.Tensors[name].Float32View()
		if err != nil {
			return nil, fmt.Errorf("%s: tensor %q: %w", w.Source, name, err)
		}
		t := checkpoints.Float32Tensor(values, w.Tensors[name].Shape...)
		e.Weight(name, t.Shape, t.Data)
	}
	for _, key := range []string{"mapper", "generator", "clip", "input"} {
		if value := properties[key]; value != "" {
			e.Metadata(key, value)
		}
	}
	if cfg.Arch == Baseline {
		e.baseline(cfg)
	} else {
		e.dense(cfg)
	}
	return e.Encode("mapper", version, ONNXInput, cfg.EmbedDim, ONNXOutput, cfg.ZDim)
}

// onnxWriter writes the layers of Build as nodes. Each method takes the name of a value and returns that of the next.
type onnxWriter struct{ onnxgraph.Writer }

func (e *onnxWriter) linear(x, layer, output string) string {
	inputs := []string{x, layer + ".weight", layer + ".bias"}
	return e.Node("Gemm", output, inputs, onnxgraph.Attribute{Name: "transB", Value: 1})
}

// next is linear with an output called by the layer.
func (e *onnxWriter) next(x, layer string) string { return e.linear(x, layer, layer) }

func (e *onnxWriter) prelu(x, layer, output string) string {
	return e.Node("PRelu", output, []string{x, layer + ".weight"})
}

func (e *onnxWriter) batchNorm(x, layer string) string {
	inputs := []string{x, layer + ".weight", layer + ".bias", layer + ".running_mean", layer + ".running_var"}
	return e.Node("BatchNormalization", layer, inputs,
		onnxgraph.Attribute{Name: "epsilon", Value: float32(nn.BatchNormEpsilon)})
}

func (e *onnxWriter) dense(cfg Config) {
	x := e.next(e.next(ONNXInput, "head.0"), "head.1")
	for b := range cfg.Blocks {
		features := []string{x}
		for l := range cfg.Layers {
			layer, y := layerName(b, l), x
			if l > 0 {
				y = e.Node("Concat", layer+".inputs", features, onnxgraph.Attribute{Name: "axis", Value: 1})
			}
			for half := range 2 {
				part := func(i int) string { return fmt.Sprintf("%s.%d", layer, 3*half+i) }
				y = e.prelu(e.batchNorm(e.next(y, part(0)), part(1)), part(2), part(2))
			}
			features = append(features, y)
		}
		x = e.Node("Add", fmt.Sprintf("rrdb_blocks.%d", b), []string{x, features[cfg.Layers]})
	}
	e.linear(e.next(x, "tail.0"), "tail.1", ONNXOutput)
}

func (e *onnxWriter) baseline(cfg Config) {
	x := ONNXInput
	for i := range cfg.Layers {
		output := baselinePReLU(i)
		if i == cfg.Layers-1 {
			output = ONNXOutput
		}
		x = e.prelu(e.next(x, baselineLinear(i)), baselinePReLU(i), output)
	}
}
