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

// programsCompile stands in for the plugin's function that compiles, on the thread that called it. Whatever goes wrong
// with the cache, the program is compiled.
//
//export programsCompile
func programsCompile(pointer unsafe.Pointer) *C.error {
	p, args, cache := intercepted, (*C.compile_args)(pointer), inUse.Load()
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
	began := time.Now()
	content, err := cache.read(key)
	if err == nil && content != nil {
		if args.loaded, err = p.deserialize(args.client, content); err == nil {
			counts.loaded.Add(1)
			cache.debug("program loaded", "key", key, "bytes", len(content), "seconds", time.Since(began).Seconds())
			return nil
		}
	}
	if err != nil {
		cache.debug("a kept program is of no use and is compiled again", "key", key, "reason", err)
	}
	if failure := p.compile(args); failure != nil {
		return failure
	}
	seconds := time.Since(began).Seconds()
	if content, err = p.serialize(args.loaded); err == nil {
		err = cache.write(key, content)
	}
	if err != nil {
		cache.debug("program compiled, but not kept", "key", key, "seconds", seconds, "reason", err)
	} else {
		cache.debug("program compiled", "key", key, "bytes", len(content), "seconds", seconds)
	}
	return nil
}

// capture gives the program away and answers with an error of the plugin's, the one that it has for programs of a
// format that it does not know.
func (p *plugin) capture(args *C.compile_args, take func(Program)) *C.error {
	given := args.program
	take(Program{
		Format: strings.Clone(text(given.format, given.format_size)), Code: []byte(text(given.code, given.code_size)),
		Options: []byte(text(args.options, args.options_size)),
	})
	format := []byte("captured")
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(&format[0])
	unknown := *given
	unknown.format, unknown.format_size = (*C.char)(unsafe.Pointer(&format[0])), C.size_t(len(format))
	pinner.Pin(&unknown)
	args.program = &unknown
	defer func() { args.program = given }()
	return C.programs_call(p.table, C.COMPILE, unsafe.Pointer(args))
}

func (p *plugin) compile(args *C.compile_args) *C.error {
	counts.compiled.Add(1)
	return C.programs_call(p.table, C.COMPILE, unsafe.Pointer(args))
}

// key names a program by all that its machine code depends on: the program and the compiler's options, the plugin, the
// devices and the machine.
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
