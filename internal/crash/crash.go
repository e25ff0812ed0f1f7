// Package crash ends a program that dies of an error that Go cannot recover from (stack overflow, no memory, an
// abort in native code) as other errors end: with one line and an exit code of one's choice. By itself Go prints
// all goroutines, and its exit code is 2.
//
// Such an error leaves no Go code that could act. A thread in C reads what is written to standard error's
// descriptor, which Go's runtime and native libraries write to, and passes it on. It withholds what begins as the
// end of a program does. Then a handler of SIGABRT, which Go's runtime raises in the end and native code with
// abort, has the thread print its line and exit. The program itself writes to another descriptor.
package crash

import "os"

// DebugEnv names the environment variable that, as 1, has everything printed.
const DebugEnv = "ILLUSTRATOR_DEBUG"

// Guard watches over a process.
type Guard struct {
	// Stderr gets what the program itself writes: it is the standard error that the process began with.
	Stderr *os.File
}

func debugging() bool { return os.Getenv(DebugEnv) == "1" }
