/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/throttled.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 512 };

/* Seconds in a cpu.stat: cgroup v1 in nanoseconds, v2 in microseconds; NAN. */
static double throttled_in(const char *folder)
{
    char path[PATH + 16], line[128];
    double v, found = NAN;

    snprintf(path, sizeof path, "%s/cpu.stat", folder);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "throttled_time %lf", &v) == 1)
            found = v * 1e-9;
        else if (sscanf(line, "throttled_usec %lf", &v) == 1)
            found = v * 1e-6;
    }
    if (f)
        fclose(f);
    return found;
}

/* Of the group and those above it: the quota may be on any. */
static double throttled_upwards(const char *root, char *group)
{
    char folder[PATH];
    double most = NAN;

    for (;;) {
        snprintf(folder, sizeof folder, "%s%s", root, group);
        most = fmax(most, throttled_in(folder)); /* fmax() leaves a NAN out */
        char *slash = strrchr(group, '/');
        if (!slash || !*group)
            return most;
        *slash = '\0';
    }
}

double throttled_seconds(void)
{
    FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH];
    double most = NAN;

    while (f && fgets(line, sizeof line, f)) {
        char *controllers = strchr(line, ':'), *group = NULL;
        line[strcspn(line, "\n")] = '\0';
        if (controllers && (group = strchr(controllers + 1, ':')))
            *group++ = '\0';
        if (!group)
            continue;
        if (!controllers[1])
            most = fmax(most, throttled_upwards("/sys/fs/cgroup", group));
        else if (strncmp(controllers + 1, "cpu,", 4) == 0 || strcmp(controllers + 1, "cpu") == 0)
            most = fmax(most, throttled_upwards("/sys/fs/cgroup/cpu", group));
    }
    if (f)
        fclose(f);
    return most;
}
