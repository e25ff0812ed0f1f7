package checkpoints

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"illustrator/internal/fault"
)

// A pickle of Python's own, as NVIDIA's networks come, holds whole modules. torch_utils.persistence has each made by
// _reconstruct_persistent_obj of a dict with the class's name, the text of its program and its attributes; a tensor's
// elements are bytes in the middle of the pickle, which are a file of the format before version 1.6 themselves.
//
// Here the attributes are read and the program is not run. The pickle machine gets a copy of the pickle in which
// bytes and classes are replaced by persistent ids, so that it neither reads elements nor knows any class but those
// of torch_persistent.go.

// protocolOf is the protocol of the pickle that a file begins with, 0 where it begins otherwise.
func protocolOf(r io.ReaderAt) byte {
	var head [2]byte
	if n, _ := r.ReadAt(head[:], 0); n == 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 {
		return head[1]
	}
	return 0
}

// plainPickle is read from front to back.
type plainPickle struct {
	*archive
	cursor
	blobs    []span
	storages map[int]*torchStorage
	// newStorage makes the storages of a pickle within an archive, whose bytes are of no interest. nil for a pickle
	// alone.
	newStorage func(id any) (any, error)
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
	err := p.copy()
	if err == nil {
		err = ends(p.cursor.size - p.at)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("pickle: %w", err)
	}
	root, err := p.runMachine(p.out, p.persistent)
	if err != nil {
		return nil, nil, fmt.Errorf("pickle: %w", err)
	}
	return p.archive, root, nil
}

// unpickleNewer runs a pickle of protocol 4 or 5 that lies in a file from a byte on, and returns its length; more may
// follow. Its classes may be named by texts that are computed, so that the machine gets a copy here too.
func (a *archive) unpickleNewer(r io.ReaderAt, at, size int64, newStorage func(id any) (any, error)) (root any,
	length int64, err error) {
	p := &plainPickle{archive: a, cursor: cursor{r: r, at: at, size: size}, newStorage: newStorage}
	if err = p.copy(); err != nil {
		return nil, 0, err
	}
	root, err = a.runMachine(p.out, p.persistent)
	return root, p.at - at, err
}

// plainInstructions are those of pickle protocols 3 to 5 that a plain pickle may have beside instructions: short
// texts, sets, the memo without numbers. Frames, bytes and classes are handled by name.
var plainInstructions = map[byte]argument{
	'\x8c': counted1, '\x94': none, '\x8f': none, '\x90': none, '\x91': none,
}

// ends refuses bytes behind the end of a pickle.
func ends(more int64) error {
	if more != 0 {
		return fmt.Errorf("%d bytes follow its end", more)
	}
	return nil
}

// copy goes through the pickle and makes the machine's copy. It stays as small as the pickle of a checkpoint.
func (p *plainPickle) copy() error {
	marks := 0
	for n := 0; ; n++ {
		if n == maxInstructions || len(p.out) > maxPickle {
			return fmt.Errorf("it has more than %d instructions, or %d bytes without those of its tensors", maxInstructions,
				maxPickle)
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
	case '\x8e', '\x96':
		return p.blob(8)
	case '\x93': // module and name are on the stack
		p.out = append(p.out, "\x86Q"...)
		return nil
	case '\x92': // a class, its arguments, and those that have names, which mean nothing here
		p.out = append(p.out, "0\x81"...)
		return nil
	case 'c':
		return p.class()
	case '(':
		if *marks++; *marks > maxMarks {
			return fmt.Errorf("it nests more than %d deep", maxMarks)
		}
	case 't', 'u', 'e', '\x90', '\x91', '1':
		*marks--
	}
	arg, ok := plainInstructions[op]
	if !ok {
		arg, ok = instructions[op]
	}
	if !ok || op == 'Q' && p.newStorage == nil {
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
	case op == '\x8a' && head[0] == 0:
		return errors.New("a number of 0 bytes")
	case arg == counted1:
		more = int64(head[0])
	case arg == counted4:
		more = int64(binary.LittleEndian.Uint32(head))
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

// blob skips bytes, whose number comes first, and puts the number of the blob into the copy.
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
