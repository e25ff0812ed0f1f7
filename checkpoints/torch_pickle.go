package checkpoints

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"

	"illustrator/internal/fault"
)

// Limits of a checkpoint's pickle. A tensor takes some 35 instructions and 120 bytes; the pickle of a network with a
// thousand tensors and its optimizer stays below a tenth of these.
const (
	maxPickle       = 64 << 20 // logs of a long training are some tens of megabytes
	maxInstructions = 200_000
	maxMarks        = 64
	maxTreeDepth    = 16
	maxMembers      = maxInstructions
)

// classes are those that mean something here: containers, tensors and plain values. None of them acts. All others are
// foreign.
var classes = func() map[string]any {
	c := map[string]any{
		"collections.OrderedDict":                    callable(newOrderedDict),
		"torch._utils._rebuild_tensor_v2":            callable(rebuildTensor),
		"torch._utils._rebuild_tensor":               callable(rebuildOldTensor),
		"torch._utils._rebuild_parameter":            callable(firstArgument),
		"torch._utils._rebuild_parameter_with_state": callable(firstArgument),
		"torch._tensor._rebuild_from_type_v2":        callable(rebuildSubclass),
		"torch._tensor._rebuild_from_type":           callable(rebuildSubclass),
		"torch.Size":                                 callable(firstArgument),
		"torch.device":                               callable(func([]any) (any, error) { return opaque{}, nil }),
	}
	// TorchScript types its lists.
	for _, name := range []string{"build_intlist", "build_doublelist", "build_boollist", "build_tensorlist",
		"restore_type_tag"} {
		c["torch.jit._pickle."+name] = callable(firstArgument)
	}
	for _, name := range []string{"float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8",
		"bool"} {
		c["torch."+name] = opaque{}
	}
	for _, s := range []storageType{
		{"DoubleStorage", F64, 8}, {"FloatStorage", F32, 4}, {"HalfStorage", F16, 2}, {"BFloat16Storage", BF16, 2},
		{"LongStorage", I64, 8}, {"IntStorage", I32, 4}, {"ShortStorage", "I16", 2}, {"CharStorage", "I8", 1},
		{"ByteStorage", U8, 1}, {"BoolStorage", Bool, 1}, {"ComplexFloatStorage", "C64", 8},
		{"ComplexDoubleStorage", "C128", 16},
	} {
		c["torch."+s.class] = s
	}
	return c
}()

// acting are the modules whose functions act on the machine, and functions of Python's own that do. A pickle that
// names one was made to harm whoever loads it in Python: a user is told, although nothing is executed here.
var acting = map[string]bool{
	"os": true, "posix": true, "nt": true, "subprocess": true, "sys": true, "shutil": true, "socket": true, "pty": true,
	"runpy":     true,
	"importlib": true, "ctypes": true, "webbrowser": true, "commands": true, "asyncio.subprocess": true, "code": true,
	"pip":           true,
	"builtins.eval": true, "builtins.exec": true, "builtins.compile": true, "builtins.open": true,
	"builtins.__import__": true,
	"builtins.input":      true, "builtins.breakpoint": true,
}

// callable is a function that a pickle may call.
type callable func(args []any) (any, error)

func (c callable) Call(args ...any) (any, error) { return c(args) }

// opaque is a value that is of no interest.
type opaque struct{}

// foreign stands for a class or function that means nothing here, and for all that is made of it. It takes what the
// pickle gives it, keeps the entries of a dict, and does nothing.
type foreign struct {
	class string
	items *types.Dict
}

func (f *foreign) made() *foreign              { return &foreign{class: f.class} }
func (f *foreign) Call(...any) (any, error)    { return f.made(), nil }
func (f *foreign) PyNew(...any) (any, error)   { return f.made(), nil }
func (f *foreign) PySetState(any) error        { return nil }
func (f *foreign) PyDictSet(_, _ any) error    { return nil }
func (f *foreign) PySetAttr(string, any) error { return nil }
func (f *foreign) Append(any)                  {}
func (f *foreign) Add(any)                     {}
func (f *foreign) Set(key, value any) {
	if f.items == nil {
		f.items = types.NewDict()
	}
	f.items.Set(key, value)
}

// scriptModule is TorchScript's module of a program's classes, all of them modules.
const scriptModule = "__torch__"

// scriptClass is one of them, by its name.
type scriptClass string

func (c scriptClass) PyNew(...any) (any, error) {
	return &torchObject{class: string(c), state: types.NewDict()}, nil
}

