//go:build linux || darwin

#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { IN, OUT };

static const char *program;
static int exit_code, show_all, watching;
static int errors = -1;     // what standard error was
static int text[2];         // standard error's descriptor is its end OUT
static int commands[2];     // to the thread: one byte each
static int answers[2];      // from the thread
static const char end = 'e', flush = 'f';

// What begins as the end of a program does, up to so many bytes.
static char held[4096];
static size_t held_size;
static int holding;         // a line began as the end of a program does
static char line[64];       // the beginning of a line of which that is not known yet
static size_t line_size;
static int inside;          // a line that is passed on
static int dropping;        // a line that is not

// Beginnings of lines with which a program ends: of Go's runtime, the C++ library, the C library, and Abseil's log,
// whose fatal lines begin with F and the month.
static const char *const last_words[] = {
	"fatal error: ", "panic: ", "SIGABRT: ", "SIGSEGV: ", "SIGBUS: ", "SIGILL: ", "SIGFPE: ", "SIGTRAP: ",
	"unexpected fault address ", "runtime: goroutine stack exceeds ", "runtime: out of memory", "runtime: cannot ",
	"runtime: failed ", "runtime/cgo: ", "terminate called ", "libc++abi: ", "malloc(): ", "realloc(): ", "free(): ",
	"double free or corruption", "corrupted size vs. prev_size", "corrupted double-linked list", "*** stack smashing ",
	"F0", "F1", "*** Check failure ",
};
enum { WORDS = sizeof last_words / sizeof *last_words };

// Abseil's line on its own log, which comes before the first line of it. It says nothing to a user.
static const char note[] = "WARNING: All log messages before absl::";
enum { NOTE = sizeof note - 1 };

static char last = '\n';    // byte that was passed on

