package xla

/*
#cgo linux CFLAGS: -D_GNU_SOURCE
#include <malloc.h>

// XLA allocates and frees its buffers in every run. glibc gives large ones back to the kernel each time, which then
// zeroes the same pages again: some 20,000 page faults in one gradient of a small network, 1,300 with these settings.
// They must stand before the first allocation of another thread, hence a constructor and not Go's init.
__attribute__((constructor)) static void keep_freed_memory(void) {
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 2147483647);
	mallopt(M_TOP_PAD, 64 << 20);
#endif
}
*/
import "C"
