/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts another program: signals as a program expects them (none blocked,
 * none ignored), and nobody's environment unless it is given. Descriptors of
 * ours are close-on-exec; it has the three that are named here.
 *
 *     const struct spawn s = {.argv = argv, .in = SPAWN_NULL, .out = ends[1], .err = SPAWN_SAME};
 *     int why = spawn_start(&s, &pid);        0 or an errno
 *     if (!spawn_wait(pid, clock_now_ms() + 5000, &status)) kill(...)
 *
 * Failure: as each function says.
 * Threads: any.
 */
#ifndef CORE_SPAWN_H
#define CORE_SPAWN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    SPAWN_NULL = -1, /* /dev/null */
    SPAWN_SAME = -2  /* ours; /dev/null where ours is closed, or the next file that
                      * the program opens would be its output */
};

struct spawn {
    const char *const *argv; /* [0] is the program's path; ends with NULL */
    const char *const *env;  /* ends with NULL; NULL: spawn_clean_env */
    int in, out, err;        /* a descriptor, or one of the above */
    bool group;              /* in a process group of its own: kill(-pid) ends all of it */
    bool search;             /* argv[0] without a slash is looked for in our PATH */
};

/* PATH=/usr/bin:/bin and LC_ALL=C. */
extern const char *const spawn_clean_env[];

/* 0 and *pid, or why not, an errno. Nothing to end then. */
int spawn_start(const struct spawn *s, pid_t *pid);

/* Waits for its end until clock_now_ms() is `until`, for ever with -1. True:
 * it has ended, or was never ours; *status (may be NULL) as waitpid() has it. */
bool spawn_wait(pid_t pid, int64_t until, int *status);

/* Its exit code, 128 + the signal that ended it. */
int spawn_code(int status);

/* Runs it to its end, s->out and s->err ignored: both go into *text, at most
 * `most` bytes, NUL-terminated; free() it. After so many seconds, or with more
 * text, its group gets SIGTERM and 5 s later SIGKILL. Returns its code, 124
 * when it was ended so, 127 when it could not be started. */
int spawn_run(const struct spawn *s, int seconds, size_t most, char **text);

/* Path of a program in the folder of this one; -1: it is not there, or may not be run. */
int spawn_beside(const char *name, char path[PATH_MAX]);

#endif
