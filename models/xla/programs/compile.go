//go:build (linux || darwin) && cgo

package programs

/*
#include "intercept.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// programsCompile stands in for the plugin's function that compiles, on the thread that called it. Whatever goes
// wrong with the cache, the program is compiled.
//
//export programsCompile
func programsCompile(pointer unsafe.Pointer) *C.error {
	p, args, cache := intercepted, (*C.compile_args)(pointer), inUse.Load()
	restore := reuseIn(args)
	defer restore()
	if take := captureBy.Load(); take != nil {
		return p.capture(args, *take)
	}
	if cache == nil {
		return p.compile(args)
	}
	key, err := p.key(args)
	if err != nil {
		cache.debug("programs are not kept", "reason", err)
		return p.compile(args)
	}
	given := args.program
	name, code, named := nameAfter(text(given.code, given.code_size), key)
	if !named {
		cache.debug("programs are not kept", "reason", "this one is not StableHLO's text")
		return p.compile(args)
	}
	began := time.Now()
	content, err := cache.files().Read(key)
	if err == nil && content != nil {
		if args.loaded, err = p.deserialize(args.client, content, name); err == nil {
			counts.loaded.Add(1)
			cache.debug("program loaded", "key", key, "bytes", len(content), "seconds", time.Since(began).Seconds())
			return nil
		}
	}
	if err != nil {
		cache.refuse("a kept program is of no use and is compiled again", key, err)
	}
	if failure := p.with(args, text(given.format, given.format_size), code, p.compile); failure != nil {
		return failure
	}
	seconds := time.Since(began).Seconds()
	if content, err = p.serialize(args.loaded); err == nil {
		err = cache.files().Write(key, content)
	}
	if err != nil {
		cache.refuse("program compiled, but not kept", key, err, "seconds", seconds)
	} else {
		cache.debug("program compiled", "key", key, "bytes", len(content), "seconds", seconds)
	}
	return nil
}

// reuseIn has args compile the program as reuse returns it, until restore is called.
func reuseIn(args *C.compile_args) (restore func()) {
	given := args.program
	code := []byte(reuse(text(given.code, given.code_size)))
	var pinner runtime.Pinner
	pinner.Pin(unsafe.SliceData(code))
	changed := *given
	changed.code, changed.code_size = (*C.char)(unsafe.Pointer(unsafe.SliceData(code))), C.size_t(len(code))
	pinner.Pin(&changed)
	args.program = &changed
	return func() {
		args.program = given
		pinner.Unpin()
	}
}

// capture gives the program away and answers with an error of the plugin's, the one that it has for programs of a
// format that it does not know.
func (p *plugin) capture(args *C.compile_args, take func(Program)) *C.error {
	given := args.program
	take(Program{
		Format: strings.Clone(text(given.format, given.format_size)), Code: []byte(text(given.code, given.code_size)),
		Options: []byte(text(args.options, args.options_size)),
	})
	return p.with(args, "captured", text(given.code, given.code_size), func(args *C.compile_args) *C.error {
		return C.programs_call(p.table, C.COMPILE, unsafe.Pointer(args))
	})
}

// with calls compile with a program of another format or code.
func (p *plugin) with(args *C.compile_args, format, code string, compile func(*C.compile_args) *C.error) *C.error {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given, other := args.program, *args.program
	for _, s := range []string{format, code} {
		pinner.Pin(unsafe.StringData(s))
	}
	other.format, other.format_size = (*C.char)(unsafe.Pointer(unsafe.StringData(format))), C.size_t(len(format))
	other.code, other.code_size = (*C.char)(unsafe.Pointer(unsafe.StringData(code))), C.size_t(len(code))
	pinner.Pin(&other)
	args.program = &other
	defer func() { args.program = given }()
	return compile(args)
}

func (p *plugin) compile(args *C.compile_args) *C.error {
	counts.compiled.Add(1)
	counts.compiling.Add(1)
	defer func(began time.Time) {
		counts.compiling.Add(-1)
		counts.spent.Add(int64(time.Since(began)))
	}(time.Now())
	return C.programs_call(p.table, C.COMPILE, unsafe.Pointer(args))
}

// key names a program by all that its machine code depends on: the program and the compiler's options, the plugin,
// the devices and the machine.
func (p *plugin) key(args *C.compile_args) (string, error) {
	file, err := p.hash()
	if err != nil {
		return "", fmt.Errorf("hash the plugin: %w", err)
	}
	parts, err := p.describe(args.client)
	if err != nil {
		return "", err
	}
	program := args.program
	return keyOf(append(append(parts, p.machine...), file.SHA256,
		text(program.format, program.format_size), text(args.options, args.options_size),
		text(program.code, program.code_size))), nil
}

// text is the memory at start as a string, without a copy.
func text(start *C.char, size C.size_t) string {
	return unsafe.String((*byte)(unsafe.Pointer(start)), int(size))
}
