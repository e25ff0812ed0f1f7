#pragma once

// crash_start puts a pipe in the place of standard error's descriptor, starts the thread that reads it, and handles SIGABRT.
// It returns a new descriptor of what standard error was, or -1 if nothing is watched. name stays in use.
int crash_start(const char *name, int code, int verbose);

// crash_flush waits until all that was written to the pipe so far is passed on.
void crash_flush(void);
