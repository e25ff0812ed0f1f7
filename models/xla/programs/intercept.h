#pragma once

#include "pjrt.h"

// programs_table loads the plugin at path, for good, and returns its table of functions; NULL if it has none.
const api *programs_table(const char *path);

// programs_intercept returns a copy of a plugin's table in which programs are compiled by programsCompile of intercept.go;
// NULL if the plugin lacks a function that it needs, or if there was no memory.
api *programs_intercept(const api *plugin);

// programs_disguise has clients of an intercepted table created without options: those of another device's plugin are not
// this one's. There can be one such table.
void programs_disguise(api *changed);

// programs_call calls a function of the plugin's own table.
error *programs_call(const api *plugin, int function, void *args);

// programs_free frees what a program was written into.
void programs_free(serialize_args *args);
