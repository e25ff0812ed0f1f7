package checkpoints

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/nlpodyssey/gopickle/types"

	"illustrator/internal/fault"
)

// A pickle of Python's own, as NVIDIA's networks come, holds whole modules. torch_utils.persistence has each made by
// _reconstruct_persistent_obj of a dict with the class's name, the text of its program and its attributes; a tensor's
// elements are bytes in the middle of the pickle, which are a file of the format before version 1.6 themselves.
//
// Here the attributes are read and the program is not run. The pickle machine gets a copy of the pickle in which bytes and
// classes are replaced by persistent ids, so that it neither reads elements nor knows any class but these:

// plainClasses are the classes of such a pickle beside those that a checkpoint may name. None of them acts.
var plainClasses = map[string]any{
	"collections.OrderedDict":                             callable(newOrderedDict),
	"torch_utils.persistence._reconstruct_persistent_obj": callable(newPersistent),
	"dnnlib.util.EasyDict":                                easyDict{},
	"dnnlib.EasyDict":                                     easyDict{},
	"builtins.set":                                        callable(newOpaque),
	"builtins.slice":                                      callable(newOpaque),
	"numpy.dtype":                                         callable(newOpaque),
	"numpy.ndarray":                                       opaque{},
	"numpy.core.multiarray.scalar":                        callable(newOpaque),
	"numpy.core.multiarray._reconstruct":                  callable(newOpaque),
	"numpy._core.multiarray.scalar":                       callable(newOpaque),
	"numpy._core.multiarray._reconstruct":                 callable(newOpaque),
}

const (
	loadStorage   = "torch.storage._load_from_bytes"
	tensorFlowNet = "dnnlib.tflib.network.Network"
)

func newOpaque([]any) (any, error) { return opaque{}, nil }

// PySetState drops a state.
func (opaque) PySetState(any) error { return nil }

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

// isPlain reports whether a file is a pickle and nothing else.
func isPlain(r io.ReaderAt) bool {
	var head [2]byte
	n, _ := r.ReadAt(head[:], 0)
	return n == 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5
}

// plainPickle is read from front to back.
type plainPickle struct {
	*archive
	cursor
	blobs    []span
	storages map[int]*torchStorage
	// out is the copy for the machine.
	out []byte
}

// span is a part of a file.
type span struct{ at, size int64 }

// openPlain opens a pickle of Python's own and returns what it builds.
func openPlain(r io.ReaderAt, size int64) (*archive, any, error) {
	p := &plainPickle{
		archive: &archive{format: "Python pickle", size: size, entries: map[string]stored{}},
		cursor:  cursor{r: r, size: size}, storages: map[int]*torchStorage{},
	}
	if err := p.copy(); err != nil {
		return nil, nil, fmt.Errorf("pickle: %w", err)
	}
	root, err := runMachine(p.out, p.persistent)
	if err != nil {
		return nil, nil, fmt.Errorf("pickle: %w", err)
	}
	return p.archive, root, nil
}

// plainInstructions are those of pickle protocols 3 to 5 that a plain pickle may have beside instructions: short texts, sets, the
// memo without numbers. Frames, bytes and classes are handled by name.
var plainInstructions = map[byte]argument{
	'\x8c': counted1, '\x94': none, '\x8f': none, '\x90': none, '0': none,
}

// copy goes through the pickle and makes the machine's copy. It stays as small as the pickle of a checkpoint.
func (p *plainPickle) copy() error {
	marks := 0
	for n := 0; ; n++ {
		if n == maxInstructions || len(p.out) > maxPickle {
			return fmt.Errorf("it has more than %d instructions, or %d bytes without those of its tensors", maxInstructions, maxPickle)
		}
		at := p.at
		op, err := p.next(1)
		if err != nil {
			return fmt.Errorf("it ends without the instruction to stop: %w", err)
		}
		if err := p.instruction(op[0], &marks); err != nil {
			if fault.HintOf(err) == "" {
				err = fmt.Errorf("instruction %#02x at byte %d: %w", op[0], at, err)
			}
			return err
		}
		if op[0] == '.' {
			if p.at != p.cursor.size {
				return fmt.Errorf("%d bytes follow its end", p.cursor.size-p.at)
			}
			return nil
		}
	}
}

