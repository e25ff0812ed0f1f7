// Allocates as XLA does in runs: a large temporary buffer, and smaller ones that outlive it. Prints in how many places the
// large one was.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { runs = 300, temporary = 56 << 20, output = 480000 };

int main(void) {
	uintptr_t seen[runs];
	int places = 0;
	unsigned random = 1;
	void *before = NULL;
	for (int run = 0; run < runs; run++) {
		void *block, *result, *small;
		if (posix_memalign(&block, 64, temporary) || posix_memalign(&result, 64, output))
			return 1;
		int at = 0;
		while (at < places && seen[at] != (uintptr_t)block)
			at++;
		if (at == places)
			seen[places++] = (uintptr_t)block;
		for (int i = 0; i < 3; i++) {
			random = random * 1103515245 + 12345;
			small = malloc(16 + (random >> 16) % 200); // some stay for good
			if (random >> 30)
				free(small);
		}
		free(block);
		void *input = calloc(1, output + 64);
		if (posix_memalign(&small, 64, 70000))
			return 1;
		free(before);
		before = result;
		if (run % 3)
			free(input);
	}
	printf("%d\n", places);
	return 0;
}
