#pragma once

// The part of PJRT's C interface with which programs are compiled, written down and read back. The interface only grows at
// its ends, so that this holds for every plugin that has the functions; TestDeclarations compares it with go-xla's header.

#include <stddef.h>
#include <stdint.h>

typedef struct error error;
typedef struct client client;
typedef struct device device;
typedef struct description description;
typedef struct executable executable;
typedef struct loaded loaded;

#define ARGS size_t struct_size; void *extension_start

typedef struct { ARGS; error *error; } error_destroy_args;
typedef struct { ARGS; const error *error; const char *message; size_t message_size; } error_message_args;
typedef struct { ARGS; client *client; const char *text; size_t size; } platform_version_args;
typedef struct { ARGS; client *client; device *const *devices; size_t count; } devices_args;
typedef struct { ARGS; device *device; description *description; } describe_args;
typedef struct { ARGS; description *description; const char *text; size_t size; } kind_args;
typedef struct { ARGS; char *code; size_t code_size; const char *format; size_t format_size; } program;
typedef struct {
	ARGS;
	client *client;
	const program *program;
	const char *options;
	size_t options_size;
	loaded *loaded;
} compile_args;
typedef struct { ARGS; loaded *loaded; executable *executable; } executable_args;
typedef struct { ARGS; executable *executable; } executable_destroy_args;
typedef struct { ARGS; executable *executable; const char *text; size_t size; } name_args;
typedef struct { ARGS; loaded *loaded; } loaded_destroy_args;
typedef struct {
	ARGS;
	const executable *executable;
	const char *bytes;
	size_t size;
	void *owner;
	void (*free_owner)(void *owner);
} serialize_args;
typedef struct {
	ARGS;
	client *client;
	const char *bytes;
	size_t size;
	loaded *loaded;
	const char *options;
	size_t options_size;
} deserialize_args;
typedef struct { ARGS; executable *executable; int64_t bytes[15]; } memory_args;

// What compiling ahead of time takes besides. A topology describes devices that need not be here.
typedef struct topology topology;
typedef struct { ARGS; } initialize_args;
typedef struct {
	ARGS;
	const char *name;
	size_t name_size;
	int type; // 0: text
	const char *text;
	size_t text_size;
} named_value;
typedef struct {
	ARGS;
	const char *name;
	size_t name_size;
	const named_value *options;
	size_t options_count;
	topology *topology;
} topology_create_args;
typedef struct {
	ARGS;
	const topology *topology;
	const program *program;
	const char *options;
	size_t options_size;
	client *client;
	executable *executable;
} ahead_args;
typedef struct { ARGS; executable *executable; program *program; } optimized_args;

// The beginning of what a client is created by.
typedef struct { ARGS; const named_value *options; size_t options_count; } create_args;

// The places of functions in a plugin's table.
enum {
	ERROR_DESTROY = 0,
	ERROR_MESSAGE = 1,
	INITIALIZE = 3,
	CREATE = 10,
	PLATFORM_VERSION = 14,
	DEVICES = 16,
	COMPILE = 20,
	KIND = 26,
	DESCRIBE = 29,
	EXECUTABLE_DESTROY = 40,
	NAME = 41,
	OPTIMIZED = 48,
	SERIALIZE = 49,
	LOADED_DESTROY = 50,
	EXECUTABLE = 51,
	DESERIALIZE = 56,
	TOPOLOGY_CREATE = 82,
	AHEAD = 89,
	MEMORY = 96,
};

typedef error *(*function)(void *args);

typedef struct {
	ARGS;
	struct { ARGS; int major, minor; } version;
	function functions[];
} api;
