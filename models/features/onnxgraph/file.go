// Package onnxgraph reads ONNX files and rewrites their graphs, for pictures of one size, in operators that onnx-gomlx
// converts right.
//
// At a given size every shape is a number, and so is all that a graph computes from shapes. At works these numbers out,
// puts constants in their place, and replaces operators that onnx-gomlx lacks or gets wrong. Networks of
// half precision are computed in float32.
package onnxgraph

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Bounds of a file. The largest networks of pictures have some thousands of nodes.
const (
	maxNodes  = 50_000
	maxNested = 16
	maxRank   = 16
	maxBytes  = 2<<30 - 1 // of a protocol buffer
)

// AnyDim is the size of an axis that may have any.
const AnyDim = -1

// File is an ONNX model with its weights.
type File struct {
	// Data are the file's bytes, and those of other files that hold its weights.
	Data [][]byte
	// Inputs and Outputs are the graph's.
	Inputs, Outputs []Info

	graph   *graph
	tensors []*tensor
	opset   int64
	order   []*node          // each after those that it needs
	makers  map[string]*node // by output
}

// Info is the name, type and shape of an input or output.
type Info struct {
	Name    string
	Dims    []int // AnyDim for any size; nil where the file says none
	IsFloat bool  // of single or half precision
}

type graph struct {
	nodes           []*node
	weights         map[string]*tensor
	inputs, outputs []Info
}

type node struct {
	operator        string
	inputs, outputs []string
	attributes      map[string]*attribute
}

// name returns a node's name in messages.
func (n *node) name() string { return fmt.Sprintf("%s %q", n.operator, strings.Join(n.outputs, ", ")) }

type attribute struct {
	kind   int64
	float  float32
	int    int64
	text   string
	tensor *tensor
	graph  *graph
	floats []float64
	ints   []int64
}

// maxFile is the most bytes of a file: those of a message of protocol buffers, in which ONNX files are written.
const maxFile = 1<<31 - 1

// Open reads the file at path, and the weights that it keeps in other files of its folder.
func Open(path string) (*File, error) {
	data, err := files.ReadFile(path, maxFile)
	if err != nil {
		return nil, fault.Hint(err, "check the path")
	}
	if len(data) == 0 {
		return nil, fault.Hint(errors.New("the file is empty"), "fetch it again")
	}
	if err := files.CheckPointer(data); err != nil {
		return nil, err
	}
	r := &reader{folder: filepath.Dir(path), others: map[string][]byte{}}
	f, err := r.model(data)
	if err != nil {
		return nil, err
	}
	f.Data, f.tensors = [][]byte{data}, r.tensors
	for _, name := range r.names {
		f.Data = append(f.Data, r.others[name])
	}
	return f, f.sort()
}

// reader takes a model apart.
type reader struct {
	folder  string
	others  map[string][]byte // contents of other files by name
	names   []string          // of them, in the order of reading
	bytes   int64             // that tensors take together
	nodes   int
	tensors []*tensor
}