// torchObject is an object of a class that the file brings with it: a module's attributes. Its methods are not read.
type torchObject struct {
	class string
	state *types.Dict
}

func (o *torchObject) PyDictSet(key, value any) error { o.state.Set(key, value); return nil }

// firstArgument is for wrappers: torch._utils._rebuild_parameter(tensor, …), torch.Size(tuple).
func firstArgument(args []any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a wrapper wraps nothing")
	}
	return args[0], nil
}

// rebuildSubclass is torch._tensor._rebuild_from_type_v2(function, type, arguments, state): a tensor with attributes.
func rebuildSubclass(args []any) (any, error) {
	if len(args) < 3 {
		return nil, fmt.Errorf("a tensor of a subclass is made of %d arguments", len(args))
	}
	rebuild, ok := args[0].(callable)
	inner, okInner := args[2].(*types.Tuple)
	if !ok || !okInner {
		return &foreign{class: "a tensor's subclass"}, nil
	}
	return rebuild(*inner)
}

// findClass returns what stands for a class in the machine, and notes one that acts. TorchScript's own classes are
// bags of attributes, whatever their methods.
func (a *archive) findClass(module, name string) (any, error) {
	full := ownName(module + "." + name)
	if class, ok := classes[full]; ok {
		return class, nil
	}
	if module == scriptModule || strings.HasPrefix(module, scriptModule+".") {
		return scriptClass(name), nil
	}
	plain := strings.Replace(full, "__builtin__.", "builtins.", 1) // Python 2's name
	root, _, _ := strings.Cut(plain, ".")
	if (acting[plain] || acting[root] || acting[module]) && !slices.Contains(a.acting, full) && len(a.acting) < maxActing {
		a.acting = append(a.acting, full)
	}
	return &foreign{class: full}, nil
}

// maxActing is the most classes that act that are noted.
const maxActing = 10

// The machine has classes of its own, which it does not ask findClass for. Their names are changed before it sees
// them.
var machineClasses = map[string]bool{
	"collections.OrderedDict": true, "builtins.list": true, "builtins.dict": true, "__builtin__.object": true,
	"array._array_reconstructor": true, "copy_reg._reconstructor": true,
}

const ownSuffix = '\x01' // in place of the last letter of such a name

// ownName is the name of a class before it was changed.
func ownName(full string) string {
	if strings.HasSuffix(full, string(ownSuffix)) {
		for name := range machineClasses {
			if name[:len(name)-1] == full[:len(full)-1] {
				return name
			}
		}
	}
	return full
}

// unpickle runs a pickle and returns what it builds. newStorage makes a storage of a persistent id.
func (a *archive) unpickle(data []byte, newStorage func(id any) (any, error)) (root any, err error) {
	if r := bytes.NewReader(data); protocolOf(r) > 3 {
		root, length, err := a.unpickleNewer(r, 0, int64(len(data)), newStorage)
		if err == nil {
			err = ends(int64(len(data)) - length)
		}
		return root, err
	}
	length, err := scan(data)
	if err == nil {
		err = ends(int64(len(data) - length))
	}
	if err != nil {
		return nil, err
	}
	return a.runMachine(data, newStorage)
}

// runMachine runs a pickle whose instructions have been looked through.
func (a *archive) runMachine(data []byte, persistent func(id any) (any, error)) (root any, err error) {
	// The machine indexes and casts without looking when a pickle is malformed.
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("it is malformed: %w",
				fault.Recovered(p, "an instruction lacks the values that it takes"))
		}
	}()
	machine := pickle.NewUnpickler(bytes.NewReader(data))
	machine.PersistentLoad = persistent
	machine.FindClass = a.findClass
	if root, err = machine.Load(); err != nil {
		if text := err.Error(); len(text) > 400 { // the machine prints whole values
			err = errors.New(text[:400] + " …")
		}
		return nil, err
	}
	return root, nil
}

// unread is the error of an object where a tensor or a dict is needed.
func unread(what, class string) error {
	return fault.Hint(fmt.Errorf("%s is an object of the class %s", what, class),
		"only tensors and plain values are read, nothing is executed: in Python, save model.state_dict() alone")
}

// argument says how an instruction's argument is laid out.
type argument int

const (
	none   argument = iota
	fixed1          // that many bytes
	fixed2
	fixed4
	fixed8
	counted1 // a count of that many bytes, then as many bytes
	counted4
	class // two lines: module, name
)

