package checkpoints

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/nlpodyssey/gopickle/types"

	"illustrator/internal/fault"
)

// plainClasses are the classes of such a pickle beside those that a checkpoint may name. None of them acts.
var plainClasses = map[string]any{
	"torch_utils.persistence._reconstruct_persistent_obj": callable(newPersistent),
	"dnnlib.util.EasyDict":                                easyDict{},
	"dnnlib.EasyDict":                                     easyDict{},
}

const (
	loadStorage   = "torch.storage._load_from_bytes"
	tensorFlowNet = "dnnlib.tflib.network.Network"
)

// easyDict is dnnlib's dict whose keys are attributes too.
type easyDict struct{}

func (easyDict) PyNew(...any) (any, error) { return types.NewDict(), nil }

// newPersistent is _reconstruct_persistent_obj(meta): an object of the class meta["class_name"] with meta["state"].
func newPersistent(args []any) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("a persistent object is made of %d arguments; expected 1", len(args))
	}
	o := &torchObject{}
	err := eachEntry(args[0], func(key, value any) error {
		ok := true
		switch key {
		case "class_name":
			o.class, ok = value.(string)
		case "state":
			o.state, ok = value.(*types.Dict)
		}
		if !ok {
			return fmt.Errorf("%v of a persistent object is of type %T", key, value)
		}
		return nil
	})
	if err == nil && (o.class == "" || o.state == nil) {
		err = errors.New("a persistent object lacks class_name or state")
	}
	return o, err
}

// persistent returns the bytes or the class that a persistent id of the copy stands for.
func (p *plainPickle) persistent(id any) (any, error) {
	switch id := id.(type) {
	case int:
		if p.newStorage != nil {
			return opaque{}, nil
		}
		if id < 0 || id >= len(p.blobs) {
			return nil, fmt.Errorf("there are no bytes %d", id)
		}
		return blob(id), nil
	case *types.Tuple:
		module, okModule := id.Get(0).(string)
		name, okName := id.Get(1).(string)
		switch {
		case id.Len() == 2 && okModule && okName && p.newStorage != nil:
			return p.archive.findClass(module, name)
		case okModule && okName && p.newStorage == nil:
			return p.findClass(module, name)
		}
	}
	if p.newStorage != nil {
		return p.newStorage(id)
	}
	return nil, errors.New("a class is named by something else than two texts")
}

// blob is the number of bytes among the blobs.
type blob int

func (p *plainPickle) findClass(module, name string) (any, error) {
	switch full := module + "." + name; full {
	case loadStorage:
		return callable(p.storage), nil
	case tensorFlowNet:
		return nil, fault.Hint(fmt.Errorf("it asks for the class %s: it is a network of StyleGAN for TensorFlow", full),
			"convert it with legacy.py of stylegan2-ada-pytorch first, in Python")
	default:
		if class, ok := plainClasses[full]; ok {
			return class, nil
		}
	}
	if module == scriptModule {
		return &foreign{class: module + "." + name}, nil // programs are zip archives
	}
	return p.archive.findClass(module, name)
}

// storage is torch.storage._load_from_bytes(bytes): the bytes are a file of the format before version 1.6 that holds
// one storage alone.
func (p *plainPickle) storage(args []any) (any, error) {
	if len(args) != 1 {
		return nil, errors.New("a storage is not made of bytes")
	}
	b, ok := args[0].(blob)
	if !ok {
		return nil, errors.New("a storage is not made of bytes")
	}
	if s, ok := p.storages[int(b)]; ok {
		return s, nil
	}
	at := p.blobs[b]
	section := io.NewSectionReader(p.r, at.at, at.size)
	if legacyHead(section) == 0 {
		return nil, fmt.Errorf("the bytes of a storage (at byte %d) are not what PyTorch writes", at.at)
	}
	inner, root, err := openLegacy(section, at.size)
	if err != nil {
		return nil, fmt.Errorf("storage at byte %d: %w", at.at, err)
	}
	s, ok := root.(*torchStorage)
	if !ok {
		return nil, fmt.Errorf("the bytes of a storage (at byte %d) hold something else", at.at)
	}
	key := strconv.Itoa(int(b))
	p.entries["data/"+key] = inner.entries["data/"+s.key]
	s = &torchStorage{s.storageType, key, s.numel}
	p.storages[int(b)] = s
	return s, nil
}
