/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

FILE *output_open(void)
{
    /* Not 0 to 2: what a library opens must not become a standard stream. */
    int own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *f = own < 0 ? NULL : fdopen(own, "w");

    if (!f) { /* closed: every write to this fails */
        if (own >= 0)
            close(own);
        own = open("/dev/null", O_RDONLY | O_CLOEXEC);
        f = own < 0 ? NULL : fdopen(own, "r");
    }
    fflush(stdout);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    return f ? f : stdout;
}

int output_close(FILE *f, struct err *e)
{
    errno = 0;
    int failed = ferror(f);
    int why = errno;

    if (fflush(f) != 0) {
        failed = 1;
        why = errno;
    }
    if (f != stdout && fclose(f) != 0 && !failed) {
        failed = 1;
        why = errno;
    }
    return failed ? err_set(e, "cannot write to standard output: %s",
                            why ? strerror(why) : "what was written is not complete")
                  : 0;
}
