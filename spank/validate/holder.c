/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/holder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/slurp.h"

enum { PLACE_SIZE = 200, STAT_SIZE = 1024 };

/* When the process started, in ticks since the boot; 0: there is none. */
static unsigned long long start_of(long pid)
{
    char path[64], text[STAT_SIZE];
    unsigned long long start = 0;

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (slurp_text(path, text, sizeof text) <= 0)
        return 0;
    const char *behind = strrchr(text, ')'); /* its name may hold anything */
    if (!behind || behind[1] == '\0' || behind[2] == 'Z' || behind[2] == 'X')
        return 0;
    const char *at = behind + 2; /* field 3; the start is field 22 */
    for (int field = 3; at && field < 22; field++)
        at = (at = strchr(at, ' ')) ? at + 1 : NULL;
    return at && sscanf(at, "%llu", &start) == 1 ? start : 0;
}

/* "HOST BOOT NAMESPACE". */
static void place(char text[PLACE_SIZE])
{
    char host[65] = "?", boot[40] = "?", space[48] = "?";

    gethostname(host, sizeof host - 1);
    if (slurp_text("/proc/sys/kernel/random/boot_id", boot, sizeof boot) > 0)
        boot[strcspn(boot, "\n")] = '\0';
    const ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[n > 0 ? n : 1] = '\0';
    snprintf(text, PLACE_SIZE, "%s %s %s", host, boot, space);
}

void holder_self(char *text, size_t size)
{
    char here[PLACE_SIZE];

    place(here);
    snprintf(text, size, "%s %ld %llu", here, (long)getpid(), start_of(getpid()));
}

bool holder_gone(const char *holder)
{
    char here[PLACE_SIZE];
    unsigned long long start;
    long pid;

    place(here);
    const size_t n = strlen(here);
    if (strncmp(holder, here, n) != 0 || sscanf(holder + n, " %ld %llu", &pid, &start) != 2 ||
        start == 0 || start_of(getpid()) == 0)
        return false;
    return start_of(pid) != start;
}

void holder_say(const char *holder, char *text, size_t size)
{
    char host[65];
    long pid;

    if (sscanf(holder, "%64s %*s %*s %ld", host, &pid) == 2)
        snprintf(text, size, "process %ld on %s", pid, host);
    else
        snprintf(text, size, "%s", holder);
}
