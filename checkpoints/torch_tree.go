package checkpoints

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/nlpodyssey/gopickle/types"
)

// treeBuilder turns the machine's values into dicts, tensors and plain values. Values that are reached twice are built
// once, so that a small pickle cannot unfold into a large tree.
type treeBuilder struct {
	archive *archive
	done    map[any]any
	// members counts what the modules hold, which are unfolded into one dict each.
	members int
}

type building struct{}

func (b *treeBuilder) build(v any, depth int) (any, error) {
	if depth > maxTreeDepth {
		return nil, fmt.Errorf("its dicts nest more than %d deep", maxTreeDepth)
	}
	switch v := v.(type) {
	case *types.Dict, *types.OrderedDict:
		return b.once(v, func() (any, error) {
			d := b.newDict()
			return d, eachEntry(v, func(key, value any) error { return b.set(d, key, value, depth) })
		})
	case *torchObject:
		return b.once(v, func() (any, error) {
			d := b.newDict()
			return d, b.module(d, "", v, depth)
		})
	case *foreign:
		if v.items != nil {
			return b.build(v.items, depth)
		}
		return v, nil
	case *torchTensor, int, float64, string, bool, nil:
		return v, nil
	}
	return opaque{}, nil
}

func (b *treeBuilder) newDict() *TorchDict {
	return &TorchDict{archive: b.archive, entries: map[string]any{}, values: map[string]any{}}
}

// eachEntry calls f for the entries of a dict of either kind, in their order; there is none in other values.
func eachEntry(dict any, f func(key, value any) error) error {
	switch d := dict.(type) {
	case *types.Dict:
		for _, entry := range *d {
			if err := f(entry.Key, entry.Value); err != nil {
				return err
			}
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			if err := f(entry.Key, entry.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// once builds the value of a container that was not built yet.
func (b *treeBuilder) once(v any, build func() (any, error)) (any, error) {
	if d, ok := b.done[v]; ok {
		if _, ok := d.(building); ok {
			return nil, errors.New("a dict holds itself")
		}
		return d, nil
	}
	b.done[v] = building{}
	d, err := build()
	b.done[v] = d
	return d, err
}

func (b *treeBuilder) set(d *TorchDict, key, value any, depth int) error {
	var name string
	switch k := key.(type) {
	case string:
		name = k
	case int:
		name = strconv.Itoa(k)
	default:
		return nil // nothing that is needed has another key
	}
	if _, ok := d.entries[name]; ok {
		return fmt.Errorf("key %q occurs twice in a dict", name)
	}
	tree, err := b.build(value, depth+1)
	d.entries[name] = tree
	return err
}

// The dicts in which Python's modules keep their tensors and submodules; TorchScript's have them among their
// attributes.
const (
	parametersDict = "_parameters"
	buffersDict    = "_buffers"
	modulesDict    = "_modules"
)

// module puts a module's tensors into d under the names that its state dict would have, and its plain attributes into
// d.values under names alike.
func (b *treeBuilder) module(d *TorchDict, prefix string, o *torchObject, depth int) error {
	if depth > maxTreeDepth {
		return fmt.Errorf("its modules nest more than %d deep", maxTreeDepth)
	}
	if err := b.member(d.values, prefix+ClassValue, o.class); err != nil {
		return err
	}
	return eachEntry(o.state, func(key, value any) error {
		switch key {
		case parametersDict, buffersDict, modulesDict:
			return eachEntry(value, func(key, value any) error { return b.attribute(d, prefix, key, value, depth) })
		}
		return b.attribute(d, prefix, key, value, depth)
	})
}

func (b *treeBuilder) attribute(d *TorchDict, prefix string, key, value any, depth int) error {
	name, ok := key.(string)
	if !ok {
		return fmt.Errorf("a module has an attribute of type %T", key)
	}
	switch v := value.(type) {
	case *torchTensor:
		return b.member(d.entries, prefix+name, v)
	case *torchObject:
		return b.module(d, prefix+name+".", v, depth+1)
	case int, float64, string, bool, nil:
		return b.member(d.values, prefix+name, v)
	}
	return nil
}

// member adds one of the members of all modules, whose number is limited.
func (b *treeBuilder) member(to map[string]any, name string, value any) error {
	if b.members++; b.members > maxMembers {
		return fmt.Errorf("its modules have more than %d attributes", maxMembers)
	}
	if _, ok := to[name]; ok {
		return fmt.Errorf("attribute %q occurs twice in a module", name)
	}
	to[name] = value
	return nil
}
