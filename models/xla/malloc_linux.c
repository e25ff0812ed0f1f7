#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __GLIBC__

#define LARGE (64 << 10) // bytes

// XLA allocates and frees its buffers in every run. glibc gives large ones back to the kernel each time, which then
// zeroes the same pages again: some 20,000 page faults in one gradient of a small network, 1,300 with these settings.
// They must stand before the first allocation of another thread, hence a constructor and not Go's init.
__attribute__((constructor)) static void keep_freed_memory(void) {
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 2147483647);
	mallopt(M_TOP_PAD, 64 << 20);
}

// The plugin calls this function in place of glibc's, as the program's own functions come before a library's.
//
// glibc's looks for a free block of size + alignment and more. A block that was freed has its size and no more, once what
// was cut off before it is in use again: it is never taken for the same size. A run's temporary buffer then takes a new
// place each time, until freed neighbours merge: Lorelei's sampling had four such places, of 56 MiB each. A plain
// allocation takes the block that fits best, which is the freed one, aligned already.
int posix_memalign(void **out, size_t alignment, size_t size) {
	if (alignment == 0 || alignment % sizeof(void *) || alignment & (alignment - 1))
		return EINVAL;
	void *block = size >= LARGE ? malloc(size) : NULL;
	if (!block || (uintptr_t)block % alignment) {
		free(block);
		block = memalign(alignment, size);
	}
	if (!block)
		return ENOMEM;
	*out = block;
	return 0;
}

#endif
