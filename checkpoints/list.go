package checkpoints

import (
	"fmt"
	"slices"
	"strings"
)

// Info is a tensor as a file's header describes it. Bytes is the size of its elements.
type Info struct {
	Name  string `json:"name"`
	DType DType  `json:"dtype"`
	Shape []int  `json:"shape"`
	Bytes int64  `json:"bytes"`
}

// List describes all tensors, sorted by name.
func (w *Weights) List() []Info {
	list := make([]Info, 0, len(w.Tensors))
	for _, name := range w.Names() {
		t := w.Tensors[name]
		list = append(list, Info{name, t.DType, notNil(t.Shape), int64(t.Elements()) * int64(t.DType.Size())})
	}
	return list
}

// List describes the tensors of the dict and of those in it, whose names a slash joins: "g_ema/conv1.conv.weight".
// Nothing is read for it.
func (d *TorchDict) List() ([]Info, error) {
	var list []Info
	if err := d.list("", &list); err != nil {
		return nil, fmt.Errorf("%s: %w", d.source, err)
	}
	slices.SortFunc(list, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (d *TorchDict) list(prefix string, to *[]Info) error {
	for _, key := range d.Keys() {
		switch v := d.entries[key].(type) {
		case *torchTensor:
			// Dicts that hold one dict many times have more paths than the file has bytes.
			if len(*to) == maxTensors {
				return fmt.Errorf("more than %d tensors", maxTensors)
			}
			*to = append(*to, Info{prefix + key, v.storage.dtype, notNil(v.shape), int64(v.elements()) * int64(v.storage.size)})
		case *TorchDict:
			if err := v.list(prefix+key+"/", to); err != nil {
				return err
			}
		}
	}
	return nil
}

// notNil has a shape without axes be written as [] in JSON.
func notNil(shape []int) []int {
	if shape == nil {
		return []int{}
	}
	return shape
}
