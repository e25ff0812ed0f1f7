//go:build (linux || darwin) && cgo

package crash

/*
#cgo LDFLAGS: -lpthread
#include <stdlib.h>
#include "guard.h"
*/
import "C"

import (
	"os"
	"runtime/debug"
)

// descriptor2 keeps the garbage collector from closing the descriptor that Go's runtime and native code write to.
var descriptor2 *os.File

// Start watches over this process, the program called name, which is to end with code if it crashes. It is called
// once, at the start. Without a standard error it does nothing.
func Start(name string, code int) *Guard {
	verbose := 0
	if debugging() {
		verbose = 1
	}
	fd := C.crash_start(C.CString(name), C.int(code), C.int(verbose))
	if fd < 0 {
		return &Guard{Stderr: os.Stderr}
	}
	debug.SetTraceback("crash") // ends by SIGABRT in place of exit code 2
	descriptor2 = os.Stderr
	os.Stderr = os.NewFile(uintptr(fd), "/dev/stderr")
	return &Guard{Stderr: os.Stderr}
}

// Flush passes on what native code has written to standard error. Call it before the process exits.
func (g *Guard) Flush() { C.crash_flush() }
