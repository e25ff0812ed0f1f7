package checkpoints

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nlpodyssey/gopickle/types"

	"illustrator/internal/fault"
)

// Before version 1.6 a PyTorch checkpoint is five pickles in a row (a magic number, the version, the writer's machine,
// the dicts and tensors' shapes, the storages' keys), then for each key the number of elements in 8 bytes and the
// elements. The weights of many a published network still come so: torchvision's VGG16, the FID Inception.

// legacyBegin returns the first two pickles: 0x1950a86a20f9469cfc6c and version 1001. torch.save's pickle_protocol is
// that of each pickle; from 4 on they stand in frames.
func legacyBegin(protocol byte) string {
	var begin []byte
	for _, body := range []string{"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "M\xe9\x03."} {
		begin = append(begin, 0x80, protocol)
		if protocol > 3 {
			begin = binary.LittleEndian.AppendUint64(append(begin, 0x95), uint64(len(body)))
		}
		begin = append(begin, body...)
	}
	return string(begin)
}

// legacyHead is the length of the first two pickles, 0 where a file begins otherwise.
func legacyHead(r io.ReaderAt) int {
	head := make([]byte, 64)
	n, _ := r.ReadAt(head, 0)
	for protocol := byte(2); protocol <= 5; protocol++ {
		if begin := legacyBegin(protocol); strings.HasPrefix(string(head[:n]), begin) {
			return len(begin)
		}
	}
	return 0
}

// legacyFile is read from front to back.
type legacyFile struct {
	*archive
	r        io.ReaderAt
	at       int64 // what is read so far
	storages map[string]*torchStorage
}

// openLegacy opens a file of the format before version 1.6 and returns what its pickle builds.
func openLegacy(r io.ReaderAt, size int64) (*archive, any, error) {
	f := &legacyFile{&archive{format: "PyTorch file of the format before version 1.6", size: size,
		entries: map[string]stored{}}, r, int64(legacyHead(r)), map[string]*torchStorage{}}
	noStorage := func(any) (any, error) { return nil, errNoStorage }
	machine, err := f.pickle("the writer's machine", noStorage)
	if err != nil {
		return nil, nil, err
	}
	if little, ok := machine.(*types.Dict); !ok || !isTrue(little, "little_endian") {
		return nil, nil, fault.Hint(errors.New("it does not say that it is little-endian"),
			"only little-endian files are read: load and save the file on a little-endian machine")
	}
	root, err := f.pickle("the tensors", f.newStorage)
	if err != nil {
		return nil, nil, err
	}
	keys, err := f.pickle("the storages' keys", noStorage)
	if err != nil {
		return nil, nil, err
	}
	return f.archive, root, f.locate(keys)
}

func isTrue(d *types.Dict, key string) bool {
	v, ok := d.Get(key)
	return ok && v == true
}

// pickle runs the pickle that comes next in the file.
func (f *legacyFile) pickle(what string, newStorage func(id any) (any, error)) (any, error) {
	if begin := io.NewSectionReader(f.r, f.at, 2); protocolOf(begin) > 3 {
		v, length, err := f.unpickleNewer(f.r, f.at, f.size, newStorage)
		if err != nil {
			return nil, fmt.Errorf("pickle of %s: %w", what, err)
		}
		f.at += length
		return v, nil
	}
	var data []byte
	var length int
	// Where it ends is found by reading it: a little more at a time.
	for size := int64(windowSize); ; size *= 8 {
		data = make([]byte, min(size, maxPickle, f.size-f.at))
		if _, err := f.r.ReadAt(data, f.at); err != nil && err != io.EOF {
			return nil, err
		}
		var err error
		if length, err = scan(data); err == nil {
			break
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(data)) < size || size >= maxPickle {
			return nil, fmt.Errorf("pickle of %s: %w", what, err)
		}
	}
	f.at += int64(length)
	v, err := f.unpickle(data[:length], newStorage)
	if err != nil {
		return nil, fmt.Errorf("pickle of %s: %w", what, err)
	}
	return v, nil
}

// newOrderedDict is collections.OrderedDict(), or collections.OrderedDict([[key, value], …]) as Python 2 writes it.
func newOrderedDict(args []any) (any, error) {
	d := types.NewOrderedDict()
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*types.List)
	if !ok || len(args) > 1 {
		return nil, errors.New("an OrderedDict is not made of a list")
	}
	for _, p := range *pairs {
		pair, ok := p.(*types.List)
		if !ok || pair.Len() != 2 {
			return nil, errors.New("an OrderedDict is not made of pairs")
		}
		if name, ok := pair.Get(0).(string); ok { // nothing that is needed has another key
			d.Set(name, pair.Get(1))
		}
	}
	return d, nil
}

// newStorage makes a storage of a persistent id: ("storage", class, key, device, number of elements, view of another
// storage). Where its elements are is found later; they are no more than the file can hold.
func (f *legacyFile) newStorage(id any) (any, error) {
	s, rest, err := parseStorage(id)
	if f := (foreignStorage{}); errors.As(err, &f) {
		return nil, fault.Hint(f, "save the tensors in float32 or float16") // where its elements end is not known
	}
	if err != nil {
		return nil, err
	}
	if len(rest) != 1 {
		return nil, errNoStorage
	}
	if rest[0] != nil {
		return nil, fault.Hint(fmt.Errorf("storage %q is a view of another", s.key),
			"load and save the file with a PyTorch of version 1.6 or later")
	}
	if int64(s.numel) > f.size/int64(s.size) {
		return nil, fmt.Errorf("storage %q claims %d elements of %d bytes, the file has %d bytes", s.key, s.numel, s.size,
			f.size)
	}
	if before, ok := f.storages[s.key]; ok {
		if *before != *s {
			return nil, fmt.Errorf("storage %q occurs twice, with %d and %d elements", s.key, before.numel, s.numel)
		}
		return before, nil
	}
	f.storages[s.key] = s
	return s, nil
}

// locate finds the elements of the storages, which lie in the order of keys up to the end of the file.
func (f *legacyFile) locate(keys any) error {
	list, ok := keys.(*types.List)
	if !ok {
		return errors.New("the storages' keys are not a list")
	}
	for _, k := range *list {
		key, ok := k.(string)
		s := f.storages[key]
		if !ok || s == nil {
			return fmt.Errorf("there is data for storage %v, which no tensor has", k)
		}
		if _, ok := f.entries["data/"+key]; ok {
			return fmt.Errorf("the data of storage %q occurs twice", key)
		}
		var count [8]byte
		if _, err := f.r.ReadAt(count[:], f.at); err != nil {
			return fmt.Errorf("storage %q: %w", key, io.ErrUnexpectedEOF)
		}
		f.at += 8
		if n := int64(binary.LittleEndian.Uint64(count[:])); n != int64(s.numel) {
			return fmt.Errorf("storage %q has %d elements, its tensors say %d", key, n, s.numel)
		}
		if s.bytes() > f.size-f.at {
			return fmt.Errorf("storage %q has %d bytes, the file has %d left", key, s.bytes(), f.size-f.at)
		}
		section := io.NewSectionReader(f.r, f.at, s.bytes())
		f.entries["data/"+key] = stored{uint64(s.bytes()), func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(section, 0, section.Size())), nil
		}}
		f.at += s.bytes()
	}
	for key := range f.storages {
		if _, ok := f.entries["data/"+key]; !ok {
			return fmt.Errorf("storage %q has no data", key)
		}
	}
	if f.at != f.size {
		return fmt.Errorf("%d bytes follow its end", f.size-f.at)
	}
	return nil
}
