package checkpoints

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nlpodyssey/gopickle/types"

	"illustrator/internal/fault"
)

// storageType is one of PyTorch's storage classes: a name and the type of its elements. Types that no network here uses
// have a name too, so that a message can say it.
type storageType struct {
	class string
	dtype DType
	size  int
}

// torchStorage is a storage of the file: elements of one type in a row.
type torchStorage struct {
	storageType
	key   string
	numel int
}

// torchTensor is a view into a storage: element (i, j, …) is at offset + i·strides[0] + j·strides[1] + …
type torchTensor struct {
	storage *torchStorage
	offset  int
	shape   []int
	strides []int
}

// newStorage makes a storage of a persistent id: ("storage", class, key, device, number of elements). The file's entry
// must have exactly that size.
func (a *archive) newStorage(id any) (any, error) {
	s, rest, err := parseStorage(id)
	if f := (foreignStorage{}); errors.As(err, &f) {
		return f.foreign, nil
	}
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, errNoStorage
	}
	entry, ok := a.entries["data/"+s.key]
	if !ok {
		return nil, fmt.Errorf("storage %q has no entry in the archive", s.key)
	}
	if s.numel > math.MaxInt64/s.size || uint64(s.bytes()) != entry.size {
		return nil, fmt.Errorf("storage %q claims %d elements of %d bytes, its entry has %d bytes", s.key, s.numel, s.size,
			entry.size)
	}
	return s, nil
}

var errNoStorage = errors.New("a persistent id is not that of a storage")

// foreignStorage is the error of a storage of a foreign class.
type foreignStorage struct{ *foreign }

func (f foreignStorage) Error() string { return "a storage of the class " + f.class }

// parseStorage reads a persistent id and returns what follows the number of elements. The number is not negative.
func parseStorage(id any) (*torchStorage, []any, error) {
	tuple, ok := id.(*types.Tuple)
	if !ok || tuple.Len() < 5 || tuple.Get(0) != "storage" {
		return nil, nil, errNoStorage
	}
	if f, ok := tuple.Get(1).(*foreign); ok { // of elements that no network here has
		return nil, nil, foreignStorage{f}
	}
	class, okClass := tuple.Get(1).(storageType)
	key, okKey := tuple.Get(2).(string)
	numel, okNumel := tuple.Get(4).(int)
	if !okClass || !okKey || !okNumel {
		return nil, nil, fmt.Errorf("the id of a storage is malformed")
	}
	if numel < 0 {
		return nil, nil, fmt.Errorf("storage %q claims %d elements", key, numel)
	}
	return &torchStorage{class, key, numel}, (*tuple)[5:], nil
}

// bytes is the size of the elements together.
func (s *torchStorage) bytes() int64 { return int64(s.numel) * int64(s.size) }

// rebuildTensor is torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]).
// metadata holds what the elements do not show: that a view negates or conjugates them.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 6 || len(args) > 7 {
		return nil, fmt.Errorf("a tensor is made of %d arguments; expected 6 or 7", len(args))
	}
	if len(args) == 7 {
		changes := false
		if err := eachEntry(args[6], func(_, set any) error { changes = changes || set != false; return nil }); err != nil {
			return nil, err
		}
		if changes {
			return &foreign{class: "torch.Tensor with a view that negates or conjugates"}, nil
		}
	}
	return newTorchTensor(args[:4])
}

// rebuildOldTensor is torch._utils._rebuild_tensor(storage, offset, size, stride), from before version 0.4.
func rebuildOldTensor(args []any) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("a tensor is made of %d arguments; expected 4", len(args))
	}
	return newTorchTensor(args)
}