func (p *plainPickle) instruction(op byte, marks *int) error {
	switch op {
	case '\x95': // a frame says how many bytes to read at once
		_, err := p.next(8)
		return err
	case 'C':
		return p.blob(1)
	case 'B':
		return p.blob(4)
	case '\x8e':
		return p.blob(8)
	case '\x93': // module and name are on the stack
		p.out = append(p.out, "\x86Q"...)
		return nil
	case 'c':
		return p.class()
	case '(':
		if *marks++; *marks > maxMarks {
			return fmt.Errorf("it nests more than %d deep", maxMarks)
		}
	case 't', 'u', 'e', '\x90':
		*marks--
	}
	arg, ok := plainInstructions[op]
	if !ok {
		arg, ok = instructions[op]
	}
	if !ok || op == 'Q' {
		return errors.New("it is not one of those that Python writes for modules and tensors")
	}
	return p.plain(op, arg)
}

// plain copies an instruction with its argument.
func (p *plainPickle) plain(op byte, arg argument) error {
	head, err := p.next(argumentBytes[arg])
	if err != nil {
		return err
	}
	argument := append([]byte(nil), head...)
	var more int64
	switch {
	case op == '\x80':
		if head[0] > 5 {
			return fmt.Errorf("pickle protocol %d; up to 5 are read", head[0])
		}
		argument[0] = 2
	case op == '\x8a' && (head[0] == 0 || head[0] > 8):
		return fmt.Errorf("a number of %d bytes", head[0])
	case arg == counted1:
		more = int64(head[0])
	case arg == counted4:
		more = int64(binary.LittleEndian.Uint32(head))
	}
	if op == '\x8a' {
		more = int64(head[0])
	}
	if more > maxPickle {
		return fmt.Errorf("its argument has %d bytes; at most %d are read", more, maxPickle)
	}
	tail, err := p.next(int(more))
	if err != nil {
		return err
	}
	p.out = append(append(append(p.out, op), argument...), tail...)
	return nil
}

// blob passes over bytes, whose number comes first in so many bytes, and puts the number of the blob into the copy.
func (p *plainPickle) blob(width int) error {
	head, err := p.next(width)
	if err != nil {
		return err
	}
	var count [8]byte
	copy(count[:], head)
	n := binary.LittleEndian.Uint64(count[:])
	if n > uint64(p.cursor.size-p.at) {
		return fmt.Errorf("its argument claims %d bytes, %d are left", n, p.cursor.size-p.at)
	}
	p.out = append(p.out, 'J')
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(p.blobs)))
	p.out = append(p.out, 'Q')
	p.blobs = append(p.blobs, span{p.at, int64(n)})
	p.at += int64(n)
	return nil
}

// class copies the two lines that name a class as two texts.
func (p *plainPickle) class() error {
	for range 2 {
		line, err := p.line()
		if err != nil {
			return err
		}
		p.out = append(p.out, 'X')
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(line)))
		p.out = append(p.out, line...)
	}
	p.out = append(p.out, "\x86Q"...)
	return nil
}

// persistent returns the bytes or the class that a persistent id of the copy stands for.
func (p *plainPickle) persistent(id any) (any, error) {
	switch id := id.(type) {
	case int:
		if id < 0 || id >= len(p.blobs) {
			return nil, fmt.Errorf("there are no bytes %d", id)
		}
		return blob(id), nil
	case *types.Tuple:
		module, okModule := id.Get(0).(string)
		name, okName := id.Get(1).(string)
		if okModule && okName {
			return p.findClass(module, name)
		}
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
		return nil, refused(module, name)
	}
	return findClass(module, name)
}

// storage is torch.storage._load_from_bytes(bytes): the bytes are a file of the format before version 1.6 that holds one
// storage alone.
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
	if !isLegacy(section) {
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

// cursor reads a file from front to back in small pieces, with leaps.
type cursor struct {
	r        io.ReaderAt
	at, size int64
	window   []byte
	begin    int64 // of the window
}

const (
	windowSize = 4096
	maxLine    = 512
)

// next returns the n bytes that come next, valid until the next call.
func (c *cursor) next(n int) ([]byte, error) {
	if int64(n) > c.size-c.at {
		return nil, io.ErrUnexpectedEOF
	}
	if from := c.at - c.begin; from < 0 || from+int64(n) > int64(len(c.window)) {
		c.window = make([]byte, min(max(int64(n), windowSize), c.size-c.at))
		c.begin = c.at
		if _, err := c.r.ReadAt(c.window, c.at); err != nil && err != io.EOF {
			return nil, err
		}
	}
	from := c.at - c.begin
	c.at += int64(n)
	return c.window[from : from+int64(n)], nil
}

// line returns the bytes up to the next line's end, without it.
func (c *cursor) line() ([]byte, error) {
	var line []byte
	for len(line) < maxLine {
		b, err := c.next(1)
		if err != nil {
			return nil, err
		}
		if b[0] == '\n' {
			return line, nil
		}
		line = append(line, b[0])
	}
	return nil, fmt.Errorf("a line of more than %d bytes", maxLine)
}