func (r *reader) model(message []byte) (*File, error) {
	f := &File{}
	err := each(message, func(p field) (err error) {
		switch p.number {
		case modelGraph:
			if f.graph != nil {
				return fault.Hint(errors.New("it has two graphs"), damagedHint)
			}
			f.graph, err = r.graph(p.bytes(), 0)
		case modelFunctions:
			return fault.Hint(errors.New("it has functions of its own"),
				"export the network so that they are inlined (torch.onnx.export with optimize=True, or onnx.inliner)")
		case modelOpset:
			err = f.readOpset(p.bytes())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if f.graph == nil || len(f.graph.nodes) == 0 {
		return nil, fault.Hint(errors.New("it has no graph"), damagedHint)
	}
	f.Outputs = f.graph.outputs
	for _, in := range f.graph.inputs {
		if _, ok := f.graph.weights[in.Name]; !ok { // before opset 9 weights are inputs too
			f.Inputs = append(f.Inputs, in)
		}
	}
	return f, nil
}

func (f *File) readOpset(message []byte) error {
	var domain string
	var version int64
	err := each(message, func(p field) error {
		switch p.number {
		case opsetDomain:
			domain = string(p.bytes())
		case opsetVersion:
			version = p.int()
		}
		return nil
	})
	if domain == "" || domain == "ai.onnx" {
		f.opset = version
	}
	return err
}

func (r *reader) graph(message []byte, depth int) (*graph, error) {
	if depth > maxNested {
		return nil, fault.Hint(fmt.Errorf("its graphs nest more than %d deep", maxNested), damagedHint)
	}
	g := &graph{weights: map[string]*tensor{}}
	err := each(message, func(p field) error {
		switch p.number {
		case graphNode:
			n, err := r.node(p.bytes(), depth)
			g.nodes = append(g.nodes, n)
			return err
		case graphInitializer:
			t, err := r.tensor(p.bytes())
			if err == nil {
				g.weights[t.name] = t
			}
			return err
		case graphSparse:
			return fault.Hint(errors.New("it has sparse weights"), "export the network with dense ones")
		case graphInput, graphOutput:
			info, err := readInfo(p.bytes())
			if p.number == graphInput {
				g.inputs = append(g.inputs, info)
			} else {
				g.outputs = append(g.outputs, info)
			}
			return err
		}
		return nil
	})
	return g, err
}

func (r *reader) node(message []byte, depth int) (*node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, fault.Hint(fmt.Errorf("it has more than %d nodes", maxNodes),
			"networks that redraw pictures have fewer")
	}
	n := &node{attributes: map[string]*attribute{}}
	err := each(message, func(p field) error {
		switch p.number {
		case nodeInput:
			n.inputs = append(n.inputs, string(p.bytes()))
		case nodeOutput:
			n.outputs = append(n.outputs, string(p.bytes()))
		case nodeOperator:
			n.operator = string(p.bytes())
		case nodeAttribute:
			name, a, err := r.attribute(p.bytes(), depth)
			n.attributes[name] = a
			return err
		}
		return nil
	})
	if err == nil && len(n.outputs) == 0 {
		err = fault.Hint(fmt.Errorf("a node %s has no output", n.operator), damagedHint)
	}
	return n, err
}

func (r *reader) attribute(message []byte, depth int) (name string, a *attribute, err error) {
	a = &attribute{}
	err = each(message, func(p field) (err error) {
		switch p.number {
		case attributeName:
			name = string(p.bytes())
		case attributeKind:
			a.kind = p.int()
		case attributeFloat:
			a.float = p.float()
		case attributeInt:
			a.int = p.int()
		case attributeString:
			a.text = string(p.bytes())
		case attributeTensor:
			a.tensor, err = r.tensor(p.bytes())
		case attributeGraph:
			a.graph, err = r.graph(p.bytes(), depth+1)
		case attributeInts:
			a.ints, err = p.appendInts(a.ints)
		case attributeFloats:
			var raw []byte
			if raw, err = p.appendFixed(nil, 4); err == nil {
				t := &tensor{kind: float32Kind, dims: []int{len(raw) / 4}, data: raw}
				a.floats = append(a.floats, t.floats()...)
			}
		}
		return err
	})
	return name, a, err
}

func readInfo(message []byte) (Info, error) {
	var info Info
	var k kind
	shape := func(message []byte) error {
		info.Dims = []int{}
		return each(message, func(p field) error {
			dim := AnyDim
			err := each(p.bytes(), func(q field) error {
				if q.number == dimValue {
					dim = int(q.int())
				}
				return nil
			})
			info.Dims = append(info.Dims, dim)
			return err
		})
	}
	err := each(message, func(p field) error {
		switch p.number {
		case infoName:
			info.Name = string(p.bytes())
		case infoType:
			return each(p.bytes(), func(q field) error {
				if q.number != typeTensor {
					return nil
				}
				return each(q.bytes(), func(s field) error {
					switch s.number {
					case typeElement:
						k = kind(s.int())
					case typeShape:
						return shape(s.bytes())
					}
					return nil
				})
			})
		}
		return nil
	})
	info.IsFloat = k == float32Kind || k == float16Kind || k == bfloat16Kind
	return info, err
}
