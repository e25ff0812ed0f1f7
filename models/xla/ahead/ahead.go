//go:build linux && cgo

package ahead

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "ahead.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"illustrator/models/xla/programs"
)

// Compiler is a plugin that compiles for one described device.
type Compiler struct {
	table    *C.api
	topology *C.topology
}

// Open loads the CUDA plugin at path, for good, to compile for the device d.
func Open(path string, d Device) (*Compiler, error) {
	file := C.CString(path)
	defer C.free(unsafe.Pointer(file))
	c := &Compiler{table: C.ahead_table(file)}
	if c.table == nil {
		return nil, fmt.Errorf("%q is not a PJRT plugin that compiles ahead of time", path)
	}
	initialize := (*C.initialize_args)(newArgs(C.sizeof_initialize_args))
	defer C.free(unsafe.Pointer(initialize))
	if err := c.call(C.INITIALIZE, unsafe.Pointer(initialize)); err != nil {
		return nil, fmt.Errorf("initialize %q: %w", path, err)
	}
	options := [][2]string{{"target_config", d.Config()}, {"topology", "1x1x1"}}
	values := (*C.named_value)(C.calloc(C.size_t(len(options)), C.sizeof_named_value))
	defer C.free(unsafe.Pointer(values))
	for i, option := range options {
		v := &unsafe.Slice(values, len(options))[i]
		v.struct_size = C.sizeof_named_value
		v.name, v.name_size = C.CString(option[0]), C.size_t(len(option[0]))
		v.text, v.text_size = C.CString(option[1]), C.size_t(len(option[1]))
		defer C.free(unsafe.Pointer(v.name))
		defer C.free(unsafe.Pointer(v.text))
	}
	create := (*C.topology_create_args)(newArgs(C.sizeof_topology_create_args))
	defer C.free(unsafe.Pointer(create))
	create.name, create.name_size = C.CString(d.Name), C.size_t(len(d.Name))
	defer C.free(unsafe.Pointer(create.name))
	create.options, create.options_count = values, C.size_t(len(options))
	if err := c.call(C.TOPOLOGY_CREATE, unsafe.Pointer(create)); err != nil {
		return nil, fmt.Errorf("describe %s: %w", d.Name, err)
	}
	c.topology = create.topology
	return c, nil
}

// newArgs returns zeroed memory of C's for a function's arguments, whose first field is their size.
func newArgs(size C.size_t) unsafe.Pointer {
	args := C.calloc(1, size)
	*(*C.size_t)(args) = size
	return args
}

// Compile compiles a program and returns what of the device's memory it takes, and the optimised program: a serialized
// HloModuleProtoWithConfig.
func (c *Compiler) Compile(p programs.Program) (Memory, []byte, error) {
	program := (*C.program)(newArgs(C.sizeof_program))
	defer C.free(unsafe.Pointer(program))
	program.code, program.code_size = (*C.char)(C.CBytes(p.Code)), C.size_t(len(p.Code))
	defer C.free(unsafe.Pointer(program.code))
	program.format, program.format_size = C.CString(p.Format), C.size_t(len(p.Format))
	defer C.free(unsafe.Pointer(program.format))

	args := (*C.ahead_args)(newArgs(C.sizeof_ahead_args))
	defer C.free(unsafe.Pointer(args))
	args.topology, args.program = c.topology, program
	args.options, args.options_size = (*C.char)(C.CBytes(p.Options)), C.size_t(len(p.Options))
	defer C.free(unsafe.Pointer(args.options))
	if err := c.call(C.AHEAD, unsafe.Pointer(args)); err != nil {
		return Memory{}, nil, err
	}
	defer c.destroy(args.executable)
	memory, err := c.memory(args.executable)
	if err != nil {
		return Memory{}, nil, err
	}
	optimized, err := c.optimized(args.executable)
	return memory, optimized, err
}

func (c *Compiler) memory(executable *C.executable) (Memory, error) {
	args := (*C.memory_args)(newArgs(C.sizeof_memory_args + 64)) // newer plugins fill in more
	defer C.free(unsafe.Pointer(args))
	args.struct_size, args.executable = C.sizeof_memory_args, executable
	if err := c.call(C.MEMORY, unsafe.Pointer(args)); err != nil {
		return Memory{}, fmt.Errorf("memory: %w", err)
	}
	b := args.bytes // code, arguments, outputs, aliased, temporary
	return Memory{Arguments: int64(b[1]), Outputs: int64(b[2]), Aliased: int64(b[3]), Temporary: int64(b[4])}, nil
}

// optimized asks for the program's size, then for the program.
func (c *Compiler) optimized(executable *C.executable) ([]byte, error) {
	program := (*C.program)(newArgs(C.sizeof_program))
	defer C.free(unsafe.Pointer(program))
	args := (*C.optimized_args)(newArgs(C.sizeof_optimized_args))
	defer C.free(unsafe.Pointer(args))
	args.executable, args.program = executable, program
	if err := c.call(C.OPTIMIZED, unsafe.Pointer(args)); err != nil {
		return nil, fmt.Errorf("optimised program: %w", err)
	}
	size := program.code_size
	program.code = (*C.char)(C.calloc(1, size+1))
	defer C.free(unsafe.Pointer(program.code))
	if err := c.call(C.OPTIMIZED, unsafe.Pointer(args)); err != nil {
		return nil, fmt.Errorf("optimised program: %w", err)
	}
	return C.GoBytes(unsafe.Pointer(program.code), C.int(size)), nil
}

func (c *Compiler) destroy(executable *C.executable) {
	args := (*C.executable_destroy_args)(newArgs(C.sizeof_executable_destroy_args))
	defer C.free(unsafe.Pointer(args))
	args.executable = executable
	_ = c.call(C.EXECUTABLE_DESTROY, unsafe.Pointer(args)) // leaks at worst
}

// call calls one of the plugin's functions.
func (c *Compiler) call(function C.int, args unsafe.Pointer) error {
	failure := C.ahead_call(c.table, function, args)
	if failure == nil {
		return nil
	}
	message := (*C.error_message_args)(newArgs(C.sizeof_error_message_args))
	defer C.free(unsafe.Pointer(message))
	message.error = failure
	C.ahead_call(c.table, C.ERROR_MESSAGE, unsafe.Pointer(message))
	err := errors.New(strings.Clone(unsafe.String((*byte)(unsafe.Pointer(message.message)), int(message.message_size))))
	destroy := (*C.error_destroy_args)(newArgs(C.sizeof_error_destroy_args))
	defer C.free(unsafe.Pointer(destroy))
	destroy.error = failure
	C.ahead_call(c.table, C.ERROR_DESTROY, unsafe.Pointer(destroy))
	return err
}
