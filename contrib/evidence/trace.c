/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A witness beside the agent's own stamps: when the main thread enters and leaves some of
 * its functions, as gcc's -finstrument-functions tells it. contrib/evidence/trace.sh links
 * it into a build of its own.
 *
 * TRACE_FUNCTIONS names a file with a line "ADDRESS NAME" each (nm), TRACE_OUT the
 * file for the events, to which the process's number is added: "SECONDS > NAME" on
 * the way in, "SECONDS < NAME" on the way out. Times are CLOCK_MONOTONIC.
 */
#include <config.h>

#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FUNCTIONS = 32, EVENTS = 1 << 22 };

static struct {
    uintptr_t at;
    char name[64];
} functions[FUNCTIONS];
static int n_functions;

static struct event {
    double seconds;
    short function;
    short in;
} * events;
static long n_events;
static int ready;

#define UNTRACED __attribute__((no_instrument_function))

UNTRACED static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Where the program was loaded: its own entry comes first. */
UNTRACED static int first_base(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(uintptr_t *)base = info->dlpi_addr;
    return 1;
}

UNTRACED static void leave(void)
{
    const char *out = getenv("TRACE_OUT");
    char path[512];

    ready = 0;
    snprintf(path, sizeof path, "%s.%d", out ? out : "trace", (int)getpid());
    FILE *f = fopen(path, "w");
    for (long i = 0; f && i < n_events; i++)
        fprintf(f, "%.9f %c %s\n", events[i].seconds, events[i].in ? '>' : '<',
                functions[events[i].function].name);
    if (f)
        fclose(f);
}

__attribute__((constructor)) UNTRACED static void enter(void)
{
    const char *list = getenv("TRACE_FUNCTIONS");
    FILE *f = list ? fopen(list, "r") : NULL;
    uintptr_t base = 0;
    unsigned long at;

    dl_iterate_phdr(first_base, &base);
    while (f && n_functions < FUNCTIONS &&
           fscanf(f, "%lx %63s", &at, functions[n_functions].name) == 2)
        functions[n_functions++].at = base + at;
    if (f)
        fclose(f);
    events = f ? malloc(EVENTS * sizeof *events) : NULL;
    ready = events && atexit(leave) == 0;
}

UNTRACED static void note(void *function, int in)
{
    if (!ready || n_events == EVENTS)
        return;
    for (int i = 0; i < n_functions; i++)
        if (functions[i].at == (uintptr_t)function) {
            if (syscall(SYS_gettid) == getpid())
                events[n_events++] = (struct event){now(), (short)i, (short)in};
            return;
        }
}

UNTRACED void __cyg_profile_func_enter(void *function, void *from);
UNTRACED void __cyg_profile_func_exit(void *function, void *from);

void __cyg_profile_func_enter(void *function, void *from)
{
    (void)from;
    note(function, 1);
}

void __cyg_profile_func_exit(void *function, void *from)
{
    (void)from;
    note(function, 0);
}
