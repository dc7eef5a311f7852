/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/memory.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/job.h"
#include "agent/textfile.h"

static void at_most(struct memory_limit *l, double bytes, const char *what, const char *where)
{
    if (!(bytes > 0) || (l->bytes > 0 && bytes >= l->bytes))
        return;
    l->bytes = bytes;
    snprintf(l->source, sizeof l->source, "%s%.*s", what, 128, where);
}

/* ---- the node ---- */

static void free_memory(struct memory_limit *l, const char *root)
{
    char path[PATH_MAX], text[4096], value[64];

    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (textfile_read(path, text, sizeof text) == 0 &&
        textfile_value(text, "MemAvailable", value, sizeof value) == 0)
        at_most(l, atof(value) * 1024, "memory that is free on the node", "");
}

/* ---- Slurm ---- */

/* MiB for each of so many; 0 stands for all of the node's memory. */
static void slurm_memory(struct memory_limit *l)
{
    static const struct {
        const char *mib, *times, *option;
    } rows[] = {
        {"SLURM_MEM_PER_NODE", NULL, "Slurm's --mem"},
        {"SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE", "Slurm's --mem-per-cpu"},
        {"SLURM_MEM_PER_GPU", "SLURM_GPUS_ON_NODE", "Slurm's --mem-per-gpu"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        long mib = job_number(rows[i].mib), times = rows[i].times ? job_number(rows[i].times) : 1;
        if (mib > 0 && times > 0)
            at_most(l, (double)mib * (double)times * 1048576, rows[i].option, "");
    }
}

/* ---- control groups ---- */

/* Bytes in a file of a control group: 0 for "max", for none, and for the
 * number that v1 has for no limit. */
static double group_bytes(const char *folder, const char *file)
{
    char path[PATH_MAX], text[64];
    double bytes;

    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path ||
        textfile_read(path, text, sizeof text) < 0)
        return 0;
    bytes = strtod(text, NULL);
    return bytes < 9e18 ? bytes : 0;
}

/* A process cannot have more than any group above it. */
static void walk_up(struct memory_limit *l, const char *mount, const char *group,
                    const char *const *files)
{
    char at[PATH_MAX], folder[PATH_MAX];

    snprintf(at, sizeof at, "%s", strcmp(group, "/") == 0 ? "" : group);
    for (;;) {
        if (snprintf(folder, sizeof folder, "%s%s", mount, at) < (int)sizeof folder)
            for (int i = 0; files[i]; i++) {
                char what[64];
                snprintf(what, sizeof what, "%s of control group ", files[i]);
                at_most(l, group_bytes(folder, files[i]), what, at[0] ? at : "/");
            }
        char *slash = strrchr(at, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* "4:cpu,memory:/slurm/job_7": whether the memory controller is in the list. */
static bool has_memory(const char *list, size_t n)
{
    static const char word[] = "memory";

    for (const char *at = list; at < list + n; at += strcspn(at, ",:") + 1)
        if (strncmp(at, word, strlen(word)) == 0 && strchr(",:", at[strlen(word)]))
            return true;
    return false;
}

static void control_groups(struct memory_limit *l, const char *root)
{
    static const char *const v1[] = {"memory.limit_in_bytes", NULL};
    static const char *const v2[] = {"memory.max", "memory.high", NULL};
    char path[PATH_MAX], text[8192], mount[PATH_MAX], group[PATH_MAX];

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (textfile_read(path, text, sizeof text) < 0)
        return;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *list = strchr(line, ':'), *name = list ? strchr(list + 1, ':') : NULL;
        if (!name)
            continue;
        snprintf(group, sizeof group, "%s", name + 1);
        if (name == list + 1) { /* v2; beside v1 it is mounted one lower */
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
            walk_up(l, mount, group, v2);
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/unified", root);
            walk_up(l, mount, group, v2);
        } else if (has_memory(list + 1, (size_t)(name - list - 1))) {
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/memory", root);
            walk_up(l, mount, group, v1);
        }
    }
}

struct memory_limit memory_of_node(const char *root)
{
    struct memory_limit l = {0};

    free_memory(&l, root);
    slurm_memory(&l);
    control_groups(&l, root);
    return l;
}

/* ---- the rank ---- */

struct memory_limit memory_of_rank(const char *root, int ranks)
{
    static const struct {
        int resource;
        const char *name;
    } rows[] = {{RLIMIT_AS, "ulimit -v"}, {RLIMIT_DATA, "ulimit -d"}};
    struct memory_limit l = memory_of_node(root);
    struct rlimit limit;

    l.bytes /= ranks > 0 ? ranks : 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (getrlimit(rows[i].resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
            at_most(&l, (double)limit.rlim_cur, rows[i].name, "");
    return l;
}