static void put(const char *from, size_t size) {
	if (size > 0)
		last = from[size - 1];
	while (size > 0) {
		ssize_t n = write(errors, from, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; // nobody reads
		from += n;
		size -= n;
	}
}

static void hold(const char *from, size_t size) {
	if (size > sizeof held - 1 - held_size)
		size = sizeof held - 1 - held_size;
	memcpy(held + held_size, from, size);
	held_size += size;
}

static void release(void) {
	put(held, held_size);
	put(line, line_size);
	held_size = line_size = 0;
	holding = 0;
}

// take passes text on, or holds it from the first line on that begins with last words.
static void take(const char *from, size_t size) {
	if (holding) {
		hold(from, size);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (inside || dropping) {
			size_t n = 1;
			while (from[i + n - 1] != '\n' && i + n < size)
				n++;
			if (inside)
				put(from + i, n);
			if (from[i + n - 1] == '\n')
				inside = dropping = 0;
			i += n - 1;
			continue;
		}
		line[line_size++] = from[i];
		int could = !strncmp(line, note, line_size < NOTE ? line_size : NOTE);
		if (could && line_size == NOTE) {
			dropping = 1;
			line_size = 0;
			continue;
		}
		for (int w = 0; w < WORDS; w++) {
			size_t length = strlen(last_words[w]);
			if (strncmp(line, last_words[w], line_size < length ? line_size : length))
				continue;
			could = 1;
			if (line_size < length)
				continue;
			holding = 1;
			hold(line, line_size);
			line_size = 0;
			hold(from + i + 1, size - i - 1);
			return;
		}
		if (!could) {
			inside = from[i] != '\n';
			put(line, line_size);
			line_size = 0;
		}
	}
}

// dies is true once Go's runtime has begun to end the process, which can take it seconds.
static int dies(void) {
	held[held_size] = 0;
	return !strncmp(held, "fatal error: ", 13) || !strncmp(held, "SIG", 3) || !strncmp(held, "panic: ", 7) ||
	       strstr(held, "\nfatal error: ") || strstr(held, "\nSIG");
}

static int says(const char *words) { return strstr(held, words) != NULL; }

// finish prints the one line and ends the process.
static void finish(void) {
	if (show_all)
		_exit(exit_code);
	held[held_size] = 0;
	char message[512];
	const char *cause = "native code gave up";
	char first[200] = "";
	if (says("out of memory") || says("annot allocate memory") || says("bad_alloc") || says("pthread_create") ||
	    says("failed to reserve") || says("failed to commit"))
		cause = "out of memory: the machine, or a limit such as ulimit -v, has no more";
	else if (says("stack overflow"))
		cause = "internal: stack overflow";
	else if (held_size > 0) {
		snprintf(first, sizeof first, "internal: %s", held);
		first[strcspn(first, "\n")] = 0;
		cause = first;
	}
	int n = snprintf(message, sizeof message, "%s: error: %s (ILLUSTRATOR_DEBUG=1 prints more)\n", program, cause);
	if (last != '\n')
		put("\n", 1);
	put(message, n);
	_exit(exit_code);
}

// drain takes what is in the pipe.
static void drain(void) {
	char part[4096];
	struct pollfd one = {.fd = text[IN], .events = POLLIN};
	while (poll(&one, 1, 0) > 0 && one.revents & POLLIN) {
		ssize_t n = read(text[IN], part, sizeof part);
		if (n > 0 && show_all)
			put(part, n);
		else if (n > 0)
			take(part, n);
		else if (n == 0 || errno != EINTR)
			return;
	}
}

static void *watch(void *unused) {
	struct pollfd both[] = {{.fd = text[IN], .events = POLLIN}, {.fd = commands[IN], .events = POLLIN}};
	for (;;) {
		int ready = poll(both, 2, holding && dies() ? 500 : -1);
		if (ready == 0)
			finish();
		if (ready < 0)
			continue;
		drain();
		char command;
		if (!(both[1].revents & POLLIN) || read(commands[IN], &command, 1) != 1)
			continue;
		drain();
		if (command == end)
			finish();
		release();
		while (write(answers[OUT], &command, 1) < 0 && errno == EINTR)
			;
	}
	return unused;
}

static void aborted(int number) {
	(void)number;
	while (write(commands[OUT], &end, 1) < 0 && errno == EINTR)
		;
	for (;;)
		pause(); // the thread ends the process
}

static int channel(int ends[2]) {
	if (pipe(ends))
		return -1;
	fcntl(ends[IN], F_SETFD, FD_CLOEXEC);
	fcntl(ends[OUT], F_SETFD, FD_CLOEXEC);
	return 0;
}

int crash_start(const char *name, int code, int verbose) {
	program = name;
	exit_code = code;
	show_all = verbose;
	errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (errors < 0 || channel(text) || channel(commands) || channel(answers))
		return -1;
	pthread_t thread;
	pthread_attr_t small;
	sigset_t all, before;
	sigfillset(&all);
	if (pthread_attr_init(&small) || pthread_attr_setstacksize(&small, 1 << 17) ||
	    pthread_sigmask(SIG_SETMASK, &all, &before)) // Go's handlers need threads of their kind
		return -1;
	int failed = pthread_create(&thread, &small, watch, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed || dup2(text[OUT], STDERR_FILENO) < 0)
		return -1;
	struct sigaction act = {.sa_handler = aborted, .sa_flags = SA_ONSTACK};
	sigfillset(&act.sa_mask);
	sigaction(SIGABRT, &act, NULL);
	watching = 1;
	return errors;
}

void crash_flush(void) {
	char answer;
	if (!watching || write(commands[OUT], &flush, 1) != 1)
		return;
	while (read(answers[IN], &answer, 1) < 0 && errno == EINTR)
		;
}

#ifdef __linux__
// Go's runtime reserves more than a gigabyte of addresses before any Go code runs, and ends with exit code 2 if it can't.
__attribute__((constructor)) static void enough_addresses(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur >= 3UL << 29)
		return;
	dprintf(STDERR_FILENO, "%s: error: out of memory: the limit of addresses, ulimit -v, is below 1.5 GiB\n",
		program_invocation_short_name);
	_exit(1);
}
#endif
