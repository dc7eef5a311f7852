/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program;

/* Registered first, so it is the last thing that exit() does. A close tells what
 * some network file systems tell only there; a descriptor that was closed from
 * the beginning is a loss only when there was something to say. */
static void check(void)
{
    errno = 0;
    int lost = ferror(stdout) | fflush(stdout);

    if (!lost && close(STDOUT_FILENO) < 0 && errno != EBADF)
        lost = 1;
    if (!lost)
        return;
    fprintf(stderr, "%s: cannot write to standard output%s%s\n", program, errno ? ": " : "",
            errno ? strerror(errno) : "");
    _exit(OUT_LOST);
}

void out_guard(const char *name)
{
    if (!program)
        atexit(check);
    program = name;
}
