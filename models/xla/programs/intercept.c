//go:build linux || darwin

#include "intercept.h"
#include "_cgo_export.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const api *programs_table(const char *path) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL); // as go-xla does
	if (!library)
		return NULL;
	const api *(*get)(void) = (const api *(*)(void))dlsym(library, "GetPjrtApi");
	return get ? get() : NULL;
}

static error *compile(void *args) { return programsCompile(args); }

api *programs_intercept(const api *plugin) {
	if (plugin->struct_size < offsetof(api, functions) + (MEMORY + 1) * sizeof(function))
		return NULL;
	api *copy = malloc(plugin->struct_size);
	if (!copy)
		return NULL;
	memcpy(copy, plugin, plugin->struct_size);
	copy->functions[COMPILE] = compile;
	return copy;
}

static function create;

static error *create_plain(void *args) {
	create_args *given = args;
	given->options_count = 0;
	return create(args);
}

void programs_disguise(api *changed) {
	create = changed->functions[CREATE];
	changed->functions[CREATE] = create_plain;
}

error *programs_call(const api *plugin, int function, void *args) { return plugin->functions[function](args); }

void programs_free(serialize_args *args) { args->free_owner(args->owner); }
