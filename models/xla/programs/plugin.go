//go:build (linux || darwin) && cgo

package programs

/*
#cgo linux LDFLAGS: -ldl
#include "intercept.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/gomlx/go-xla/pjrt"

	"illustrator/checkpoints"
)

// plugin is the plugin that programs are compiled by.
type plugin struct {
	table *C.api
	hash  func() (checkpoints.File, error) // of its file
	// machine is describeMachine's answer when the plugin was loaded: XLA reads its flags once.
	machine []string
}

// intercepted is the plugin whose compilations come here, nil before there is one. PJRT's functions are given no more
// than their arguments, so that there can be only one.
var (
	interception sync.Mutex
	intercepted  *plugin
)

// Intercept has go-xla open the plugin at path, an absolute path, such that its programs are compiled by way of
// this package. Only the first plugin of a process is taken: another one, or a file that is not a plugin, is left
// to go-xla.
func Intercept(path string) error { return intercept(path, path) }

// InterceptAs is Intercept for a plugin that go-xla is to take for the one of another device, which name says. The
// options of its clients are those of that device, and are dropped.
func InterceptAs(path, name string) error { return intercept(path, name) }

func intercept(path, name string) error {
	interception.Lock()
	defer interception.Unlock()
	if intercepted != nil {
		return nil
	}
	file := []byte(path + "\x00")
	table := C.programs_table((*C.char)(unsafe.Pointer(unsafe.SliceData(file))))
	if table == nil {
		return nil
	}
	changed := C.programs_intercept(table)
	if changed == nil {
		return nil
	}
	if name != path {
		C.programs_disguise(changed)
	}
	intercepted = &plugin{
		table: table, machine: describeMachine(),
		hash: sync.OnceValues(func() (checkpoints.File, error) { return checkpoints.SHA256OfFile(path) }),
	}
	return pjrt.RegisterPreloadedPlugin(name, uintptr(unsafe.Pointer(changed)))
}

// call calls one of the plugin's functions.
func (p *plugin) call(function C.int, args unsafe.Pointer) error {
	failure := C.programs_call(p.table, function, args)
	if failure == nil {
		return nil
	}
	message := C.error_message_args{struct_size: C.sizeof_error_message_args, error: failure}
	C.programs_call(p.table, C.ERROR_MESSAGE, unsafe.Pointer(&message))
	err := errors.New(strings.Clone(text(message.message, message.message_size)))
	destroy := C.error_destroy_args{struct_size: C.sizeof_error_destroy_args, error: failure}
	C.programs_call(p.table, C.ERROR_DESTROY, unsafe.Pointer(&destroy))
	return err
}

// describe returns what the plugin says of itself and of the client's devices.
func (p *plugin) describe(client *C.client) ([]string, error) {
	version := C.platform_version_args{struct_size: C.sizeof_platform_version_args, client: client}
	if err := p.call(C.PLATFORM_VERSION, unsafe.Pointer(&version)); err != nil {
		return nil, err
	}
	said := []string{
		fmt.Sprintf("PJRT %d.%d", p.table.version.major, p.table.version.minor),
		strings.Clone(text(version.text, version.size)),
	}
	list := C.devices_args{struct_size: C.sizeof_devices_args, client: client}
	if err := p.call(C.DEVICES, unsafe.Pointer(&list)); err != nil {
		return nil, err
	}
	for _, device := range unsafe.Slice(list.devices, int(list.count)) {
		of := C.describe_args{struct_size: C.sizeof_describe_args, device: device}
		if err := p.call(C.DESCRIBE, unsafe.Pointer(&of)); err != nil {
			return nil, err
		}
		kind := C.kind_args{struct_size: C.sizeof_kind_args, description: of.description}
		if err := p.call(C.KIND, unsafe.Pointer(&kind)); err != nil {
			return nil, err
		}
		said = append(said, strings.Clone(text(kind.text, kind.size)))
	}
	return said, nil
}

// serialize returns the bytes of a program that was compiled.
func (p *plugin) serialize(loaded *C.loaded) ([]byte, error) {
	of := C.executable_args{struct_size: C.sizeof_executable_args, loaded: loaded}
	if err := p.call(C.EXECUTABLE, unsafe.Pointer(&of)); err != nil {
		return nil, err
	}
	defer p.destroy(of.executable)
	written := C.serialize_args{struct_size: C.sizeof_serialize_args, executable: of.executable}
	if err := p.call(C.SERIALIZE, unsafe.Pointer(&written)); err != nil {
		return nil, err
	}
	defer C.programs_free(&written)
	return []byte(text(written.bytes, written.size)), nil
}

// deserialize is the way back. It is an error if the program has another name. It asks the program what go-xla will
// ask, so that go-xla is not given one that can't answer.
func (p *plugin) deserialize(client *C.client, content []byte, name string) (*C.loaded, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	bytes := unsafe.SliceData(content)
	pinner.Pin(bytes)
	read := C.deserialize_args{
		struct_size: C.sizeof_deserialize_args, client: client,
		bytes: (*C.char)(unsafe.Pointer(bytes)), size: C.size_t(len(content)),
	}
	if err := p.call(C.DESERIALIZE, unsafe.Pointer(&read)); err != nil {
		return nil, err
	}
	of := C.executable_args{struct_size: C.sizeof_executable_args, loaded: read.loaded}
	err := p.call(C.EXECUTABLE, unsafe.Pointer(&of))
	if err == nil {
		defer p.destroy(of.executable)
		memory := C.memory_args{struct_size: C.sizeof_memory_args, executable: of.executable}
		err = p.call(C.MEMORY, unsafe.Pointer(&memory))
	}
	if err == nil {
		err = p.expectName(of.executable, name)
	}
	if err != nil {
		destroy := C.loaded_destroy_args{struct_size: C.sizeof_loaded_destroy_args, loaded: read.loaded}
		return nil, errors.Join(err, p.call(C.LOADED_DESTROY, unsafe.Pointer(&destroy)))
	}
	return read.loaded, nil
}

func (p *plugin) expectName(executable *C.executable, want string) error {
	of := C.name_args{struct_size: C.sizeof_name_args, executable: executable}
	if err := p.call(C.NAME, unsafe.Pointer(&of)); err != nil {
		return err
	}
	if have := text(of.text, of.size); have != want {
		return fmt.Errorf("it is the program %q, not %q", have, want)
	}
	return nil
}

func (p *plugin) destroy(executable *C.executable) {
	args := C.executable_destroy_args{struct_size: C.sizeof_executable_destroy_args, executable: executable}
	_ = p.call(C.EXECUTABLE_DESTROY, unsafe.Pointer(&args)) // leaks at worst
}
