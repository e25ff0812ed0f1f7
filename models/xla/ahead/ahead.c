//go:build linux

#include "ahead.h"

#include <dlfcn.h>

const api *ahead_table(const char *path) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return NULL;
	const api *(*get)(void) = (const api *(*)(void))dlsym(library, "GetPjrtApi");
	const api *table = get ? get() : NULL;
	if (!table || table->struct_size < offsetof(api, functions) + (MEMORY + 1) * sizeof(function))
		return NULL;
	return table;
}

error *ahead_call(const api *plugin, int function, void *args) { return plugin->functions[function](args); }
