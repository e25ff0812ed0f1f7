package xla

import "C" // for malloc_linux.c, which needs nothing from Go
