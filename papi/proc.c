/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel knows of this process. */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "papi/backend.h"

/* Numbers of files. VmHWM and not ru_maxrss: the latter survives exec and
 * may be that of a large parent. read_bytes counts what was fetched from a
 * block device; a network file system shows in io_read_bytes only. */
static const struct {
    int counter;
    double scale;
    const char *path;
    const char *key;
} rows[] = {
    {COUNTER_memory_peak_bytes, 1024, "/proc/self/status", "VmHWM"},
    {COUNTER_io_read_bytes, 1, "/proc/self/io", "rchar"},
    {COUNTER_io_write_bytes, 1, "/proc/self/io", "wchar"},
    {COUNTER_io_read_calls, 1, "/proc/self/io", "syscr"},
    {COUNTER_io_write_calls, 1, "/proc/self/io", "syscw"},
    {COUNTER_storage_read_bytes, 1, "/proc/self/io", "read_bytes"},
    {COUNTER_storage_write_bytes, 1, "/proc/self/io", "write_bytes"},
};

/* Numbers of getrusage(), all threads, also those that ended. */
static double seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static double user(const struct rusage *u)
{
    return seconds(u->ru_utime);
}

static double sys(const struct rusage *u)
{
    return seconds(u->ru_stime);
}

static double minor_faults(const struct rusage *u)
{
    return (double)u->ru_minflt;
}

static double major_faults(const struct rusage *u)
{
    return (double)u->ru_majflt;
}

static double voluntary(const struct rusage *u)
{
    return (double)u->ru_nvcsw;
}

static double involuntary(const struct rusage *u)
{
    return (double)u->ru_nivcsw;
}

static const struct {
    int counter;
    double (*value)(const struct rusage *u);
} usage[] = {
    {COUNTER_cpu_user_seconds, user},
    {COUNTER_cpu_system_seconds, sys},
    {COUNTER_page_faults_minor, minor_faults},
    {COUNTER_page_faults_major, major_faults},
    {COUNTER_context_switches_voluntary, voluntary},
    {COUNTER_context_switches_involuntary, involuntary},
};

enum { ROWS = sizeof(rows) / sizeof(*rows), USAGE = sizeof(usage) / sizeof(*usage) };

static int usage_source[USAGE];

static int probe(struct counters *c)
{
    for (int i = 0; i < ROWS; i++) {
        struct source s = {.counter = rows[i].counter, .scale = rows[i].scale};

        if (source_file(c, &s, rows[i].path, (struct pick){.key = rows[i].key}) < 0)
            return -1;
    }
    for (int i = 0; i < USAGE; i++) {
        struct source s = {.counter = usage[i].counter, .scale = 1};

        usage_source[i] = source_add(c, &s);
        if (usage_source[i] < 0)
            return -1;
        counter_from(c, s.counter, "getrusage");
    }
    return 0;
}

static void read_usage(struct counters *c)
{
    struct rusage u;
    int failed = getrusage(RUSAGE_SELF, &u) < 0 ? errno : 0;

    for (int i = 0; i < USAGE; i++) {
        if (failed)
            source_lost(c, usage_source[i], "getrusage: %s", strerror(failed));
        else
            source_now(c, usage_source[i], usage[i].value(&u));
    }
}

const struct backend backend_proc = {
    .name = "proc", .bit = BACKEND_PROC, .probe = probe, .read = read_usage};