func newTorchTensor(args []any) (any, error) {
	if f, ok := args[0].(*foreign); ok {
		return f.made(), nil
	}
	storage, ok := args[0].(*torchStorage)
	if !ok {
		return nil, fmt.Errorf("a tensor has no storage")
	}
	offset, ok := args[1].(int)
	if !ok {
		return nil, fmt.Errorf("a tensor's offset is not a number")
	}
	shape, err := ints(args[2])
	if err != nil {
		return nil, fmt.Errorf("a tensor's size: %w", err)
	}
	strides, err := ints(args[3])
	if err != nil {
		return nil, fmt.Errorf("a tensor's stride: %w", err)
	}
	t := &torchTensor{storage, offset, shape, strides}
	return t, t.check()
}

// ints returns a tuple of numbers from 0 to the largest size of an axis.
func ints(v any) ([]int, error) {
	tuple, ok := v.(*types.Tuple)
	if !ok {
		return nil, fmt.Errorf("not a tuple")
	}
	if tuple.Len() > maxRank {
		return nil, fmt.Errorf("%d axes; at most %d", tuple.Len(), maxRank)
	}
	out := make([]int, tuple.Len())
	for i := range out {
		n, ok := tuple.Get(i).(int)
		if !ok || n < 0 || n > maxDim {
			return nil, fmt.Errorf("axis %d is not a number from 0 to %d", i, maxDim)
		}
		out[i] = n
	}
	return out, nil
}

// check holds the view against its storage: as many elements at most, and none outside.
func (t *torchTensor) check() error {
	bad := func(why string) error {
		return fmt.Errorf("tensor of shape %v, strides %v, offset %d in storage %q of %d elements: %s",
			t.shape, t.strides, t.offset, t.storage.key, t.storage.numel, why)
	}
	if len(t.shape) != len(t.strides) {
		return bad("shape and strides differ in length")
	}
	if slices.Contains(t.shape, 0) {
		return nil
	}
	elements, last := 1, t.offset
	if t.offset < 0 || t.offset >= t.storage.numel {
		return bad("it begins outside")
	}
	for i, d := range t.shape {
		// The divisions keep the products from overflowing.
		if elements > t.storage.numel/d {
			return fault.Hint(bad("it has more elements than its storage"),
				"an expanded tensor: in Python, save tensor.contiguous()")
		}
		elements *= d
		if d > 1 && t.strides[i] > (t.storage.numel-1-last)/(d-1) {
			return bad("it ends outside")
		}
		last += (d - 1) * t.strides[i]
	}
	return nil
}

// elements is the number of elements. check has made sure that the storage has as many.
func (t *torchTensor) elements() int { return Tensor{Shape: t.shape}.Elements() }

// read returns the tensor with its elements in row-major order. Storages are read once and kept in storages: tensors
// that are contiguous in them share their memory.
func (t *torchTensor) read(a *archive, storages map[string][]byte) (Tensor, error) {
	size := t.storage.dtype.Size()
	if size == 0 {
		return Tensor{}, fmt.Errorf("elements of type %s (torch.%s), which no network here uses", t.storage.dtype,
			t.storage.class)
	}
	out := Tensor{DType: t.storage.dtype, Shape: t.shape}
	n := t.elements()
	if n == 0 {
		return out, nil
	}
	data, ok := storages[t.storage.key]
	if !ok {
		var err error
		if data, err = a.read("data/"+t.storage.key, math.MaxUint64); err != nil {
			return Tensor{}, err
		}
		storages[t.storage.key] = data
	}
	data = data[t.offset*size:]
	if t.contiguous() {
		out.Data = data[: n*size : n*size]
		return out, nil
	}
	out.Data = gather(make([]byte, 0, n*size), data, t.shape, t.strides, size)
	return out, nil
}

// contiguous reports whether the elements lie in row-major order without gaps. The stride of an axis of one is no
// matter.
func (t *torchTensor) contiguous() bool {
	next := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.strides[i] != next {
			return false
		}
		next *= t.shape[i]
	}
	return true
}

// gather appends the elements of a strided view in row-major order.
func gather(to, from []byte, shape, strides []int, size int) []byte {
	if len(shape) == 0 {
		return append(to, from[:size]...)
	}
	for i := range shape[0] {
		to = gather(to, from[i*strides[0]*size:], shape[1:], strides[1:], size)
	}
	return to
}