// instructions are those of pickle protocols 2 and 3 that Python's pickler writes for what a checkpoint may hold. The
// others (protocol 0's texts, 4's frames and classes by computed name, extensions, buffers) are refused.
var instructions = map[byte]argument{
	'\x80': fixed1, '.': none, '(': none,
	'N': none, '\x88': none, '\x89': none, // None, True, False
	'K': fixed1, 'M': fixed2, 'J': fixed4, '\x8a': counted1, 'G': fixed8, // numbers
	'X': counted4, 'U': counted1, 'T': counted4, 'C': counted1, 'B': counted4, // texts and bytes
	'}': none, 's': none, 'u': none, ']': none, 'a': none, 'e': none, // dicts and lists
	')': none, 't': none, '\x85': none, '\x86': none, '\x87': none, // tuples
	'q': fixed1, 'r': fixed4, 'h': fixed1, 'j': fixed4, // memo
	'0': none, '1': none, // what a tuple that holds itself leaves on the stack
	'c': class, 'R': none, '\x81': none, 'b': none, 'Q': none, // classes, calls, states, storages
}

// scan reads a pickle without running it, and changes the names of the machine's own classes in it. The machine
// allocates what an instruction claims before it looks whether the bytes are there, and what containers and marks
// there are one by one: scan makes sure that both stay in bounds. It returns the pickle's length; more may follow.
func scan(data []byte) (int, error) {
	marks := 0
	for at, n := 0, 0; ; n++ {
		if at >= len(data) {
			return 0, fmt.Errorf("it ends without the instruction to stop: %w", io.ErrUnexpectedEOF)
		}
		if n == maxInstructions {
			return 0, fmt.Errorf("it has more than %d instructions", maxInstructions)
		}
		op := data[at]
		arg, ok := instructions[op]
		if !ok {
			return 0, fault.Hint(fmt.Errorf("instruction %#02x at byte %d is not one of those that PyTorch writes", op, at),
				"load and save the file with PyTorch, without pickle_protocol")
		}
		at++
		length, err := argumentLength(arg, op, data[at:])
		if err != nil && fault.HintOf(err) == "" {
			err = fmt.Errorf("instruction %#02x at byte %d: %w", op, at-1, err)
		}
		if err != nil {
			return 0, err
		}
		at += length
		switch op {
		case '(':
			if marks++; marks > maxMarks {
				return 0, fmt.Errorf("it nests more than %d deep", maxMarks)
			}
		case 't', 'u', 'e', '1':
			marks--
		case '.':
			return at, nil
		}
	}
}

// argumentBytes is the least number of bytes of an argument.
var argumentBytes = [...]int{none: 0, fixed1: 1, fixed2: 2, fixed4: 4, fixed8: 8, counted1: 1, counted4: 4, class: 0}

// argumentLength returns the bytes that an instruction's argument takes at the beginning of rest.
func argumentLength(arg argument, op byte, rest []byte) (int, error) {
	need := argumentBytes[arg]
	if len(rest) < need {
		return 0, fmt.Errorf("the pickle ends in its argument: %w", io.ErrUnexpectedEOF)
	}
	switch {
	case op == '\x80' && rest[0] > 3:
		return 0, fault.Hint(fmt.Errorf("pickle protocol %d; 2 to 5 are read", rest[0]),
			"load and save the file with PyTorch, without pickle_protocol")
	case op == '\x8a' && rest[0] == 0:
		return 0, errors.New("a number of 0 bytes")
	case arg == class:
		return classLength(rest)
	case arg == counted1:
		need += int(rest[0])
	case arg == counted4:
		need += int(binary.LittleEndian.Uint32(rest))
	}
	if need > len(rest) {
		return 0, fmt.Errorf("its argument claims %d bytes, %d are left: %w", need, len(rest), io.ErrUnexpectedEOF)
	}
	return need, nil
}

// classLength reads the two lines that name a class, and changes the names of the machine's own.
func classLength(rest []byte) (int, error) {
	lines := bytes.SplitN(rest[:min(len(rest), 512)], []byte{'\n'}, 3)
	if len(lines) < 3 {
		return 0, fmt.Errorf("it does not name a class: %w", io.ErrUnexpectedEOF)
	}
	module, name := string(lines[0]), string(lines[1])
	length := len(module) + len(name) + 2
	if machineClasses[module+"."+name] {
		rest[length-2] = ownSuffix
	}
	return length, nil
}
