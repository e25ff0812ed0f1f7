#pragma once

#include "../programs/pjrt.h"

// ahead_table loads the plugin at path, for good, and returns its table of functions; NULL if it has none, or an old one.
const api *ahead_table(const char *path);

// ahead_call calls a function of the plugin's table.
error *ahead_call(const api *plugin, int function, void *args);
